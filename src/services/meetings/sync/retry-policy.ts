import type { GraphFailureKind } from '../../../graph/types.ts';

/** What a failure asks for: patience, a person, or a developer. */
export type Verdict = 'transient' | 'person' | 'bug';

const VERDICTS: Record<GraphFailureKind, Verdict> = {
  THROTTLED: 'transient',
  UNAVAILABLE: 'transient',
  TIMEOUT: 'transient',
  NETWORK: 'transient',
  CHANGED: 'transient',
  DUPLICATE_TRANSACTION: 'transient',
  NOT_FOUND: 'transient',
  CREDENTIALS_REJECTED: 'person',
  APP_NOT_FOUND: 'person',
  DIRECTORY_NOT_FOUND: 'person',
  ROLE_MISSING: 'person',
  TEAMS_POLICY_MISSING: 'person',
  EXCHANGE_SCOPE_DENIED: 'person',
  USER_NOT_FOUND: 'person',
  MAILBOX_UNAVAILABLE: 'person',
  TRANSCRIPT_ACCESS_DISABLED: 'person',
  SPEAKER_ATTRIBUTION_DISABLED: 'person',
  SUBSCRIPTION_EXISTS: 'transient',
  SUBSCRIPTION_LIMIT: 'person',
  NOTIFICATION_URL_REFUSED: 'person',
  UNAUTHORIZED: 'transient',
  FORBIDDEN: 'person',
  INVALID_REQUEST: 'bug',
  UNKNOWN: 'bug',
};

/**
 * Policies take up to 30 minutes to arrive everywhere, and answers flap meanwhile (Microsoft Learn: "Configure
 * application access to online meetings"; Exchange Online: RBAC for Applications).
 */
const FLAPPING: ReadonlySet<GraphFailureKind> = new Set(['TEAMS_POLICY_MISSING', 'EXCHANGE_SCOPE_DENIED', 'FORBIDDEN']);

/** For how long after a successful verification a policy error is taken for one that passes. */
export const POLICY_SETTLES_MS = 3_600_000;

/** Whether `judge` needs to know about the last verification. */
export function mayFlap(kind: GraphFailureKind): boolean {
  return FLAPPING.has(kind);
}

/** @param isFresh the set-up was verified within the last hour */
export function judge(kind: GraphFailureKind, isFresh: boolean): Verdict {
  return isFresh && FLAPPING.has(kind) ? 'transient' : VERDICTS[kind];
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30 * 60_000;
/** Nobody means to be asked again later than this. */
const LONGEST_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * Milliseconds until the next try: doubled with each failure, half of it by chance so that meetings that failed
 * together do not come back together, and never less than what Microsoft asked for.
 *
 * @param failures how often it failed in a row, from 1
 * @param random from 0 up to, not including, 1
 */
export function waitBeforeRetry(failures: number, retryAfterMs: number | null, random: number): number {
  const ceiling = Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures, 20), LONGEST_WAIT_MS);
  const wait = Math.round(ceiling / 2 + (ceiling / 2) * random);
  return Math.max(wait, Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS));
}
