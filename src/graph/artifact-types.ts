import type { CallOptions } from './call-options.ts';
import type { GraphRequestError } from './errors.ts';

/** What became of one of several reads that went out together: its value, or why that one failed. */
export type Outcome<T> = { value: T; error?: undefined } | { value?: undefined; error: GraphRequestError };

export interface GraphOnlineMeeting {
  id: string;
  joinWebUrl: string;
  subject: string | null;
  startsAt: Date | null;
  endsAt: Date | null;
  expiresAt: Date | null;
}

/** A recording or a transcript in a list: identity and times, never its content address. */
export interface GraphCallArtifact {
  id: string;
  meetingId: string | null;
  callId: string | null;
  contentCorrelationId: string | null;
  createdAt: Date;
  endedAt: Date | null;
}

/** Bytes that come as they are asked for. Who leaves a loop over them cancels what is left. */
export interface GraphContentBody extends AsyncIterable<Uint8Array> {
  /** Closes the connection. */
  cancel(): Promise<void>;
}

/** An open recording: the caller owns `body` and must consume or cancel it. */
export interface GraphContentStream {
  contentType: string;
  /** Where in the recording the body begins: 0, unless a range was asked for and is taken. */
  offset: number;
  /** Bytes in the body; null where that is not told. */
  contentLength: number | null;
  /** Bytes of the whole recording; null where that is not told. */
  size: number | null;
  /** Which version of the content this is, where that is told: a strong ETag. */
  tag: string | null;
  acceptsRanges: boolean;
  /** Whether the end of the body can be told from a broken connection: by a length or by chunks. */
  isEndMarked: boolean;
  body: GraphContentBody;
  requestId: string | null;
}

export interface GraphTranscriptContent {
  /** The bytes as Microsoft sent them. */
  vtt: Uint8Array<ArrayBuffer>;
  /** False when the directory forbids speaker attribution and the text came without names. */
  isSpeakerAttributed: boolean;
}

/** Options of a meeting; what is left out stays as it is. Microsoft Learn: onlinemeeting-update. */
export interface GraphMeetingOptions {
  recordAutomatically?: boolean;
  /** `lobbyBypassSettings.scope`: who gets in without waiting. Callers by telephone stay as they are. */
  lobbyBypassScope?: 'organizer' | 'invited' | 'organization' | 'everyone';
  /** `roleIsPresenter` is missing: it takes the full list of attendees with their roles. */
  allowedPresenters?: 'everyone' | 'organization' | 'organizer';
}

/** Online meetings of one organizer. Every method that answers with a single one may throw `GraphRequestError`. */
export interface GraphOnlineMeetings {
  /** @returns null when no meeting has this link (an empty list or a 404 with code NotFound). */
  findByJoinUrl(organizerObjectId: string, joinUrl: string, options?: CallOptions): Promise<GraphOnlineMeeting | null>;

  get(organizerObjectId: string, meetingId: string, options?: CallOptions): Promise<GraphOnlineMeeting>;

  /**
   * Changes the options of a meeting; times, attendees and the calendar event are left alone. Needs
   * `OnlineMeetings.ReadWrite.All` and the Teams policy; not offered in China (Microsoft Learn: onlinemeeting-update).
   */
  update(
    organizerObjectId: string,
    meetingId: string,
    options: GraphMeetingOptions,
    callOptions?: CallOptions,
  ): Promise<GraphOnlineMeeting>;

  /** `findByJoinUrl` for many links by `$batch`, 20 a round trip. @returns an entry for every link given. */
  findManyByJoinUrl(
    organizerObjectId: string,
    joinUrls: readonly string[],
    options?: CallOptions,
  ): Promise<Map<string, Outcome<GraphOnlineMeeting | null>>>;

  /** `get` for many ids by `$batch`, 20 a round trip. @returns an entry for every id given. */
  getMany(
    organizerObjectId: string,
    meetingIds: readonly string[],
    options?: CallOptions,
  ): Promise<Map<string, Outcome<GraphOnlineMeeting>>>;
}

export type GraphArtifactKind = 'recordings' | 'transcripts';

/** What a meeting has; the two lists are read apart and fail apart. */
export interface GraphMeetingArtifacts {
  recordings: Outcome<GraphCallArtifact[]>;
  transcripts: Outcome<GraphCallArtifact[]>;
}

/** Artifacts that were created in this time; the end included or not is Microsoft's choice and not documented. */
export interface GraphArtifactWindow {
  startsAt: Date;
  endsAt: Date;
}

export interface GraphArtifactChanges {
  /** Each once, though some may have been told in earlier rounds already. Never a deletion: Microsoft tells none. */
  artifacts: GraphCallArtifact[];
  /** Begins the next round. */
  deltaLink: string;
  /** `artifacts` is everything in the window, not only what came since the last round. */
  isFullRead: boolean;
}

/**
 * Recordings and transcripts of many meetings of one organizer. Reads go out by `$batch`, 20 a call. The methods throw
 * for what concerns the whole call: the caller's signal, and in `changes` a `GraphRequestError`.
 */
export interface GraphArtifacts {
  /**
   * The lists of recordings and transcripts of each meeting: 1,000 meetings are 100 round trips, and more only where
   * Microsoft throttles or a list has several pages. One list's failure is that list's alone; a `$batch` that failed
   * as a whole, all tries included, is the failure of each list in it.
   * @returns an entry for every id given.
   */
  listOfMeetings(
    organizerObjectId: string,
    meetingIds: readonly string[],
    options?: CallOptions,
  ): Promise<Map<string, GraphMeetingArtifacts>>;

  /** The same for one kind alone: 1,000 meetings are 50 round trips. */
  listOfKind(
    kind: GraphArtifactKind,
    organizerObjectId: string,
    meetingIds: readonly string[],
    options?: CallOptions,
  ): Promise<Map<string, Outcome<GraphCallArtifact[]>>>;

  /**
   * All artifacts of the organizer's meetings that were created in the window, or what came since the round that gave
   * the `deltaLink`. When Microsoft no longer knows a link, everything in the window is read and `isFullRead` is true,
   * provided the window is given beside the link; without it the failure is NOT_FOUND.
   *
   * Microsoft leaves out recordings of meetings without transcription (Microsoft Learn: known-issues), so this never
   * replaces `listOfMeetings`.
   */
  changes(
    kind: GraphArtifactKind,
    organizerObjectId: string,
    from: (GraphArtifactWindow & { deltaLink?: string }) | { deltaLink: string },
    options?: CallOptions,
  ): Promise<GraphArtifactChanges>;
}

export interface GraphAttendanceRecord {
  /** Null for guests and for callers by telephone. */
  emailAddress: string | null;
  name: string | null;
  /** Microsoft's value: Organizer, Presenter, Attendee. */
  role: string | null;
  totalSeconds: number;
}

/** Who attended one call of a meeting. */
export interface GraphAttendanceReport {
  id: string;
  startedAt: Date;
  endedAt: Date;
  participantCount: number;
  records: GraphAttendanceRecord[];
}

export interface GraphAttendance {
  /**
   * The reports of each meeting, one a call, with all their records; by `$batch`, so that 1,000 meetings without
   * reports are 50 round trips. Needs `OnlineMeetingArtifact.Read.All`. Reports whose records could not be read are left
   * out, with the reason beside those that could.
   * @returns an entry for every id given.
   */
  listOfMeetings(
    organizerObjectId: string,
    meetingIds: readonly string[],
    options?: CallOptions,
  ): Promise<Map<string, { reports: GraphAttendanceReport[]; error: GraphRequestError | null }>>;
}
