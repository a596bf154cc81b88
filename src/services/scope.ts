import type { TenantDatabase } from '../db/database.ts';
import type { Viewer } from './viewer.ts';

export { DatabaseUnavailableError } from '../db/unavailable.ts';

/** For whom a service works: the verified viewer and the database of the viewer's tenant. */
export interface Scope {
  viewer: Viewer;
  db: TenantDatabase;
}

/** The logger that services write to; pino's shape. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What every service may use from outside: time and identity come from here so that tests can hold them. */
export interface ServiceTools {
  clock: () => Date;
  /** A new UUIDv7. */
  newId: () => string;
  sleep: (milliseconds: number) => Promise<void>;
  /** From 0 up to, not including, 1; for jitter. */
  random: () => number;
  logger: Logger;
  metrics: Metrics;
}

/** What is counted for the operator. Every label has a bounded number of values. */
export interface Metrics {
  /** Something at Microsoft was not as it is stored here, and was put right. */
  driftFound(kind: 'moved' | 'deleted' | 'orphan' | 'adopted' | 'stuck'): void;
  /** A try at Microsoft ended: `success`, or a code of `UserErrorCode`. Its time counts from when it was taken up. */
  operationEnded(operation: string, outcome: string, durationMs?: number): void;
  /** New recordings or transcripts of meetings are known. */
  artifactsCaptured(kind: 'recording' | 'transcript', count: number): void;
  /** Change notifications of Microsoft came in. */
  notificationsReceived(outcome: NotificationOutcome, count: number): void;
}

/**
 * What came of a change notification. `foreign` has not proven a tenant, or does not fit what the tenant has; `lapsed`
 * belongs to a subscription that is over; `deferred` came in a flood and is left to a round over all changes.
 */
export type NotificationOutcome = 'stored' | 'repeated' | 'malformed' | 'foreign' | 'lapsed' | 'deferred';

/** An argument of a query that cannot be served; becomes `BAD_USER_INPUT`. */
export class InvalidArgumentError extends Error {
  override readonly name = 'InvalidArgumentError';
}
