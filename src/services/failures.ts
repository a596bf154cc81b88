import { GraphRequestError } from '../graph/errors.ts';
import type { GraphFailureKind } from '../graph/types.ts';
import { SecretUnreadableError } from './microsoft-app/key-ring.ts';

export const USER_ERROR_CODES = [
  'INVALID_INPUT',
  'NOT_FOUND',
  'CONFLICT',
  'NOT_CONFIGURED',
  'NOT_ACTIVE',
  'CREDENTIALS_REJECTED',
  'ORGANIZER_NOT_FOUND',
  'MAILBOX_UNAVAILABLE',
  'PERMISSION_MISSING',
  'MAILBOX_SCOPE_DENIED',
  'POLICY_MISSING',
  'TRANSCRIPT_ACCESS_DISABLED',
  'GRAPH_THROTTLED',
  'GRAPH_UNAVAILABLE',
  'MEETING_NOT_CALENDAR_BACKED',
  'MEETING_ALREADY_CANCELLED',
] as const;

export type UserErrorCode = (typeof USER_ERROR_CODES)[number];

/** An expected failure, as data: what happened and what a person can do about it. */
export interface UserError {
  code: UserErrorCode;
  message: string;
  path?: string[];
  remedy?: string;
}

/** The last failed operation of a meeting, as stored with it. Dates are ISO text: this is JSON. */
export interface StoredFailure {
  code: UserErrorCode;
  message: string;
  remedy: string | null;
  occurredAt: string;
  graphRequestId: string | null;
}

type Explanation = { code: UserErrorCode; message: string; remedy: string };

const TRY_AGAIN = 'Try again in a few minutes. If it lasts, look at the Microsoft 365 service health page.';

/** What each cause that Microsoft can give means to a person. Sources: Microsoft Learn, the pages named in docs/errors.md. */
const EXPLANATIONS: Record<GraphFailureKind, Explanation> = {
  CREDENTIALS_REJECTED: {
    code: 'CREDENTIALS_REJECTED',
    message:
      'Microsoft rejected the credential of the app registration: it is wrong, has expired, or the app is disabled.',
    remedy:
      'In Entra, open the app registration, create a new client secret (copy its value, not its id) or upload the certificate, and connect it here. Check too that the enterprise application is enabled.',
  },
  APP_NOT_FOUND: {
    code: 'CREDENTIALS_REJECTED',
    message: 'Microsoft does not know this app registration in this directory.',
    remedy:
      'Compare the client id with “Application (client) ID” of the app registration, and give admin consent in this directory.',
  },
  DIRECTORY_NOT_FOUND: {
    code: 'CREDENTIALS_REJECTED',
    message: 'Microsoft does not know this directory (tenant).',
    remedy: 'Compare the directory id with “Directory (tenant) ID” in Entra, and check that the right cloud is chosen.',
  },
  ROLE_MISSING: {
    code: 'PERMISSION_MISSING',
    message: 'The app registration lacks a Microsoft Graph application permission that this needs.',
    remedy:
      'In Entra, add the missing application permission under “API permissions” and grant admin consent. A new token can take up to an hour to carry it.',
  },
  TEAMS_POLICY_MISSING: {
    code: 'POLICY_MISSING',
    message: 'No Teams application access policy allows this app to act for the organizer.',
    remedy:
      'Run New-CsApplicationAccessPolicy with this app id and Grant-CsApplicationAccessPolicy for the organizer, then wait up to 30 minutes.',
  },
  EXCHANGE_SCOPE_DENIED: {
    code: 'MAILBOX_SCOPE_DENIED',
    message: 'Exchange does not let this app into the mailbox of the organizer.',
    remedy:
      'Add the organizer to the scope of the Exchange role assignment (RBAC for Applications) or to the group of the application access policy, then wait up to an hour.',
  },
  USER_NOT_FOUND: {
    code: 'ORGANIZER_NOT_FOUND',
    message: 'The organizer does not exist in the directory.',
    remedy: 'Check the user principal name in the settings and save it again.',
  },
  MAILBOX_UNAVAILABLE: {
    code: 'MAILBOX_UNAVAILABLE',
    message: 'The organizer has no Exchange Online mailbox that can be used.',
    remedy:
      'Assign a licence with Exchange Online to the organizer, or choose another organizer whose mailbox is in the cloud.',
  },
  TRANSCRIPT_ACCESS_DISABLED: {
    code: 'TRANSCRIPT_ACCESS_DISABLED',
    message: 'The directory does not let apps read meeting transcripts.',
    remedy:
      'A Teams administrator runs: Set-CsTeamsMeetingConfiguration -Identity Global -EnableGraphTranscriptAccess $true -EnableAttributedTranscripts $true',
  },
  SPEAKER_ATTRIBUTION_DISABLED: {
    code: 'TRANSCRIPT_ACCESS_DISABLED',
    message: 'The directory does not let apps read who spoke in meeting transcripts.',
    remedy:
      'A Teams administrator runs: Set-CsTeamsMeetingConfiguration -Identity Global -EnableAttributedTranscripts $true',
  },
  NOT_FOUND: {
    code: 'NOT_FOUND',
    message: 'Microsoft no longer has what was asked for.',
    remedy: 'It was deleted or has expired on the side of Microsoft 365; nothing is left to fetch.',
  },
  DUPLICATE_TRANSACTION: {
    code: 'CONFLICT',
    message: 'Microsoft already made another event in the same operation.',
    remedy: 'Try again: the existing event is found and used.',
  },
  CHANGED: {
    code: 'CONFLICT',
    message: 'The event was changed in Outlook at the same moment.',
    remedy: 'It is read again and tried again; nothing has to be done.',
  },
  SUBSCRIPTION_EXISTS: {
    code: 'CONFLICT',
    message: 'Another subscription of this app to the same recordings or transcripts is in the way.',
    remedy:
      'It is removed or taken over by itself where it can be. If this lasts, another installation or tenant uses the same app registration for the same organizer: give each its own.',
  },
  SUBSCRIPTION_LIMIT: {
    code: 'GRAPH_THROTTLED',
    message: 'The directory has as many change notification subscriptions as Microsoft allows.',
    remedy:
      'Remove subscriptions of apps that are no longer used. Until then recordings and transcripts are found by looking for them, only later.',
  },
  NOTIFICATION_URL_REFUSED: {
    code: 'NOT_CONFIGURED',
    message: 'Microsoft could not reach the address at which we want to be told of recordings and transcripts.',
    remedy:
      'Let Microsoft reach /webhooks/graph/ under PUBLIC_URL by https from the internet, with a certificate that it trusts. Until then recordings and transcripts are found by looking for them, only later.',
  },
  INVALID_REQUEST: {
    code: 'GRAPH_UNAVAILABLE',
    message: 'Microsoft refused the request as it was sent.',
    remedy: 'This is not something that a setting mends. Report it with the request id.',
  },
  UNAUTHORIZED: {
    code: 'CREDENTIALS_REJECTED',
    message: 'Microsoft did not accept the access token, not even a fresh one.',
    remedy: 'Check that the app registration is enabled in this directory and connect it again.',
  },
  FORBIDDEN: {
    code: 'PERMISSION_MISSING',
    message: 'Microsoft refused the call although the permission is in the token.',
    remedy:
      'A permission or policy granted in the last hour may not have arrived everywhere: wait, then run the verification.',
  },
  THROTTLED: {
    code: 'GRAPH_THROTTLED',
    message: 'Microsoft is limiting how often we may call.',
    remedy: 'Wait a minute and try again.',
  },
  UNAVAILABLE: { code: 'GRAPH_UNAVAILABLE', message: 'Microsoft answered with a temporary error.', remedy: TRY_AGAIN },
  TIMEOUT: { code: 'GRAPH_UNAVAILABLE', message: 'Microsoft did not answer in time.', remedy: TRY_AGAIN },
  NETWORK: {
    code: 'GRAPH_UNAVAILABLE',
    message: 'Microsoft could not be reached.',
    remedy: `Check the network of the server. ${TRY_AGAIN}`,
  },
  UNKNOWN: {
    code: 'GRAPH_UNAVAILABLE',
    message: 'Microsoft answered in a way that we do not know.',
    remedy: 'Report it with the request id.',
  },
};

/** Where a stored credential needs a key that this installation does not have: not a fault of Microsoft, and none of a caller. */
export const CREDENTIAL_UNREADABLE: Explanation = {
  code: 'NOT_CONFIGURED',
  message: 'The stored credential of the Microsoft app cannot be decrypted with the keys of this installation.',
  remedy:
    'Whoever runs the subgraph puts the former key back into ENCRYPTION_KEYS; or connect the app again with connectMicrosoftApp.',
};

/** The same for a credential that was asked for and cannot be read; any other error is thrown on. */
export function toUnreadable(error: unknown): UserError {
  if (error instanceof SecretUnreadableError) return CREDENTIAL_UNREADABLE;
  throw error;
}

/** Says what a failed call to Microsoft means. An error that did not come from Microsoft is thrown on: it is a bug. */
export function explain(error: unknown): Explanation & { kind: GraphFailureKind; graphRequestId: string | null } {
  if (!(error instanceof GraphRequestError)) throw error;
  return { ...EXPLANATIONS[error.kind], kind: error.kind, graphRequestId: error.requestId };
}

/** The same as an entry of `userErrors`. */
export function toUserError(error: unknown, path?: string[]): UserError {
  const { code, message, remedy } = explain(error);
  return { code, message, remedy, ...(path === undefined ? {} : { path }) };
}

/** The same as it is stored with a meeting. */
export function toStoredFailure(error: unknown, now: Date): StoredFailure {
  const { code, message, remedy, graphRequestId } = explain(error);
  return { code, message, remedy, occurredAt: now.toISOString(), graphRequestId };
}

export function invalid(path: string[], message: string, remedy?: string): UserError {
  return { code: 'INVALID_INPUT', message, path, ...(remedy === undefined ? {} : { remedy }) };
}

/** Unknown, another tenant's and another client's are one and the same answer. */
export function meetingNotFound(): UserError {
  return { code: 'NOT_FOUND', message: 'There is no such meeting.', path: ['input', 'meetingId'] };
}
