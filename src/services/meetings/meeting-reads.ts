import type { Prisma } from '../../generated/prisma/client.ts';
import type { ArtifactVisibility } from '../artifacts/visibility.ts';
import { InvalidArgumentError, type Scope, type ServiceTools } from '../scope.ts';
import { type Meeting, type MeetingStatus, type StoredAttendee, visibleMeetings } from './meeting.ts';

export interface MeetingFilter {
  clientId?: string | null;
  status?: readonly MeetingStatus[] | null;
  startsFrom?: Date | null;
  startsBefore?: Date | null;
  hasRecordings?: boolean | null;
  mine?: boolean | null;
}

export interface MeetingPage {
  meetings: { meeting: Meeting; cursor: string }[];
  hasNextPage: boolean;
}

export interface MeetingReads {
  /** One statement for any number of ids; what the viewer may not see is absent. */
  byIds(scope: Scope, ids: readonly string[]): Promise<Map<string, Meeting>>;
  attendeesOf(scope: Scope, meetingIds: readonly string[]): Promise<Map<string, StoredAttendee[]>>;
  /** In the order of their start, page by page. @throws InvalidArgumentError */
  page(scope: Scope, filter: MeetingFilter, first: number, after: string | null): Promise<MeetingPage>;
  count(scope: Scope, filter: MeetingFilter): Promise<number>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAX_PAGE = 100;

/** Ids come from clients; what is no UUID is unknown, not an error of the database. */
export function wellFormedIds(ids: readonly string[]): string[] {
  return ids.filter((id) => UUID.test(id)).map((id) => id.toLowerCase());
}

/** Postgres refuses a NUL in a text, together with everything else that was asked for. */
export function isStorable(id: string): boolean {
  return !id.includes('\0');
}

export function groupBy<T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group === undefined) groups.set(key(row), [row]);
    else group.push(row);
  }
  return groups;
}

export function checkPageSize(first: number): void {
  if (first < 1 || first > MAX_PAGE) throw new InvalidArgumentError(`first must be between 1 and ${MAX_PAGE}.`);
}

interface Position {
  startsAt: Date;
  id: string;
}

function encodeCursor({ startsAt, id }: Position): string {
  return Buffer.from(`${startsAt.getTime()}:${id}`).toString('base64url');
}

function decodeCursor(cursor: string): Position {
  const [time, id] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  const startsAt = new Date(/^-?\d+$/.test(time ?? '') ? Number(time) : Number.NaN);
  if (id === undefined || !UUID.test(id) || Number.isNaN(startsAt.getTime())) {
    throw new InvalidArgumentError('after is not a cursor of this list.');
  }
  return { startsAt, id };
}

/** Matches no meeting. An empty `OR` would match every one when it stands inside an `AND`. */
const NONE: Prisma.OnlineMeetingWhereInput = { id: { in: [] } };

/** The filter as the database understands it; ENDED and SCHEDULED are told apart by the clock. */
export function whereOf(
  scope: Scope,
  filter: MeetingFilter,
  now: Date,
  seesArtifacts: boolean,
): Prisma.OnlineMeetingWhereInput {
  const { viewer } = scope;
  const conditions: Prisma.OnlineMeetingWhereInput[] = [visibleMeetings(viewer)];
  if (filter.clientId) conditions.push(isStorable(filter.clientId) ? { clientId: filter.clientId } : NONE);
  if (filter.startsFrom) conditions.push({ startsAt: { gte: filter.startsFrom } });
  if (filter.startsBefore) conditions.push({ startsAt: { lt: filter.startsBefore } });
  if (typeof filter.hasRecordings === 'boolean') {
    // For a viewer from whom recordings are hidden no meeting has any: the filter must not tell.
    if (seesArtifacts) conditions.push({ recordings: filter.hasRecordings ? { some: {} } : { none: {} } });
    else if (filter.hasRecordings) conditions.push(NONE);
  }
  if (filter.status) {
    const byStatus = [...new Set(filter.status)].map((status): Prisma.OnlineMeetingWhereInput => {
      if (status === 'ENDED') return { status: 'SCHEDULED', endsAt: { lte: now } };
      return status === 'SCHEDULED' ? { status, endsAt: { gt: now } } : { status };
    });
    conditions.push(byStatus.length === 0 ? NONE : { OR: byStatus });
  }
  if (filter.mine) {
    const attends = viewer.kind === 'client' ? { contactId: viewer.contactId ?? viewer.id } : { userId: viewer.id };
    conditions.push({
      OR: [
        { attendees: { some: { tenantId: viewer.tenantId, ...attends, isRemoved: false } } },
        { createdBy: viewer.id },
      ],
    });
  }
  return { AND: conditions };
}

export function createMeetingReads(visibility: ArtifactVisibility, tools: ServiceTools): MeetingReads {
  const where = async (scope: Scope, filter: MeetingFilter) =>
    whereOf(
      scope,
      filter,
      tools.clock(),
      typeof filter.hasRecordings === 'boolean' && (await visibility.seesArtifacts(scope)),
    );

  return {
    async byIds(scope, ids) {
      const rows = await scope.db.run((prisma) =>
        prisma.onlineMeeting.findMany({ where: { id: { in: wellFormedIds(ids) }, ...visibleMeetings(scope.viewer) } }),
      );
      return new Map(rows.map((row) => [row.id, row]));
    },

    async attendeesOf(scope, meetingIds) {
      const rows = await scope.db.run((prisma) =>
        prisma.meetingAttendee.findMany({
          where: { meetingId: { in: [...meetingIds] }, isRemoved: false },
          orderBy: { position: 'asc' },
        }),
      );
      return groupBy(rows, (row) => row.meetingId);
    },

    async page(scope, filter, first, after) {
      checkPageSize(first);
      const position = after === null ? null : decodeCursor(after);
      const behind: Prisma.OnlineMeetingWhereInput =
        position === null
          ? {}
          : { OR: [{ startsAt: { gt: position.startsAt } }, { startsAt: position.startsAt, id: { gt: position.id } }] };
      const wanted = await where(scope, filter);
      const rows = await scope.db.run((prisma) =>
        prisma.onlineMeeting.findMany({
          where: { AND: [wanted, behind] },
          orderBy: [{ startsAt: 'asc' }, { id: 'asc' }],
          take: first + 1,
        }),
      );
      return {
        meetings: rows.slice(0, first).map((meeting) => ({ meeting, cursor: encodeCursor(meeting) })),
        hasNextPage: rows.length > first,
      };
    },

    async count(scope, filter) {
      const wanted = await where(scope, filter);
      return scope.db.run((prisma) => prisma.onlineMeeting.count({ where: wanted }));
    },
  };
}
