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
  logger: Logger;
}

/** An argument of a query that cannot be served; becomes `BAD_USER_INPUT`. */
export class InvalidArgumentError extends Error {
  override readonly name = 'InvalidArgumentError';
}
