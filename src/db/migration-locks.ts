import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

/** A migration that did not get its turn; nothing was changed. The message says who stands in the way. */
export class MigrationBlockedError extends Error {
  override readonly name = 'MigrationBlockedError';
}

export interface LockPatience {
  /**
   * How long a statement of a migration may wait for a lock, in milliseconds. Meanwhile every request that needs the
   * same table queues behind it, so this is the longest that a migration makes anybody wait.
   */
  lockTimeoutMs: number;
  /** How often it is tried, with a pause of twice the time-out in between for those that queued. */
  attempts: number;
  /** How long to wait for another process that migrates the same database. */
  waitForOthersMs: number;
  /** Told one line whenever something has to be waited for. */
  tell: (line: string) => void;
}

/** A number of our own among Postgres's advisory locks, which are a database's. Prisma's engine has another. */
const MIGRATION_LOCK = 7_261_944_083;
const POLL_MS = 500;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Does work while no other process migrates the same database.
 *
 * @throws MigrationBlockedError when another one does so for longer than is waited
 */
export async function withMigrationLock<T>(
  connectionString: string,
  { waitForOthersMs, tell }: LockPatience,
  work: () => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString, keepAlive: true });
  // When it dies the lock is free, and the engine's own lock still keeps two from the same migration.
  client.on('error', () => undefined);
  await client.connect().catch((error: NodeJS.ErrnoException) => {
    // Where a name has several addresses, Node wraps their errors in one that has a code and no message.
    throw new Error(`The database cannot be used: ${error.message || error.code}`, { cause: error });
  });
  try {
    const giveUpAt = Date.now() + waitForOthersMs;
    // Asked again and again, for a statement that waits would be an open transaction, which concurrent builds wait for.
    for (let attempt = 1; !(await tryLock(client)); attempt += 1) {
      if (Date.now() > giveUpAt)
        throw new MigrationBlockedError(
          `Another process has been migrating this database for longer than ${Math.round(waitForOthersMs / 1_000)} s. See what it does, and run again.`,
        );
      if (attempt === 1) tell('Another process is migrating this database: waiting for it.');
      await setTimeout(Math.min(POLL_MS, waitForOthersMs));
    }
    return await work();
  } finally {
    await client.end();
  }
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
    MIGRATION_LOCK,
  ]);
  return rows[0]?.locked === true;
}

/** Whether a statement gave up waiting for a lock. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;
}

/**
 * Repeats work that gave up waiting for a lock.
 *
 * @param what what the lock is wanted for, for the message
 * @param work must leave nothing behind when it fails with Postgres's `lock_not_available`
 * @throws MigrationBlockedError when it did not get its locks in all attempts
 */
export async function retryWhileLocked<T>(
  connectionString: string,
  what: string,
  { lockTimeoutMs, attempts, tell }: LockPatience,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (attempt === attempts) {
        throw new MigrationBlockedError(
          `Could not apply ${what}: no lock in ${attempts} attempts of ${lockTimeoutMs} ms. What was not applied left nothing behind, and no request waited for longer. ` +
            `Open for longest: ${await openTransactions(connectionString)}. End them, or run again later.`,
          { cause: error },
        );
      }
      tell(`Waiting for a lock, to apply ${what}: attempt ${attempt} of ${attempts} gave way to requests.`);
      await setTimeout(2 * lockTimeoutMs);
    }
  }
}

/** What probably stands in the way. Never the statements themselves: they hold what people wrote. */
async function openTransactions(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(
      `SELECT format('process %s of "%s" (%s, for %s s)', pid, application_name, state, extract(epoch FROM now() - xact_start)::int) AS line
         FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
        ORDER BY xact_start LIMIT 3`,
    );
    return rows.length === 0 ? 'none at this moment' : rows.map(({ line }) => line).join(', ');
  } finally {
    await client.end();
  }
}
