import type { PreparedStatement } from '../../db/database.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import type { Recording, TranscriptHead } from '../artifacts/artifact-reads.ts';
import type { ArtifactVisibility } from '../artifacts/visibility.ts';
import type { Scope } from '../scope.ts';
import { isCancelled, type Meeting, type StoredAttendee } from './meeting.ts';
import { isStorable } from './meeting-reads.ts';

/** What belongs to a meeting and is read together with it. */
export interface MeetingParts {
  attendees: StoredAttendee[];
  recordings: Recording[];
  transcripts: TranscriptHead[];
}

/** A meeting and those of its parts that were asked for and that the viewer may see. */
export type MeetingWithParts = Meeting & Partial<MeetingParts>;

/** How much of each row is read: what a board shows, or all of it. */
export type Detail = 'card' | 'full';

/** What a reader needs. What it leaves out is missing in the answer, although the types have it. */
export type MeetingShape = { meeting: Detail } & { [Part in keyof MeetingParts]: Detail | null };

export type Subject = 'appointmentId' | 'interactionId';

/** What a card has of each; other readers get the whole row. */
const CARD = {
  meeting: ['id', 'appointmentId', 'interactionId', 'clientId', 'status', 'subject', 'startsAt', 'endsAt', 'joinUrl'],
  attendees: ['emailAddress', 'name', 'kind', 'response'],
  recordings: ['id', 'meetingId', 'createdAt', 'endedAt', 'contentType', 'sizeBytes', 'storage', 'goneAt'],
  transcripts: ['id', 'meetingId', 'createdAt', 'endedAt', 'isSpeakerAttributed'],
} as const;

const FULL = {
  meeting: Object.keys(Prisma.OnlineMeetingScalarFieldEnum),
  attendees: Object.keys(Prisma.MeetingAttendeeScalarFieldEnum),
  recordings: Object.keys(Prisma.MeetingRecordingScalarFieldEnum),
  transcripts: Object.keys(Prisma.MeetingTranscriptScalarFieldEnum).filter((name) => name !== 'vtt'),
};

const LISTS: Record<keyof MeetingParts, { from: string; order: string }> = {
  attendees: { from: 'meeting_attendees p WHERE NOT p.is_removed AND', order: 'p.position' },
  recordings: { from: 'meeting_recordings p WHERE', order: 'p.created_at, p.id' },
  transcripts: { from: 'meeting_transcripts p WHERE', order: 'p.created_at, p.id' },
};
const PARTS = Object.keys(LISTS) as (keyof MeetingParts)[];

function columnOf(name: string): string {
  return name === 'iCalUid' ? 'ical_uid' : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function columns(of: keyof MeetingShape, detail: Detail, table: string): string {
  const names: readonly string[] = detail === 'card' ? CARD[of] : FULL[of];
  return names.map((name) => `${table}.${columnOf(name)} AS "${name}"`).join(', ');
}

const statements = new Map<string, PreparedStatement>();

/** One of some hundred statements: however many different operations are sent, there are no more. */
function statementFor(subject: Subject, shape: MeetingShape): PreparedStatement {
  const name = ['meetings', subject, shape.meeting, ...PARTS.map((part) => shape[part] ?? '')].join('-');
  const known = statements.get(name);
  if (known !== undefined) return known;
  const lists = PARTS.map((part) => {
    const detail = shape[part];
    if (detail === null) return '';
    const { from, order } = LISTS[part];
    return `, coalesce((SELECT json_agg(row_to_json(l)) FROM (SELECT ${columns(part, detail, 'p')} FROM ${from}
      p.tenant_id = $1 AND p.meeting_id = m.id ORDER BY ${order}) l), '[]') AS "${part}"`;
  });
  const statement = {
    name,
    text: `SELECT json_agg(row_to_json(r))::text FROM (
      SELECT ${columns('meeting', shape.meeting, 'm')}${lists.join('')} FROM online_meetings m
       WHERE m.tenant_id = $1 AND m.${columnOf(subject)} = ANY($2) AND ($3::text IS NULL OR m.client_id = $3)
       ORDER BY m.created_at) r`,
  };
  statements.set(name, statement);
  return statement;
}

type Dates<T> = Record<{ [Name in keyof T]-?: Date extends T[Name] ? Name : never }[keyof T], true>;

/** Complete by their types: an instant that is missing here does not compile. */
const MEETING_DATES = Object.keys({
  startsAt: true,
  endsAt: true,
  leasedUntil: true,
  lateCreateUntil: true,
  nextAttemptAt: true,
  failingSince: true,
  defaultsSince: true,
  defaultsNextAt: true,
  captureLastAttemptAt: true,
  captureNextAt: true,
  captureLeasedUntil: true,
  createdAt: true,
  updatedAt: true,
} satisfies Dates<Meeting>);
const PART_DATES: Record<keyof MeetingParts, string[]> = {
  attendees: Object.keys({ respondedAt: true } satisfies Dates<StoredAttendee>),
  recordings: Object.keys({
    createdAt: true,
    endedAt: true,
    capturedAt: true,
    goneAt: true,
    storedAt: true,
  } satisfies Dates<Recording>),
  transcripts: Object.keys({ createdAt: true, endedAt: true, capturedAt: true } satisfies Dates<TranscriptHead>),
};

type Row = Record<string, unknown>;

/** JSON has no instants. */
function readDates(row: Row, names: readonly string[]): void {
  for (const name of names) {
    const value = row[name];
    if (typeof value === 'string') row[name] = new Date(value);
  }
}

function read(json: string): MeetingWithParts[] {
  const rows = JSON.parse(json) as (Row & { [Part in keyof MeetingParts]?: Row[] })[];
  for (const row of rows) {
    readDates(row, MEETING_DATES);
    for (const part of PARTS) {
      for (const child of row[part] ?? []) readDates(child, PART_DATES[part]);
    }
    for (const recording of row.recordings ?? []) {
      if (typeof recording.sizeBytes === 'number') recording.sizeBytes = BigInt(recording.sizeBytes);
    }
  }
  return rows as unknown as MeetingWithParts[];
}

/**
 * The meeting of each appointment or interaction: the active one, else the newest cancelled one. One statement for any
 * number of them, the parts included.
 */
export type ReadBoard = (
  scope: Scope,
  subject: Subject,
  ids: readonly string[],
  shape: MeetingShape,
) => Promise<Map<string, MeetingWithParts>>;

/** Reads what boards show. Prisma would read it in four statements, and cost more than the database. */
export function makeReadBoard(visibility: ArtifactVisibility): ReadBoard {
  return async (scope, subject, ids, shape) => {
    const { viewer } = scope;
    const wantsArtifacts = shape.recordings !== null || shape.transcripts !== null;
    const seen =
      wantsArtifacts && !(await visibility.seesArtifacts(scope))
        ? { ...shape, recordings: null, transcripts: null }
        : shape;
    const clientId = viewer.kind === 'client' ? viewer.clientId : null;
    const json = await scope.db.readValue<string | null>(statementFor(subject, seen), [
      ids.filter(isStorable),
      clientId,
    ]);
    const found = new Map<string, MeetingWithParts>();
    for (const meeting of json === null ? [] : read(json)) {
      const id = meeting[subject];
      if (id === null) continue;
      const earlier = found.get(id);
      if (!isCancelled(meeting) || earlier === undefined || isCancelled(earlier)) found.set(id, meeting);
    }
    return found;
  };
}
