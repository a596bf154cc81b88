import { randomUUID } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { DatabaseRefusedError, openDatabase } from '../../../src/db/database.ts';
import { migrationNames } from '../../../src/db/migration-names.ts';
import { MigrationHistoryError, migrate, missingMigrationSql, pendingMigrations } from '../../../src/db/migrations.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type NextRelease, nextRelease } from '../../support/next-release.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A database of its own: empty, or with everything migrated. */
async function database(state: 'empty' | 'migrated'): Promise<TestDatabase> {
  const created = state === 'empty' ? await createTestDatabase('template0') : await createTestDatabase();
  cleanUps.push(() => created.drop());
  return created;
}

/** The next release, which a test may go on with or spoil. */
async function next(migrations: Record<string, string> = {}): Promise<NextRelease> {
  const release = await nextRelease(migrations);
  cleanUps.push(() => release.remove());
  return release;
}

describe('the migrations of this release', () => {
  it('lead exactly to schema.prisma', async () => {
    expect(await missingMigrationSql(inject('postgresUrl'))).toBe('');
  });

  it('would be missing something if the schema had one more column', async () => {
    const { folder, path } = await next();
    const schema = await readFile(join(path, 'schema.prisma'), 'utf8');
    await writeFile(
      join(path, 'schema.prisma'),
      schema.replace('model AuditEvent {', 'model AuditEvent {\n  extra String?\n'),
    );
    expect(await missingMigrationSql(inject('postgresUrl'), folder)).toContain('ADD COLUMN     "extra" TEXT');
  });

  it('leave no shadow database behind', async () => {
    const empty = await database('empty');
    await missingMigrationSql(inject('postgresUrl'));
    await expect
      .poll(() => empty.query("SELECT datname FROM pg_database WHERE datname LIKE 'prisma_shadow_%'"))
      .toEqual([]);
  });

  it('are pending on an empty database, are applied once, and then are not pending', async () => {
    const { url } = await database('empty');
    const names = await migrationNames();
    expect(await pendingMigrations(url)).toEqual(names);
    expect(await migrate(url)).toEqual(names);
    expect(await pendingMigrations(url)).toEqual([]);
    expect(await migrate(url)).toEqual([]);
  });

  it('are followed by those of the next release alone', async () => {
    const { url } = await database('migrated');
    const { folder } = await next({
      '29990101000000_next': 'CREATE TABLE next_release (tenant_id text PRIMARY KEY);',
    });
    expect(await pendingMigrations(url, folder)).toEqual(['29990101000000_next']);
    expect(await migrate(url, { folder })).toEqual(['29990101000000_next']);
    expect(await pendingMigrations(url), 'the older release has nothing to do').toEqual([]);
    await (await openDatabase({ connectionString: url, poolSize: 1 })).close();
  });

  it('are refused when one was edited after it ran', async () => {
    const { url } = await database('migrated');
    const { folder, path } = await next();
    const [first = ''] = await migrationNames(folder);
    await appendFile(join(path, 'migrations', first, 'migration.sql'), '\n-- edited\n');
    const attempt = migrate(url, { folder });
    await expect(attempt).rejects.toBeInstanceOf(MigrationHistoryError);
    await expect(attempt).rejects.toThrow(`Migrations were edited after they ran: ${first}.`);
  });

  it('are refused after one failed half-way, and are told by name', async () => {
    const { url } = await database('migrated');
    const { folder } = await next({ '29990101000000_bad': 'SELECT 1 / 0;' });
    await expect(migrate(url, { folder })).rejects.toThrow(/division by zero/);
    const again = migrate(url, { folder });
    await expect(again).rejects.toBeInstanceOf(MigrationHistoryError);
    await expect(again).rejects.toThrow(/failed half-way: 29990101000000_bad\. .*db:migrate -- --rolled-back NAME/);
  });
});

describe('opening a database', () => {
  const open = (connectionString: string) => openDatabase({ connectionString, poolSize: 1 });

  it('refuses an empty one and says which command makes the tables', async () => {
    const { url } = await database('empty');
    const attempt = open(url);
    await expect(attempt).rejects.toBeInstanceOf(DatabaseRefusedError);
    await expect(attempt).rejects.toThrow('The database has no tables yet. Run `npm run db:migrate` first.');
  });

  it.each([
    ['was never applied', 'DELETE FROM _prisma_migrations WHERE migration_name = $1'],
    ['failed half-way', 'UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = $1'],
    ['was rolled back', 'UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = $1'],
  ])('refuses one in which a migration of this release %s', async (_, spoil) => {
    const spoilt = await database('migrated');
    const [first] = await migrationNames();
    await spoilt.query(spoil, [first]);
    await expect(open(spoilt.url)).rejects.toThrow(
      `The database lacks migrations of this release: ${first}. Run \`npm run db:migrate\` first.`,
    );
  });

  it('takes a login that is a member of the application role and may not read the history', async () => {
    const migrated = await database('migrated');
    const login = `login_${randomUUID().replaceAll('-', '')}`;
    await migrated.query(`CREATE ROLE ${login} LOGIN PASSWORD 'login' IN ROLE teams_meetings_app`);
    cleanUps.push(async () => void (await migrated.query(`DROP ROLE ${login}`)));
    await migrated.query('REVOKE ALL ON _prisma_migrations FROM teams_meetings_app');
    const url = new URL(migrated.url);
    Object.assign(url, { username: login, password: 'login' });
    const db = await open(url.href);
    try {
      await db.ping();
      expect(await db.forTenant('tenant-a').run((prisma) => prisma.onlineMeeting.count())).toBe(0);
    } finally {
      await db.close();
    }
  });
});
