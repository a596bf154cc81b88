import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MigrationBlockedError } from '../../../src/db/migration-locks.ts';
import { type MigrateOptions, MigrationHistoryError, migrate, resolveMigration } from '../../../src/db/migrations.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type NextRelease, nextRelease } from '../../support/next-release.ts';
import { seedEveryTable } from './seed.ts';

const ADDED = 'ALTER TABLE online_meetings ADD COLUMN';

let database: TestDatabase;
let release: NextRelease;
let told: string[];
let count = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  await seedEveryTable(database);
  release = await nextRelease();
});
afterAll(async () => {
  await release.remove();
  await database.drop();
});
afterEach(() => expect(database.query(FAILED)).resolves.toEqual([]));

const FAILED =
  'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL ORDER BY 1';

/** Adds a migration to the next release and returns its name. */
async function add(sql: string): Promise<string> {
  count += 1;
  const name = `2999010100${String(count).padStart(4, '0')}_next`;
  await release.add(name, sql);
  return name;
}

/** Migrates with little patience; `tell` hears each line. */
function migrateImpatiently(options: MigrateOptions & { onTold?: () => unknown } = {}): Promise<string[]> {
  const { onTold, ...rest } = options;
  told = [];
  const tell = (line: string) => {
    told.push(line);
    onTold?.();
  };
  return migrate(database.url, { folder: release.folder, lockTimeoutMs: 100, attempts: 2, tell, ...rest });
}

/** A transaction that stays open after a statement, as a report or a forgotten psql does. */
async function hold(statement: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: database.url, application_name: 'report' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('BEGIN');
  await client.query(statement);
  return () => client.end();
}

const columns = async () => {
  const rows = await database.query<{ name: string }>(
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'online_meetings'::regclass",
  );
  return rows.map(({ name }) => name);
};

describe('a migration that needs a lock which a transaction holds', () => {
  it('gives way, and is applied once the transaction is over', async () => {
    const name = await add(`${ADDED} patient text;`);
    const end = await hold('SELECT FROM online_meetings');
    let ended: Promise<void> | undefined;
    const onTold = () => {
      ended ??= end();
    };
    expect(await migrateImpatiently({ attempts: 50, onTold })).toEqual([name]);
    await ended;
    expect(told[0]).toBe(`Waiting for a lock, to apply ${name}: attempt 1 of 50 gave way to requests.`);
    expect(await columns()).toContain('patient');
  });

  it('gives up in the end, says who holds it, leaves nothing behind, and may be run again', async () => {
    const first = await add(`CREATE TABLE before_it (tenant_id text PRIMARY KEY);`);
    const name = await add(`CREATE TABLE beside_it (tenant_id text PRIMARY KEY); ${ADDED} late text;`);
    const end = await hold('SELECT FROM online_meetings');
    try {
      const attempt = migrateImpatiently();
      await expect(attempt).rejects.toBeInstanceOf(MigrationBlockedError);
      await expect(attempt).rejects.toThrow(
        /no lock in 2 attempts of 100 ms\. .*process \d+ of "report" \(idle in transaction, for \d+ s\)/,
      );
    } finally {
      await end();
    }
    expect(await columns()).not.toContain('late');
    expect(await database.query("SELECT to_regclass('beside_it') AS made")).toEqual([{ made: null }]);
    expect(await migrateImpatiently(), `${first} was applied`).toEqual([name]);
    expect(await columns()).toContain('late');
  });
});

describe('two processes that migrate the same database', () => {
  it('do so one after the other, also where indexes are built', async () => {
    const name = await add(
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS by_subject ON online_meetings (tenant_id, subject);\n' +
        'CREATE INDEX CONCURRENTLY IF NOT EXISTS "by change" ON online_meetings (tenant_id, updated_at);',
    );
    const applied = await Promise.all([1, 2, 3].map(() => migrateImpatiently()));
    expect(applied.flat()).toEqual([name]);
  });

  it('do not wait for each other for ever', async () => {
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    try {
      const { rows } = await other.query<{ locked: boolean }>('SELECT pg_try_advisory_lock(7261944083) AS locked');
      expect(rows).toEqual([{ locked: true }]);
      const attempt = migrateImpatiently({ waitForOthersMs: 100 });
      await expect(attempt).rejects.toThrow('Another process has been migrating this database for longer than 0 s.');
      expect(told).toEqual(['Another process is migrating this database: waiting for it.']);
    } finally {
      await other.end();
    }
    expect(await migrateImpatiently()).toEqual([]);
  });
});

describe('an index that is built beside the traffic', () => {
  const isValid = (name: string) =>
    database.query('SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)', [name]);

  it('is waited for while a transaction is open, which waits for nothing', async () => {
    const name = await add(
      '-- Found by its subject.\nCREATE INDEX CONCURRENTLY IF NOT EXISTS found ON online_meetings (tenant_id, ends_at);\n',
    );
    const end = await hold("UPDATE online_meetings SET subject = 'held' WHERE tenant_id = 'tenant-a'");
    const migrated = migrateImpatiently();
    await expect
      .poll(
        () => database.query('SELECT phase FROM pg_stat_progress_create_index WHERE datname = current_database()'),
        { timeout: 10_000 },
      )
      .toEqual([{ phase: expect.stringMatching(/^waiting for/) }]);
    await database.query("UPDATE online_meetings SET subject = 'held' WHERE tenant_id = 'tenant-b'");
    await end();
    expect(await migrated).toEqual([name]);
    expect(await isValid('found')).toEqual([{ indisvalid: true }]);
  });

  it('is built anew after its build broke off, which leaves an invalid one', async () => {
    await database.query("UPDATE online_meetings SET subject = 'the same'");
    const name = await add(
      'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS unique_subject ON online_meetings (subject);',
    );
    await expect(migrateImpatiently()).rejects.toThrow(/could not create unique index/);
    expect(await isValid('unique_subject')).toEqual([{ indisvalid: false }]);
    await database.query('UPDATE online_meetings SET subject = tenant_id');
    expect(await migrateImpatiently()).toEqual([name]);
    expect(await isValid('unique_subject')).toEqual([{ indisvalid: true }]);
    await database.query('DROP INDEX unique_subject');
  });

  it('is no hindrance when Postgres finished it and the process that asked for it was killed', async () => {
    await database.query('CREATE INDEX left_over ON online_meetings (tenant_id)');
    const name = await add(
      'CREATE INDEX CONCURRENTLY finished ON online_meetings (tenant_id, subject);\nDROP INDEX CONCURRENTLY left_over;',
    );
    expect(await migrateImpatiently()).toEqual([name]);
    await database.query('UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = $1', [name]);
    expect(await migrateImpatiently()).toEqual([name]);
    expect(await isValid('finished')).toEqual([{ indisvalid: true }]);
  });
});

describe('a migration that failed half-way', () => {
  it.each([
    ['rolled-back', true],
    ['applied', false],
  ] as const)('goes on once somebody has said that it is %s', async (outcome, runsAgain) => {
    await database.query('DROP TABLE IF EXISTS mended');
    const name = await add('INSERT INTO mended VALUES (1);');
    await expect(migrateImpatiently()).rejects.toThrow('relation "mended" does not exist');
    await expect(migrateImpatiently()).rejects.toBeInstanceOf(MigrationHistoryError);
    await database.query('CREATE TABLE mended (n int)');
    await resolveMigration(database.url, name, outcome, release.folder);
    expect(await migrateImpatiently()).toEqual(runsAgain ? [name] : []);
    expect(await database.query('SELECT n FROM mended')).toEqual(runsAgain ? [{ n: 1 }] : []);
  });

  it('is not one that did not fail', async () => {
    await expect(resolveMigration(database.url, 'nothing', 'applied', release.folder)).rejects.toThrow(
      'No migration of the name nothing failed half-way. Nothing was changed.',
    );
  });
});
