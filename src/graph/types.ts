/**
 * What the rest of the subgraph sees of Microsoft Graph: plain data and a small client per Microsoft app.
 * Nothing here knows of tenants, databases or GraphQL; the shapes follow Microsoft's own names.
 */

/** The sovereign clouds in which an app registration can live. */
export type MicrosoftCloudName = 'GLOBAL' | 'US_GOV_L4' | 'US_GOV_L5' | 'CHINA';

/** How an app registration proves who it is. The PEM pair is for certificates; both kinds are secrets. */
export type AppCredential =
  | { kind: 'CLIENT_SECRET'; clientSecret: string }
  | { kind: 'CERTIFICATE'; certificatePem: string; privateKeyPem: string };

/** One app registration in one directory (Microsoft's tenant), with its credential. */
export interface MicrosoftAppRegistration {
  clientId: string;
  directoryId: string;
  cloud: MicrosoftCloudName;
  credential: AppCredential;
}

/** A user of the directory, as `GET /users/{id}` answers with the `$select` that we send. */
export interface GraphUser {
  id: string;
  userPrincipalName: string;
  displayName: string | null;
  mail: string | null;
  accountEnabled: boolean | null;
}

/** The default calendar of a mailbox, reduced to what tells whether Teams meetings can be made in it. */
export interface GraphCalendar {
  id: string;
  allowedOnlineMeetingProviders: string[];
  defaultOnlineMeetingProvider: string | null;
}

/** An instant on the wire of a calendar event is UTC text; in this module it is always a `Date`. */
export interface GraphEvent {
  id: string;
  iCalUId: string | null;
  subject: string;
  startsAt: Date;
  endsAt: Date;
  isOnlineMeeting: boolean;
  /** `onlineMeeting.joinUrl`; null when Exchange has not attached the Teams meeting (yet). */
  joinUrl: string | null;
  isCancelled: boolean;
  /** HTML as Exchange holds it, with Teams' own join block; empty unless asked for. */
  bodyHtml: string;
  attendees: GraphEventAttendee[];
  /** Changes with every change of the event, an attendee's answer included; for `If-Match`. */
  etag: string | null;
  /** What the create was sent with; null for an event that was made without one. */
  transactionId: string | null;
}

/** By what an event is known as ours, whoever lost its id: stored in the event, invisible in Outlook. */
export interface EventMarkers {
  tenantId: string;
  meetingId: string;
}

export interface MarkedEvent {
  event: GraphEvent;
  meetingId: string | null;
}

/** What a calendar says since it was last read. */
export interface CalendarChanges {
  changed: GraphEvent[];
  /** Deleted, or moved out of the window: only reading the event tells which. */
  removedIds: string[];
  /** For the next read. */
  deltaLink: string;
  /** Everything in the window was read, not only what changed. */
  isFullRead: boolean;
}

export interface GraphEventAttendee {
  emailAddress: string;
  name: string | null;
  /** Microsoft's value: none, organizer, tentativelyAccepted, accepted, declined, notResponded. */
  response: string;
  respondedAt: Date | null;
}

/** The wanted content of a calendar-backed Teams meeting. `bodyHtml` is already escaped by the caller. */
export interface GraphEventDraft {
  subject: string;
  startsAt: Date;
  endsAt: Date;
  bodyHtml: string;
  attendees: { emailAddress: string; name: string | null }[];
  /** Makes a repeated create return the first event instead of a second one. */
  transactionId: string;
  markers?: EventMarkers;
}

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

/** An open recording: the caller owns `body` and must consume or cancel it. */
export interface GraphContentStream {
  /** 200 or 206. */
  status: number;
  contentType: string;
  contentLength: number | null;
  contentRange: string | null;
  acceptsRanges: boolean;
  body: ReadableStream<Uint8Array>;
  requestId: string | null;
}

export interface GraphTranscriptContent {
  /** The bytes as Microsoft sent them. */
  vtt: string;
  /** False when the directory forbids speaker attribution and the text came without names. */
  isSpeakerAttributed: boolean;
}

/** Everything this product asks of Microsoft for one app registration. Every method may throw `GraphRequestError`. */
export interface GraphClient {
  /** Gets a token (cached) and returns the app roles in it; empty set when the token has none. */
  grantedRoles(options?: CallOptions): Promise<ReadonlySet<string>>;
  users: {
    /** @param user object id or userPrincipalName */
    get(user: string, options?: CallOptions): Promise<GraphUser>;
  };
  events: {
    defaultCalendar(userId: string, options?: CallOptions): Promise<GraphCalendar>;
    create(userId: string, draft: GraphEventDraft, options?: CallOptions): Promise<GraphEvent>;
    /** `includeBody` fills `bodyHtml`; it needs more than `Calendars.ReadBasic`. */
    get(userId: string, eventId: string, options?: CallOptions & { includeBody?: boolean }): Promise<GraphEvent>;
    /** Sends only what is given. Never touches the body, so Teams' join block stays. */
    update(
      userId: string,
      eventId: string,
      change: Partial<Pick<GraphEventDraft, 'subject' | 'startsAt' | 'endsAt' | 'attendees'>>,
      /** `ifMatch`: an etag; the change is refused with CHANGED when the event has another one by now. */
      options?: CallOptions & { ifMatch?: string },
    ): Promise<GraphEvent>;
    /** Cancels and mails the comment to the attendees. Succeeds for what is gone; refused for an event without attendees. */
    cancel(userId: string, eventId: string, comment: string | null, options?: CallOptions): Promise<void>;
    /** The events that carry these markers; more than one only after a fault. */
    findByMeeting(userId: string, markers: EventMarkers, options?: CallOptions): Promise<GraphEvent[]>;
    /** Every event in the range that carries the tenant's marker. */
    listMarked(
      userId: string,
      tenantId: string,
      options: CallOptions & { startsFrom: Date; startsBefore: Date },
    ): Promise<MarkedEvent[]>;
    /**
     * What changed in a window of the calendar since `deltaLink`; all of it without one, and when Microsoft has
     * forgotten the link (Microsoft Learn: event-delta).
     */
    changes(
      userId: string,
      window: { from: Date; until: Date; deltaLink: string | null },
      options?: CallOptions,
    ): Promise<CalendarChanges>;
    /** Deleting what is already gone succeeds. */
    delete(userId: string, eventId: string, options?: CallOptions): Promise<void>;
  };
  onlineMeetings: {
    /** @returns null when no meeting has this link (an empty list or a 404 with code NotFound). */
    findByJoinUrl(
      organizerObjectId: string,
      joinUrl: string,
      options?: CallOptions,
    ): Promise<GraphOnlineMeeting | null>;
    get(organizerObjectId: string, meetingId: string, options?: CallOptions): Promise<GraphOnlineMeeting>;
  };
  recordings: {
    list(organizerObjectId: string, meetingId: string, options?: CallOptions): Promise<GraphCallArtifact[]>;
    /** Streams; a redirect to another host is followed without the token. `range` is a Range header's value. */
    openContent(
      organizerObjectId: string,
      meetingId: string,
      recordingId: string,
      options?: CallOptions & { range?: string },
    ): Promise<GraphContentStream>;
  };
  transcripts: {
    list(organizerObjectId: string, meetingId: string, options?: CallOptions): Promise<GraphCallArtifact[]>;
    content(
      organizerObjectId: string,
      meetingId: string,
      transcriptId: string,
      options?: CallOptions,
    ): Promise<GraphTranscriptContent>;
  };
}

export interface CallOptions {
  signal?: AbortSignal;
  /** Instead of the service's own limit; 1 sends it once. */
  maxTries?: number;
}

/** Hands out one shared client per app registration and credential, so that concurrent callers share one token. */
export interface GraphService {
  forApp(app: MicrosoftAppRegistration): GraphClient;
  /** Forgets the client and its tokens, e.g. when the credential was replaced or consent has just been given. */
  forget(app: MicrosoftAppRegistration): void;
}

/** The causes that a person can act upon, told apart by status, code and innermost code; never by message alone. */
export type GraphFailureKind =
  | 'CREDENTIALS_REJECTED'
  | 'APP_NOT_FOUND'
  | 'DIRECTORY_NOT_FOUND'
  | 'ROLE_MISSING'
  | 'TEAMS_POLICY_MISSING'
  | 'EXCHANGE_SCOPE_DENIED'
  | 'USER_NOT_FOUND'
  | 'MAILBOX_UNAVAILABLE'
  | 'TRANSCRIPT_ACCESS_DISABLED'
  | 'SPEAKER_ATTRIBUTION_DISABLED'
  | 'NOT_FOUND'
  | 'DUPLICATE_TRANSACTION'
  | 'CHANGED'
  | 'INVALID_REQUEST'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'THROTTLED'
  | 'UNAVAILABLE'
  | 'TIMEOUT'
  | 'NETWORK'
  | 'UNKNOWN';
