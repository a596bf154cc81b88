import type { AttendanceReport, MeetingRecording, MeetingTranscript } from '../../generated/prisma/client.ts';
import type { GraphAttendanceReport } from '../../graph/types.ts';
import { type Meeting, visibleMeetings } from '../meetings/meeting.ts';
import { groupBy, wellFormedIds } from '../meetings/meeting-reads.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { may } from '../viewer.ts';
import { type ArtifactCapture, captureOf, hiddenCapture } from './capture-state.ts';
import type { ArtifactVisibility } from './visibility.ts';

export type Recording = MeetingRecording;
/** A report with its records, as they were stored from Microsoft's. */
export type Attendance = Omit<AttendanceReport, 'records'> & { records: GraphAttendanceReport['records'] };
/** A transcript without its text, which can be megabytes. */
export type TranscriptHead = Omit<MeetingTranscript, 'vtt'>;

export interface ArtifactReads {
  /** One statement for any number of meetings; nothing for a viewer who may not see artifacts. Oldest first. */
  recordingsOf(scope: Scope, meetingIds: readonly string[]): Promise<Map<string, Recording[]>>;
  transcriptsOf(scope: Scope, meetingIds: readonly string[]): Promise<Map<string, TranscriptHead[]>>;
  /** One statement for any number of ids; what the viewer may not see is absent. */
  recordingsByIds(scope: Scope, ids: readonly string[]): Promise<Map<string, Recording>>;
  transcriptsByIds(scope: Scope, ids: readonly string[]): Promise<Map<string, TranscriptHead>>;
  /** Who was there is shown to the MSP's own users alone. Oldest first. */
  attendanceOf(scope: Scope, meetingIds: readonly string[]): Promise<Map<string, Attendance[]>>;
  /** How far the search for each meeting's artifacts has come, in the order given; hidden where artifacts are. */
  capturesOf(scope: Scope, meetings: readonly Meeting[]): Promise<ArtifactCapture[]>;
}

export function createArtifactReads(visibility: ArtifactVisibility, tools: Pick<ServiceTools, 'clock'>): ArtifactReads {
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

    async attendanceOf({ viewer, db }, meetingIds) {
      if (viewer.kind !== 'msp' || !may(viewer, 'teams_artifact:read')) return new Map();
      const rows = await db.run((prisma) =>
        prisma.attendanceReport.findMany({
          where: { meetingId: { in: wellFormedIds(meetingIds) } },
          orderBy: [{ startedAt: 'asc' }, { id: 'asc' }],
        }),
      );
      // Only the capture of attendance writes this column, from the same type.
      return groupBy(rows as unknown as Attendance[], (row) => row.meetingId);
    },

    async capturesOf(scope, meetings) {
      const now = tools.clock();
      const { kind } = scope.viewer;
      const sees = kind !== 'client' || (await visibility.seesArtifacts(scope));
      return meetings.map((meeting) => {
        if (!sees) return hiddenCapture(meeting, now);
        const capture = captureOf(meeting, now);
        // What went wrong between us and Microsoft is for the people who can mend it.
        return kind === 'client' ? { ...capture, failure: null } : capture;
      });
    },
  };
}
