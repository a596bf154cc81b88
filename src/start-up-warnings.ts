import type { SecretKey } from './config.ts';
import type { Database } from './db/database.ts';
import { keysInUse } from './services/microsoft-app/rotate-keys.ts';
import type { Logger } from './services/scope.ts';

/** Row security holds against a login that can do no more than the server needs; `npm run doctor` says the same. */
export function warnOfLogin({ login }: Database, logger: Logger): void {
  if (login.excess.length === 0) return;
  logger.warn(
    { role: login.name, excess: login.excess },
    'the server logs into the database as a role that could pass row security: give it a login of its own (docs/database-roles.md)',
  );
}

/**
 * Names keys that stored secrets need and ENCRYPTION_KEYS lacks. The server serves all the same: only the tenants of those
 * secrets wait for the key, or for their app to be connected again.
 */
export async function tellLostKeys(database: Database, keys: readonly SecretKey[], logger: Logger): Promise<void> {
  try {
    const lost = (await keysInUse(database)).filter(({ keyId }) => !keys.some(({ id }) => id === keyId));
    if (lost.length > 0)
      logger.error({ lost }, 'stored secrets need encryption keys that are not in ENCRYPTION_KEYS (docs/keys.md)');
  } catch (err) {
    logger.warn({ err }, 'which encryption keys are in use could not be looked up');
  }
}
