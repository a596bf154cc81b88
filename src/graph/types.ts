/**
 * What the rest of the subgraph sees of Microsoft Graph: plain data and a small client per Microsoft app.
 * Nothing here knows of tenants, databases or GraphQL; the shapes follow Microsoft's own names.
 */

import type {
  GraphArtifacts,
  GraphAttendance,
  GraphCallArtifact,
  GraphContentStream,
  GraphOnlineMeetings,
  GraphTranscriptContent,
} from './artifact-types.ts';
import type { CallOptions } from './call-options.ts';
import type { GraphEvents } from './event-types.ts';
import type { ClockReading } from './remote-clock.ts';
import type { GraphSubscriptions } from './subscription-types.ts';

export type * from './artifact-types.ts';
export type * from './call-options.ts';
export type * from './event-types.ts';
export type * from './failure-kinds.ts';
export type * from './remote-clock.ts';
export type * from './subscription-types.ts';

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
  /** Whether a licence with an active Teams plan is assigned; null where Graph does not tell. */
  hasTeamsPlan: boolean | null;
}

/** Everything this product asks of Microsoft for one app registration. Every method may throw `GraphRequestError`. */
export interface GraphClient {
  /** The cloud that it talks to, and to no other. */
  readonly cloud: MicrosoftCloudName;
  /** Gets a token (cached) and returns the app roles in it; empty set when the token has none. */
  grantedRoles(options?: CallOptions): Promise<ReadonlySet<string>>;
  /** The object id of the directory, by the token: an app may be registered with a domain name. Null: it does not say. */
  directoryId(options?: CallOptions): Promise<string | null>;
  /** Our clock beside Microsoft's, at the latest request for a token that was answered; null before the first one. */
  clockReading(): ClockReading | null;
  /** The object id of the app's service principal (enterprise application), by the token. Null: it does not say. */
  servicePrincipalId(options?: CallOptions): Promise<string | null>;
  users: {
    /** @param user object id or userPrincipalName */
    get(user: string, options?: CallOptions): Promise<GraphUser>;
  };
  events: GraphEvents;
  subscriptions: GraphSubscriptions;
  onlineMeetings: GraphOnlineMeetings;
  artifacts: GraphArtifacts;
  attendance: GraphAttendance;
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
  /** Forgets the app's clients and their tokens, whatever their credential, e.g. when consent has just been given. */
  forget(app: MicrosoftAppRegistration): void;
  /** The same for the client with this credential alone; the app's others keep their tokens. */
  forgetCredential(app: MicrosoftAppRegistration): void;
}
