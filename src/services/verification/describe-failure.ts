import { explain } from '../failures.ts';
import { KNOWN_PERMISSIONS } from '../microsoft-app/permissions.ts';
import type { Failure, VerificationOutcome } from './checklist.ts';

/** The calendar of the organizer takes no Teams meetings. */
export class ProviderNotAllowedError extends Error {}

/** Exchange made the event, but no Teams meeting with a join link was attached to it. */
export class NoMeetingAttachedError extends Error {}

/** The token lacks permissions that nothing else can give. */
export class RolesMissingError extends Error {
  readonly roles: readonly string[];
  readonly note: string;
  constructor(roles: readonly string[], note = '') {
    super('roles missing');
    this.roles = roles;
    this.note = note;
  }
}

const USED_FOR = new Map(KNOWN_PERMISSIONS.map(({ name, usedFor }) => [name, usedFor]));

const OUTCOMES: Partial<Record<string, VerificationOutcome>> = {
  CREDENTIALS_REJECTED: 'CREDENTIALS_REJECTED',
  APP_NOT_FOUND: 'CREDENTIALS_REJECTED',
  DIRECTORY_NOT_FOUND: 'CREDENTIALS_REJECTED',
  UNAUTHORIZED: 'CREDENTIALS_REJECTED',
  ROLE_MISSING: 'PERMISSION_MISSING',
  FORBIDDEN: 'PERMISSION_MISSING',
  // An administrator's consent of another kind: the switch “Transcript API access”.
  TRANSCRIPT_ACCESS_DISABLED: 'PERMISSION_MISSING',
  TEAMS_POLICY_MISSING: 'POLICY_MISSING',
  EXCHANGE_SCOPE_DENIED: 'MAILBOX_SCOPE_DENIED',
  USER_NOT_FOUND: 'USER_NOT_FOUND',
  MAILBOX_UNAVAILABLE: 'MAILBOX_UNAVAILABLE',
};

/** Says what a probe's error means. What came neither from Microsoft nor from a probe is thrown on: it is a bug. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof RolesMissingError) {
    const list = error.roles.map((role) => `${role} (for ${USED_FOR.get(role)})`).join(', ');
    return {
      outcome: 'PERMISSION_MISSING',
      detail: `The token lacks: ${list}.${error.note}`,
      remedy: `In Entra, add ${error.roles.join(', ')} as Microsoft Graph application permissions and grant admin consent. A new token can take up to an hour to carry them.`,
      graphRequestId: null,
      kind: null,
    };
  }
  if (error instanceof ProviderNotAllowedError) {
    return {
      outcome: 'MAILBOX_UNAVAILABLE',
      detail: 'The mailbox does not allow Teams as online meeting provider.',
      remedy: 'Assign a Teams licence to the organizer and allow Teams meetings for the mailbox.',
      graphRequestId: null,
      kind: null,
    };
  }
  if (error instanceof NoMeetingAttachedError) {
    return {
      outcome: 'MAILBOX_UNAVAILABLE',
      detail: 'A calendar event was made, but Teams attached no meeting with a join link to it.',
      remedy:
        'Check that the organizer has a Teams licence and that the Teams meeting policy lets the organizer schedule private meetings and use the Outlook add-in. A licence assigned today can take up to a day. Then verify again.',
      graphRequestId: null,
      kind: null,
    };
  }
  const { kind, message, remedy, graphRequestId } = explain(error);
  return { outcome: OUTCOMES[kind] ?? 'GRAPH_ERROR', detail: message, remedy, graphRequestId, kind };
}
