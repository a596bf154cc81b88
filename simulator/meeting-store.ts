import type { Utterance } from './control-types.ts';
import type { Json } from './errors.ts';

export interface OnlineMeeting {
  id: string;
  directoryId: string;
  organizerId: string;
  threadId: string;
  joinWebUrl: string;
  joinMeetingId: string;
  passcode: string;
  conferenceId: string;
  /** False for a meeting made by POST onlineMeetings: it has no artifacts API. */
  isCalendarBacked: boolean;
  createdAt: Date;
  startsAt: Date;
  endsAt: Date;
  expiresAt: Date;
  subject: string | null;
  /** Addresses on the invitation, lower case: these users may read the meeting by id too. */
  invitedAddresses: string[];
  /** Settings as patched, over the defaults of the view. */
  settings: Json;
  recordings: Recording[];
  transcripts: Transcript[];
  attendanceReports: AttendanceReport[];
  /** Recordings and transcripts that were there once. */
  removedArtifactIds: Set<string>;
}

/** Who attended one call. */
export interface AttendanceReport {
  id: string;
  startedAt: Date;
  endedAt: Date;
  /** Lists leave it out before. */
  availableAt: Date;
  participants: {
    id: string;
    name: string;
    emailAddress: string | null;
    role: string;
    userId: string | null;
    seconds: number;
  }[];
}

/** What recordings and transcripts have in common. */
export interface CallArtifact {
  id: string;
  callId: string;
  contentCorrelationId: string;
  createdAt: Date;
  endedAt: Date;
  /** Lists leave it out before. */
  availableAt: Date;
  /** Subscribers have been told, or there was none to tell. */
  isAnnounced: boolean;
}

export interface Recording extends CallArtifact {
  /** Which part of the call it is, from 0; parts have different pictures. */
  part: number;
  minBytes: number;
}

export interface Transcript extends CallArtifact {
  utterances: Utterance[];
  spokenLanguage: string;
  rawVtt: string | null;
}

/** A place in a list over all of an organizer's meetings, known by an opaque token. */
export interface ArtifactPlace {
  collection: 'recordings' | 'transcripts';
  organizerId: string;
  from: number;
  until: number;
  /** Ids of the pages that are still to come; empty for the place between two rounds of change tracking. */
  pages: string[][];
  /** Ids that were told, in this round and before. */
  told: string[];
}

export interface MeetingStore {
  byId: Map<string, OnlineMeeting>;
  byJoinUrl: Map<string, OnlineMeeting>;
  byJoinMeetingId: Map<string, OnlineMeeting>;
}

export function createMeetingStore(): MeetingStore {
  return { byId: new Map(), byJoinUrl: new Map(), byJoinMeetingId: new Map() };
}

export function addMeeting(store: MeetingStore, meeting: OnlineMeeting): void {
  store.byId.set(meeting.id, meeting);
  store.byJoinUrl.set(meeting.joinWebUrl, meeting);
  store.byJoinMeetingId.set(meeting.joinMeetingId, meeting);
}

export function removeMeeting(store: MeetingStore, meeting: OnlineMeeting): void {
  store.byId.delete(meeting.id);
  store.byJoinUrl.delete(meeting.joinWebUrl);
  store.byJoinMeetingId.delete(meeting.joinMeetingId);
}

const EXPIRY_MS = 60 * 24 * 60 * 60 * 1000;

/** A meeting expires 60 days after its end, last change or last use. Source: Microsoft Learn, onlineMeeting. */
export function extendExpiry(meeting: OnlineMeeting, lastUse: Date): void {
  const latest = Math.max(meeting.endsAt.getTime(), lastUse.getTime());
  meeting.expiresAt = new Date(Math.max(meeting.expiresAt.getTime(), latest + EXPIRY_MS));
}

/** The user's meetings, oldest first. */
export function meetingsOf(store: MeetingStore, directoryId: string, organizerId: string): OnlineMeeting[] {
  return [...store.byId.values()].filter(
    (meeting) => meeting.directoryId === directoryId && meeting.organizerId === organizerId,
  );
}
