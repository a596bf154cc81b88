/**
 * What the rest of the subgraph sees of Microsoft Graph: plain data and a small client per Microsoft app.
 * Nothing here knows of tenants, databases or GraphQL; the shapes follow Microsoft's own names.
 */

import type { CallOptions } from './call-options.ts';
import type { GraphEvents } from './event-types.ts';

export type * from './call-options.ts';
export type * from './event-types.ts';

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
  events: GraphEvents;
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
