import type { MeetingRecording, MeetingTranscript } from '../../generated/prisma/client.ts';
import { visibleMeetings } from '../meetings/meeting.ts';
import { groupBy, wellFormedIds } from '../meetings/meeting-reads.ts';
import type { Scope } from '../scope.ts';
import type { ArtifactVisibility } from './visibility.ts';

export type Recording = MeetingRecording;
/** A transcript without its text, which can be megabytes. */
export type TranscriptHead = Omit<MeetingTranscript, 'vtt'>;

export interface ArtifactReads {
  /** One statement for any number of meetings; nothing for a viewer who may not see artifacts. Oldest first. */
  recordingsOf(scope: Scope, meetingIds: readonly string[]): Promise<Map<string, Recording[]>>;
  transcriptsOf(scope: Scope, meetingIds: readonly string[]): Promise<Map<string, TranscriptHead[]>>;
  /** One statement for any number of ids; what the viewer may not see is absent. */
  recordingsByIds(scope: Scope, ids: readonly string[]): Promise<Map<string, Recording>>;
  transcriptsByIds(scope: Scope, ids: readonly string[]): Promise<Map<string, TranscriptHead>>;
}

export function createArtifactReads(visibility: ArtifactVisibility): ArtifactReads {
  return {
    async recordingsOf(scope, meetingIds) {
      if (!(await visibility.seesArtifacts(scope))) return new Map();
      const rows = await scope.db.run((prisma) =>
        prisma.meetingRecording.findMany({
          where: { meetingId: { in: wellFormedIds(meetingIds) }, meeting: visibleMeetings(scope.viewer) },
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        }),
      );
      return groupBy(rows, (row) => row.meetingId);
    },

    async transcriptsOf(scope, meetingIds) {
      if (!(await visibility.seesArtifacts(scope))) return new Map();
      const rows = await scope.db.run((prisma) =>
        prisma.meetingTranscript.findMany({
          where: { meetingId: { in: wellFormedIds(meetingIds) }, meeting: visibleMeetings(scope.viewer) },
          omit: { vtt: true },
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        }),
      );
      return groupBy(rows, (row) => row.meetingId);
    },

    async recordingsByIds(scope, ids) {
      if (!(await visibility.seesArtifacts(scope))) return new Map();
      const rows = await scope.db.run((prisma) =>
        prisma.meetingRecording.findMany({
          where: { id: { in: wellFormedIds(ids) }, meeting: visibleMeetings(scope.viewer) },
        }),
      );
      return new Map(rows.map((row) => [row.id, row]));
    },

    async transcriptsByIds(scope, ids) {
      if (!(await visibility.seesArtifacts(scope))) return new Map();
      const rows = await scope.db.run((prisma) =>
        prisma.meetingTranscript.findMany({
          where: { id: { in: wellFormedIds(ids) }, meeting: visibleMeetings(scope.viewer) },
          omit: { vtt: true },
        }),
      );
      return new Map(rows.map((row) => [row.id, row]));
    },
  };
}
