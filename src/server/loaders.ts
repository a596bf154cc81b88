import DataLoader from 'dataloader';
import type { BoardKey, Loaders } from '../resolvers/context.ts';
import type { MeetingWithParts, Subject } from '../services/meetings/meeting-board.ts';
import type { Scope } from '../services/scope.ts';
import type { Services } from '../services/services.ts';
import type { ParsedTranscript } from '../services/transcripts/vtt.ts';

/** A loader over a batch function that answers with a map; what is not in the map is `missing`. */
function loader<T, M>(
  fetch: (keys: readonly string[]) => Promise<Map<string, T>>,
  missing: () => M,
): DataLoader<string, T | M> {
  return new DataLoader<string, T | M>(async (keys) => {
    const found = await fetch(keys);
    return keys.map((key) => found.get(key) ?? missing());
  });
}

/** Ours are UUIDs, compared without regard to case, as Postgres does; the database writes them in lower case. */
function byOwnId<T>(fetch: (ids: readonly string[]) => Promise<Map<string, T>>): DataLoader<string, T | null> {
  return new DataLoader<string, T | null>(
    async (ids) => {
      const found = await fetch(ids);
      return ids.map((id) => found.get(id.toLowerCase()) ?? null);
    },
    { cacheKeyFn: (id) => id.toLowerCase() },
  );
}

const empty = (): never[] => [];
const unread = (): ParsedTranscript => ({ cues: [], unparsedLines: [] });

/** The loaders of one request: each turns any number of loads of one tick into one statement. */
export function createLoaders(services: Services, scope: Scope): Loaders {
  const { meetings, artifacts, transcripts } = services;
  // All keys of a request come from one operation, and with the shape that it has.
  const onBoard = (subject: Subject) =>
    new DataLoader<BoardKey, MeetingWithParts | null, string>(
      async (keys) => {
        const [first] = keys;
        if (first === undefined) return [];
        const ids = keys.map(({ id }) => id);
        const found = await services.readBoard(scope, subject, ids, first.shape);
        return ids.map((id) => found.get(id) ?? null);
      },
      { cacheKeyFn: ({ id }) => id },
    );
  const loaders: Loaders = {
    meetingById: byOwnId((ids) => meetings.byIds(scope, ids)),
    recordingById: byOwnId((ids) => artifacts.recordingsByIds(scope, ids)),
    transcriptById: byOwnId((ids) => artifacts.transcriptsByIds(scope, ids)),
    meetingByAppointment: onBoard('appointmentId'),
    meetingByInteraction: onBoard('interactionId'),
    attendeesByMeeting: loader((ids) => meetings.attendeesOf(scope, ids), empty),
    recordingsByMeeting: loader((ids) => artifacts.recordingsOf(scope, ids), empty),
    transcriptsByMeeting: loader((ids) => artifacts.transcriptsOf(scope, ids), empty),
    attendanceByMeeting: loader((ids) => artifacts.attendanceOf(scope, ids), empty),
    captureByMeeting: new DataLoader((rows) => artifacts.capturesOf(scope, rows), { cacheKeyFn: ({ id }) => id }),
    parsedTranscript: loader((ids) => transcripts.parsed(scope, ids), unread),
    cuesInRange: new DataLoader((ranges) => transcripts.cues(scope, ranges), {
      cacheKeyFn: ({ transcript, from, to }) => `${transcript.id}:${from}:${to}`,
    }),
  };
  return loaders;
}
