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
  login: DatabaseLogin;
}

/** What a login has besides what the server needs of it; each lets a mistake or an attacker past row security. */
const EXCESSIVE_RIGHTS = ['superuser', 'bypasses-row-security', 'owns-tables'] as const;

/** The role that DATABASE_URL logs in as, whatever it lowers itself to afterwards. */
export interface DatabaseLogin {
  name: string;
  excess: (typeof EXCESSIVE_RIGHTS)[number][];
}

/** Who logs in here, and what that role could do that the server should not. */
export async function readLogin(client: pg.Client): Promise<DatabaseLogin> {
  const { rows } = await client.query<{ name: string } & Record<(typeof EXCESSIVE_RIGHTS)[number], boolean>>(
    `SELECT rolname AS name, rolsuper AS superuser, NOT rolsuper AND rolbypassrls AS "bypasses-row-security",
            NOT rolsuper AND coalesce((SELECT pg_has_role(login.oid, relowner, 'MEMBER') FROM pg_class
                                        WHERE oid = to_regclass('online_meetings')), false) AS "owns-tables"
       FROM pg_roles login WHERE rolname = session_user`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('Postgres does not tell who logged in');
  return { name: row.name, excess: EXCESSIVE_RIGHTS.filter((right) => row[right]) };
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
    const facts = { serverVersion: row.version, now: row.now, login: await readLogin(client) };
    if (applied === 'hidden') return { ...facts, migrations: null };
    const names = applied === 'none' ? [] : applied;
    const pending = ours.filter((name) => !names.includes(name));
    const unknown = names.filter((name) => !ours.includes(name));
    return { ...facts, migrations: { pending, unknown } };
  } finally {
    await client.end();
  }
}
