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
  recordings: ['id', 'createdAt', 'endedAt', 'contentType', 'sizeBytes', 'storage', 'goneAt'],
  transcripts: ['id', 'createdAt', 'endedAt', 'isSpeakerAttributed'],
} as const;

const FULL = {
  meeting: Object.keys(Prisma.OnlineMeetingScalarFieldEnum),
  attendees: Object.keys(Prisma.MeetingAttendeeScalarFieldEnum),
  recordings: Object.keys(Prisma.MeetingRecordingScalarFieldEnum),
  transcripts: Object.keys(Prisma.MeetingTranscriptScalarFieldEnum).filter((name) => name !== 'vtt'),
};

const LISTS: Record<keyof MeetingParts, { from: string; isShown: string; order: string }> = {
  attendees: { from: 'meeting_attendees', isShown: 'NOT p.is_removed', order: 'p.position' },
  recordings: { from: 'meeting_recordings', isShown: 'true', order: 'p.created_at, p.id' },
  transcripts: { from: 'meeting_transcripts', isShown: 'true', order: 'p.created_at, p.id' },
};
const PARTS = Object.keys(LISTS) as (keyof MeetingParts)[];

function columnOf(name: string): string {
  return name === 'iCalUid' ? 'ical_uid' : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function namesOf(of: keyof MeetingShape, detail: Detail): readonly string[] {
  return detail === 'card' ? CARD[of] : FULL[of];
}

/** Rows without their names, which would be half of what is sent. */
function cells(of: keyof MeetingShape, detail: Detail): string {
  return namesOf(of, detail)
    .map((name) => `p.${columnOf(name)}`)
    .join(', ');
}

type Dates<T> = { [Name in keyof T]-?: Date extends T[Name] ? Name : never }[keyof T];

/** Complete by its type: an instant that is missing here does not compile. */
const INSTANTS: Record<Dates<Meeting> | Dates<StoredAttendee> | Dates<Recording> | Dates<TranscriptHead>, true> = {
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
  respondedAt: true,
  endedAt: true,
  capturedAt: true,
  goneAt: true,
  storedAt: true,
};

type Cells = readonly unknown[];
type Row = Record<string, unknown>;

/** JSON has neither instants nor integers of 64 bits. */
function decoderOf(name: string): ((cell: unknown) => unknown) | null {
  if (name in INSTANTS) return (cell) => new Date(cell as string);
  return name === 'sizeBytes' ? (cell) => BigInt(cell as number) : null;
}

/** Makes the object of a row from its cells, of which the first `skipped` are something else. */
function makeReader(names: readonly string[], others: readonly string[], skipped: number): (cells: Cells) => Row {
  const readers = names.map((name) => ({ name, value: decoderOf(name) }));
  // All objects have one shape from the beginning, which is worth half of the time that reading takes.
  const blank = Object.fromEntries([...names, ...others].map((name) => [name, null]));
  return (row) => {
    const made: Row = { ...blank };
    let place = skipped;
    for (const { name, value } of readers) {
      const cell = row[place];
      place += 1;
      if (cell !== null) made[name] = value === null ? cell : value(cell);
    }
    return made;
  };
}

interface BoardQuery {
  statement: PreparedStatement;
  read(json: string): MeetingWithParts[];
}

/** The meetings that are found, and of each part all rows with the number of their meeting. */
function makeQuery(subject: Subject, shape: MeetingShape): BoardQuery {
  const asked = PARTS.flatMap((part) => {
    const detail = shape[part];
    return detail === null ? [] : [{ part, detail, ...LISTS[part] }];
  });
  const lists = asked.map(
    ({ part, detail, from, isShown, order }) => `,
      (SELECT json_agg(json_build_array(m.place, ${cells(part, detail)}) ORDER BY ${order})
         FROM found m JOIN ${from} p ON p.tenant_id = $1 AND p.meeting_id = m.id AND ${isShown})`,
  );
  const row = cells('meeting', shape.meeting);
  const isWanted = `p.tenant_id = $1 AND p.${columnOf(subject)} = ANY($2) AND ($3::text IS NULL OR p.client_id = $3)`;
  const readMeeting = makeReader(
    namesOf('meeting', shape.meeting),
    asked.map(({ part }) => part),
    0,
  );
  const readers = asked.map(({ part, detail }) => ({
    part,
    read: makeReader(namesOf(part, detail), ['meetingId'], 1),
  }));
  return {
    statement: {
      name: ['meetings', subject, shape.meeting, ...PARTS.map((part) => shape[part] ?? '')].join('-'),
      text:
        lists.length === 0
          ? `SELECT json_build_array((
              SELECT json_agg(json_build_array(${row}) ORDER BY p.created_at, p.id) FROM online_meetings p WHERE ${isWanted}))::text`
          : `WITH found AS MATERIALIZED (
              SELECT (row_number() OVER (ORDER BY p.created_at, p.id) - 1)::int AS place, p.* FROM online_meetings p WHERE ${isWanted})
             SELECT json_build_array((SELECT json_agg(json_build_array(${row}) ORDER BY p.place) FROM found p)${lists.join('')})::text`,
    },
    read(json) {
      const [meetings, ...parts] = JSON.parse(json) as (Cells[] | null)[];
      const found = (meetings ?? []).map(readMeeting);
      readers.forEach(({ part, read }, which) => {
        for (const meeting of found) meeting[part] = [];
        for (const row of parts[which] ?? []) {
          const meeting = found[row[0] as number];
          const made = read(row);
          made.meetingId = meeting?.id;
          (meeting?.[part] as Row[] | undefined)?.push(made);
        }
      });
      return found as unknown as MeetingWithParts[];
    },
  };
}

const queries = new Map<string, BoardQuery>();

/** One of some hundred queries: however many different operations are sent, there are no more. */
function queryFor(subject: Subject, shape: MeetingShape): BoardQuery {
  const key = `${subject}-${shape.meeting}-${shape.attendees}-${shape.recordings}-${shape.transcripts}`;
  let query = queries.get(key);
  if (query === undefined) {
    query = makeQuery(subject, shape);
    queries.set(key, query);
  }
  return query;
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
    const { statement, read } = queryFor(subject, seen);
    const json = await scope.db.readValue<string>(statement, [ids.filter(isStorable), clientId]);
    const found = new Map<string, MeetingWithParts>();
    for (const meeting of read(json)) {
      const id = meeting[subject];
      if (id === null) continue;
      const earlier = found.get(id);
      if (!isCancelled(meeting) || earlier === undefined || isCancelled(earlier)) found.set(id, meeting);
    }
    return found;
  };
}
