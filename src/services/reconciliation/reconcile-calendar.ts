import type { TenantPrisma } from '../../db/database.ts';
import type { GraphClient, GraphEvent } from '../../graph/types.ts';
import type { Meeting } from '../meetings/meeting.ts';
import { planRetryOfBlocked } from '../meetings/planned-jobs.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { RemoveOrphans } from './orphans.ts';
import type { TakeOver } from './take-over.ts';

/** Holds one organizer's calendar of the next 30 days against the meetings that are stored. */
export type ReconcileCalendar = (scope: Scope, graph: GraphClient, organizerId: string) => Promise<void>;

const DAY_MS = 24 * 3_600_000;

/** A calendar that was not read for so long could not be: it is read every quarter of an hour. */
const UNREADABLE_MS = 3_600_000;

/** How far ahead the calendar is read. */
const WINDOW_MS = 30 * DAY_MS;

interface ReadCalendar {
  changed: GraphEvent[];
  removedIds: string[];
  isFullRead: boolean;
  until: Date;
  remember: () => Promise<void>;
}

/**
 * Makes the reconciliation. Between two full reads, one a day, Microsoft's delta tells what changed; what a change
 * means is decided for each meeting by reading its event once more, because a delta may be older than our own last
 * change, and an event that is said to be removed may only have left the window (Microsoft Learn: event-delta).
 */
export function makeReconcileCalendar(
  deps: { takeOver: TakeOver; removeOrphans: RemoveOrphans },
  tools: ServiceTools,
): ReconcileCalendar {
  async function readCalendar(scope: Scope, graph: GraphClient, organizerId: string): Promise<ReadCalendar> {
    const now = tools.clock();
    const cursor = await scope.db.run((prisma) =>
      prisma.calendarCursor.findFirst({ where: { organizerObjectId: organizerId } }),
    );
    const isCurrent = cursor !== null && cursor.windowEndsAt.getTime() > now.getTime() + WINDOW_MS;
    const until = isCurrent ? cursor.windowEndsAt : new Date(now.getTime() + WINDOW_MS + DAY_MS);
    const deltaLink = isCurrent ? cursor.deltaLink : null;
    const from = new Date(now.getTime() - DAY_MS);
    const read = await graph.events.changes(organizerId, { from, until, deltaLink });
    const data = { deltaLink: read.deltaLink, windowEndsAt: until, readAt: now };
    const unreadableFrom = cursor && new Date(cursor.readAt.getTime() + UNREADABLE_MS);
    return {
      ...read,
      until,
      remember: () =>
        scope.db.transaction(async (prisma) => {
          const { count } = await prisma.calendarCursor.updateMany({ where: { organizerObjectId: organizerId }, data });
          if (count === 0) await prisma.calendarCursor.create({ data: { ...data, organizerObjectId: organizerId } });
          if (unreadableFrom !== null && (await isAnyGivenUp(prisma, unreadableFrom))) await planRetryOfBlocked(prisma);
        }),
    };
  }

  /**
   * Whether a wish was given up while Microsoft could not be reached at all: now that it can, nobody should have to ask
   * for it again.
   */
  async function isAnyGivenUp(prisma: TenantPrisma, since: Date): Promise<boolean> {
    const rows = await prisma.$queryRaw<object[]>`
      SELECT FROM online_meetings
       WHERE tenant_id = current_setting('app.tenant_id') AND status IN ('FAILED', 'CANCELLING') AND version > synced_version
         AND next_attempt_at IS NULL AND ends_at > ${tools.clock()} AND left_in IS NULL
         AND failure ->> 'code' IN ('GRAPH_UNAVAILABLE', 'GRAPH_THROTTLED') AND (failure ->> 'occurredAt')::timestamptz > ${since}
       LIMIT 1`;
    return rows.length > 0;
  }

  /** The meetings of which the calendar says something new: changed, removed, or missing where all was read. */
  async function concerned(scope: Scope, organizerId: string, read: ReadCalendar): Promise<Meeting[]> {
    const told = [...read.changed.map(({ id }) => id), ...read.removedIds];
    const now = tools.clock();
    return scope.db.run((prisma) =>
      prisma.onlineMeeting.findMany({
        where: {
          organizerObjectId: organizerId,
          status: 'SCHEDULED',
          endsAt: { gt: now },
          ...(read.isFullRead
            ? { graphEventId: { not: null }, startsAt: { lt: read.until } }
            : { graphEventId: { in: told } }),
        },
      }),
    );
  }

  return async (scope, graph, organizerId) => {
    const read = await readCalendar(scope, graph, organizerId);
    const byId = new Map(read.changed.map((event) => [event.id, event]));
    for (const meeting of await concerned(scope, organizerId, read)) {
      const event = byId.get(meeting.graphEventId ?? '') ?? null;
      await deps.takeOver(scope, graph, organizerId, meeting, event);
    }
    await deps.removeOrphans(scope, graph, organizerId);
    // Last: a sweep that broke off reads the same again.
    await read.remember();
  };
}
