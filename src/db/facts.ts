import pg from 'pg';
import { migrationNames } from './migration-names.ts';

/** What is known of the database itself, besides anybody's data. */
export interface DatabaseFacts {
  /** Postgres's `server_version_num`, e.g. 160004 for 16.4. */
  serverVersion: number;
  /** The database's clock. */
  now: Date;
  /** By name, oldest first; null where the role may not read Prisma's own table. */
  migrations: {
    /** This release has them, the database lacks them. */
    pending: string[];
    /** The database has them, this release does not know them. */
    unknown: string[];
  } | null;
}

/** Which migrations were applied: `none` before the first one, `hidden` where the role may not read of them. */
export async function appliedMigrations(client: pg.Client): Promise<string[] | 'none' | 'hidden'> {
  const { rows } = await client.query<{ readable: boolean | null }>(
    "SELECT has_table_privilege(to_regclass('_prisma_migrations'), 'SELECT') AS readable",
  );
  const readable = rows[0]?.readable ?? null;
  if (readable === null) return 'none';
  if (!readable) return 'hidden';
  const applied = await client.query<{ migration_name: string }>(
    'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name',
  );
  return applied.rows.map((row) => row.migration_name);
}

/** Looks at the database on a connection of its own, as the role that logs in. @throws when it does not answer */
export async function readDatabaseFacts(connectionString: string): Promise<DatabaseFacts> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 4_000, query_timeout: 4_000 });
  // One that dies between two statements would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ version: number; now: Date }>(
      "SELECT current_setting('server_version_num')::int AS version, clock_timestamp() AS now",
    );
    const [row] = rows;
    if (row === undefined) throw new Error('Postgres does not tell its version');
    const [applied, ours] = [await appliedMigrations(client), await migrationNames()];
    if (applied === 'hidden') return { serverVersion: row.version, now: row.now, migrations: null };
    const names = applied === 'none' ? [] : applied;
    const pending = ours.filter((name) => !names.includes(name));
    const unknown = names.filter((name) => !ours.includes(name));
    return { serverVersion: row.version, now: row.now, migrations: { pending, unknown } };
  } finally {
    await client.end();
  }
}
