import type { MeetingParts, MeetingWithParts } from '../services/meetings/meeting-board.ts';
import type { Loaders } from './context.ts';

type Part<Name extends keyof MeetingParts> = MeetingParts[Name] | Promise<MeetingParts[Name]>;

/** The attendees as they were read with the meeting, else those that are read together for all meetings. */
export function attendeesOf({ id, attendees }: MeetingWithParts, loaders: Loaders): Part<'attendees'> {
  return attendees ?? loaders.attendeesByMeeting.load(id);
}

/** The recordings, likewise. */
export function recordingsOf({ id, recordings }: MeetingWithParts, loaders: Loaders): Part<'recordings'> {
  return recordings ?? loaders.recordingsByMeeting.load(id);
}

/** The transcripts, likewise. */
export function transcriptsOf({ id, transcripts }: MeetingWithParts, loaders: Loaders): Part<'transcripts'> {
  return transcripts ?? loaders.transcriptsByMeeting.load(id);
}
