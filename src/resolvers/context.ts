import type DataLoader from 'dataloader';
import type { GraphQLError } from 'graphql';
import type { Attendance, Recording, TranscriptHead } from '../services/artifacts/artifact-reads.ts';
import type { ArtifactCapture } from '../services/artifacts/capture-state.ts';
import type { Meeting, StoredAttendee } from '../services/meetings/meeting.ts';
import type { MeetingShape, MeetingWithParts } from '../services/meetings/meeting-board.ts';
import type { Scope } from '../services/scope.ts';
import type { Services } from '../services/services.ts';
import type { Settings } from '../services/settings/settings.ts';
import type { CueRange } from '../services/transcripts/transcript-reads.ts';
import type { Cue, ParsedTranscript } from '../services/transcripts/vtt.ts';
import type { Viewer } from '../services/viewer.ts';

/** An appointment or interaction, and what its operation asks of meetings. */
export interface BoardKey {
  id: string;
  shape: MeetingShape;
}

/** Made for one request: what was loaded once in it is not asked for again. */
export interface Loaders {
  meetingById: DataLoader<string, Meeting | null>;
  recordingById: DataLoader<string, Recording | null>;
  transcriptById: DataLoader<string, TranscriptHead | null>;
  meetingByAppointment: DataLoader<BoardKey, MeetingWithParts | null, string>;
  meetingByInteraction: DataLoader<BoardKey, MeetingWithParts | null, string>;
  attendeesByMeeting: DataLoader<string, StoredAttendee[]>;
  recordingsByMeeting: DataLoader<string, Recording[]>;
  transcriptsByMeeting: DataLoader<string, TranscriptHead[]>;
  attendanceByMeeting: DataLoader<string, Attendance[]>;
  /** How far the search for a meeting's artifacts has come, as far as the viewer may know. */
  captureByMeeting: DataLoader<Meeting, ArtifactCapture, string>;
  /** A transcript of which nothing is derived yet, parsed, by transcript id. */
  parsedTranscript: DataLoader<string, ParsedTranscript>;
  /** Some cues of a transcript of which everything is derived. */
  cuesInRange: DataLoader<CueRange, Cue[], string>;
}

export interface GraphQLContext {
  /** Null without a valid token. */
  viewer: Viewer | null;
  /** Why there is no viewer, as the error to answer with. */
  refusal(): GraphQLError;
  /** The viewer with the database of their tenant. Throws UNAUTHENTICATED without a viewer. */
  readonly scope: Scope;
  readonly loaders: Loaders;
  services: Services;
  /** The tenant's settings, read once a request; null when nothing was set. */
  settings(): Promise<Settings | null>;
}
