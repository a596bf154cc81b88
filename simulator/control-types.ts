/**
 * The vocabulary of the control API under `/_simulator/`: what tests and the demo may put into the simulated
 * Microsoft and read out of it. Times are ISO 8601 in UTC; durations name their unit.
 */

import type { ParticipantInput } from './control-artifact-types.ts';

export type * from './control-artifact-types.ts';
export type * from './control-subscription-types.ts';

/** A directory (Microsoft Entra tenant). The transcript switches are off by default, as Microsoft ships them. */
export interface DirectoryInput {
  id: string;
  /** A verified domain; may stand for the id in Entra's addresses. */
  domain: string;
  displayName?: string;
  /** `EnableGraphTranscriptAccess`; default false. */
  graphTranscriptAccess?: boolean;
  /** `EnableAttributedTranscripts`; default false. */
  attributedTranscripts?: boolean;
  /** Apps in the Teams application access policy granted with `-Global`; default none. */
  globalTeamsPolicyAppIds?: string[];
}

/** An app registration with its service principal in one directory. */
export interface AppInput {
  directoryId: string;
  clientId: string;
  displayName?: string;
  /** `expiresAt` absent: never expires. */
  secrets?: { value: string; expiresAt?: string }[];
  /** Public certificates (PEM) that may sign client assertions. */
  certificates?: string[];
  /** App roles with admin consent, e.g. `Calendars.ReadWrite`. A change shows in new tokens only. */
  roles?: string[];
  /** The service principal is disabled. */
  disabled?: boolean;
  /** Life of an access token; default 3599. */
  tokenLifetimeSeconds?: number;
}

export interface UserInput {
  directoryId: string;
  /** Object id, a lower-case GUID. */
  id: string;
  userPrincipalName: string;
  displayName?: string;
  /** Default: the userPrincipalName. Null: no mail address. */
  mail?: string | null;
  accountEnabled?: boolean;
  /** Has an Exchange Online mailbox; default true. */
  hasMailbox?: boolean;
  /** Licensed for Teams, so the calendar allows `teamsForBusiness`; default true. */
  teamsEnabled?: boolean;
  /** Apps in the user's own application access policy, or `global`: no own policy, the directory's counts (default). */
  teamsPolicyAppIds?: string[] | 'global';
  /** Apps that Exchange lets into the mailbox, or `every` (default). An empty list blocks all. */
  exchangeScopeAppIds?: string[] | 'every';
  /** Apps to which Exchange itself grants this calendar (RBAC for Applications), whatever their token; default none. */
  exchangeRoleAppIds?: string[];
  /** A new event shows its join link only after this many GETs; default 0. */
  joinUrlDelayGets?: number;
  /** `classic`: `/l/meetup-join/…` (default). `short`: `/meet/{digits}?p=…`. */
  joinUrlFormat?: 'classic' | 'short';
}

/** Everything `load` puts in at once. */
export interface WorldDescription {
  directories: DirectoryInput[];
  apps: AppInput[];
  users: UserInput[];
}

export interface EventSummary {
  /** The default id, as answered without `Prefer: IdType="ImmutableId"`. */
  id: string;
  immutableId: string;
  iCalUId: string;
  subject: string;
  startsAt: string;
  endsAt: string;
  attendees: { address: string; name: string; response: string }[];
  isOnlineMeeting: boolean;
  /** Null without a Teams meeting; told here even while Graph still hides it. */
  joinUrl: string | null;
  meetingId: string | null;
  transactionId: string | null;
  /** Values of the single-value extended properties by the name in their id. */
  extendedProperties: Record<string, string>;
  bodyHtml: string;
}

export interface MeetingSummary {
  id: string;
  organizerId: string;
  /** Default id of the calendar event; null for a standalone meeting or when the event is gone. */
  eventId: string | null;
  subject: string | null;
  joinWebUrl: string;
  startsAt: string;
  endsAt: string;
  expiresAt: string;
  recordingIds: string[];
  transcriptIds: string[];
}

/** One mail that Exchange would have sent to an attendee. */
export interface SentMail {
  kind: 'invitation' | 'update' | 'cancellation';
  directoryId: string;
  from: string;
  to: string;
  subject: string;
  /** What was said with a cancellation. */
  comment: string | null;
  at: string;
}

/** What the organizer changes in Outlook; absent fields stay. */
export interface EventChangeInput {
  directoryId: string;
  /** Object id or userPrincipalName. */
  user: string;
  /** The default or the immutable id. */
  eventId: string;
  subject?: string;
  startsAt?: string;
  endsAt?: string;
}

/** One thing that was said. Without `startSeconds` it follows the one before it. */
export interface Utterance {
  speaker: string;
  text: string;
  /** Offset from the start of the part; may be negative. */
  startSeconds?: number;
  /** Default 3. */
  seconds?: number;
}

/** Names the meeting by exactly one of `eventId`, `meetingId` and `joinUrl`. */
export interface MeetingTookPlaceInput {
  directoryId: string;
  eventId?: string;
  meetingId?: string;
  joinUrl?: string;
  /** Default: the meeting's start. */
  startedAt?: string;
  /** Default: the meeting's own length. The parts share it evenly. */
  durationSeconds?: number;
  /** Number of recordings, each one part of the call; default 1. */
  recordings?: number;
  /** Number of transcripts; default 1. */
  transcripts?: number;
  /** Who attended; default: those who speak in `utterances`, from beginning to end. One report is made for a call. */
  participants?: ParticipantInput[];
  /** Said in every transcript; an empty list makes transcripts without words. Default: a short dialogue. */
  utterances?: Utterance[];
  spokenLanguage?: string;
  /** Verbatim bytes of the attributed transcript, instead of what `utterances` would give. */
  rawVtt?: string;
  /** Recordings have at least this many bytes (padding in a `free` box); default: as small as they are. */
  minRecordingBytes?: number;
  /** Artifacts show up in lists only this long after the call; default 0, even for a call in the future. */
  availableAfterSeconds?: number;
}

export interface MeetingTookPlaceResult {
  meetingId: string;
  joinWebUrl: string;
  organizerId: string;
  callId: string;
  recordings: { id: string; contentCorrelationId: string; createdDateTime: string; endDateTime: string }[];
  transcripts: { id: string; contentCorrelationId: string; createdDateTime: string; endDateTime: string }[];
  attendanceReportId: string;
}

/** What goes wrong, where, how often. The oldest fault that matches is used first. */
export interface FaultInput {
  /** `path` is a regular expression (case-insensitive) tried on the percent-decoded path with its query. */
  match?: { method?: string; path?: string };
  /** Default 1; null: until the faults are cleared. */
  times?: number | null;
  /** From 0 to 1: strikes each matching call with this chance, by the seed of `seedFaults`. Default: strikes always. */
  probability?: number;
  /** Answer this. Without it the call goes on (after `delayMs`). */
  status?: number;
  /** An object is sent as JSON, a string as it is, null as nothing. Default: Microsoft's usual body for the status. */
  body?: Record<string, unknown> | string | null;
  /** Default: none, but `Retry-After: 10` for a 429. */
  headers?: Record<string, string>;
  /** Waits before anything else; the call counts as concurrent meanwhile. */
  delayMs?: number;
  /** Resets the connection before or after the work is done. */
  cut?: 'before' | 'after';
  /** With `status`: do the work first, then answer with the fault. */
  after?: boolean;
  /** Streams of content: resets the connection after this many bytes. */
  cutAfterBytes?: number;
  /** Streams of content: waits this long between chunks of 16 KiB. */
  chunkDelayMs?: number;
}

export interface LoggedRequest {
  at: string;
  /** Who answered: `entra`, `graph` or `media` (the second host of redirected content). */
  host: 'entra' | 'graph' | 'media';
  method: string;
  /** As received, still percent-encoded, without the query. */
  path: string;
  query: Record<string, string>;
  /** Lower-case names. Credentials are replaced by their scheme. */
  headers: Record<string, string>;
  /** Parsed JSON of a Graph call, else null. Never Entra's form. */
  body: unknown;
  /** Null while under way or when the connection was cut. */
  status: number | null;
  requestId: string;
}

export interface MailboxConcurrency {
  directoryId: string;
  appId: string;
  userId: string;
  current: number;
  max: number;
}

export interface PagingInput {
  /** Items per page when the caller sends no `$top`; default 10 for events, 100 elsewhere. */
  pageSize?: number | null;
  /** Lists begin with an empty page that has a nextLink; default false. */
  emptyPageFirst?: boolean;
}

/**
 * How recording content is served: with ranges, plainly and without length, whole with its length whatever range is asked
 * for, or by a redirect to another host. Only a plain 200 is documented.
 */
export type ContentMode = 'range' | 'plain' | 'length' | 'redirect';

/** How a JoinWebUrl filter without a match is answered; both have been seen. */
export type JoinUrlMiss = 'empty' | 'notFound';

/** Whether an event in Deleted Items is no longer found (default), or still served by its immutable id; not documented. */
export type DeletedItemsBehaviour = 'gone' | 'readable';

/** Whether a PATCH or DELETE with an `If-Match` of another version is refused (default) or served; not documented. */
export type IfMatchBehaviour = 'checked' | 'ignored';

/**
 * How long a transactionId counts: until its event is gone (default), or also after that, so that a create with it is
 * refused with the id of the event that is gone; not documented.
 */
export type TransactionMemory = 'untilDeleted' | 'forever';

/** Whether a filter on an extended property may be combined with others by `and`; default served; not documented. */
export interface MarkerFilterBehaviour {
  combined: 'served' | 'refused';
}
