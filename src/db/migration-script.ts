import type pg from 'pg';

const CONCURRENT = /^\s*(CREATE\s+(UNIQUE\s+)?|DROP\s+)INDEX\s+CONCURRENTLY\b/im;
const BUILT_INDEX =
  /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?("(?:[^"]|"")+"|\w+)\s+ON\b/i;

/**
 * The same statement as one that may be repeated: Postgres ends a build also when who asked for it was killed meanwhile,
 * and then there is nothing left to do.
 */
function repeatable(statement: string): string {
  return statement
    .replace(/^(CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY)\s+(?!IF\s+NOT\s+EXISTS\b)/i, '$1 IF NOT EXISTS ')
    .replace(/^(DROP\s+INDEX\s+CONCURRENTLY)\s+(?!IF\s+EXISTS\b)/i, '$1 IF EXISTS ');
}

/**
 * The statements of a migration that builds or drops indexes beside the traffic (`CREATE INDEX CONCURRENTLY`), which
 * Postgres does outside a transaction only, as ones that may be repeated; null for every other migration, which is one
 * transaction.
 *
 * @throws Error when such a migration holds anything else: it could be left half done
 */
export function concurrentStatements(script: string): string[] | null {
  const sql = script.replace(/^\s*--.*$/gm, '');
  if (!CONCURRENT.test(sql)) return null;
  const statements = sql
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  const other = statements.find((statement) => !CONCURRENT.test(statement) || statement.includes(';'));
  if (other === undefined) return statements.map(repeatable);
  throw new Error(
    `A migration with INDEX CONCURRENTLY may hold nothing else, because it is no transaction. Move this to another one: ${other}`,
  );
}

/** Drops an index whose build broke off: Postgres keeps it, invalid, and `IF NOT EXISTS` would take it for a good one. */
async function dropIfInvalid(client: pg.ClientBase, statement: string): Promise<void> {
  const name = BUILT_INDEX.exec(statement)?.[1];
  if (name === undefined) return;
  const { rowCount } = await client.query(
    'SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid',
    [name],
  );
  if (rowCount !== 0) await client.query(`DROP INDEX CONCURRENTLY ${name}`);
}

/**
 * Runs a migration's script: in one transaction, or, when it builds indexes concurrently, statement by statement, so
 * that it may be run again after it broke off anywhere.
 */
export async function runMigrationScript(pool: pg.Pool, script: string): Promise<void> {
  const statements = concurrentStatements(script);
  if (statements === null) {
    // Sent as one simple query, which Postgres runs as one transaction.
    await pool.query(script);
    return;
  }
  const client = await pool.connect();
  try {
    // A concurrent build waits for transactions that are older than it, and nobody waits for it meanwhile.
    await client.query('SET lock_timeout = 0');
    for (const statement of statements) {
      await dropIfInvalid(client, statement);
      await client.query(statement);
    }
  } finally {
    // With its settings the connection goes, and the engine's lock if it was on it; `withMigrationLock` holds on.
    client.release(true);
  }
}
