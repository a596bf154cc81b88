import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrationNames } from '../../src/db/migration-names.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { run } from './process.ts';

const MIGRATE = 'src/cli/migrate.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase('template0');
});
afterAll(() => database.drop());

describe('npm run db:migrate', () => {
  it('makes the tables of an empty database, and finds nothing to do the second time', async () => {
    const first = await run(MIGRATE, [], { DATABASE_URL: database.url });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const names = await migrationNames();
    expect(first.stdout).toBe(`Applied ${names.length}:\n${names.map((name) => `  ${name}\n`).join('')}`);
    expect(await run(MIGRATE, [], { DATABASE_URL: database.url })).toEqual({
      code: 0,
      stdout: 'The database is up to date.\n',
      stderr: '',
    });
    const [meetings] = await database.query("SELECT to_regclass('online_meetings')::text AS name");
    expect(meetings).toEqual({ name: 'online_meetings' });
  });

  it('prefers the URL of the role that owns the tables', async () => {
    const { code, stdout } = await run(MIGRATE, [], {
      MIGRATION_DATABASE_URL: database.url,
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'The database is up to date.\n' });
  });

  it('takes the word of who has looked after a migration that failed half-way', async () => {
    const [name = ''] = (await migrationNames()).slice(-1);
    await database.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, applied_steps_count)
         SELECT 'failed', checksum, migration_name, now(), 0 FROM _prisma_migrations WHERE migration_name = $1`,
      [name],
    );
    const refused = await run(MIGRATE, [], { DATABASE_URL: database.url });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`Migrations failed half-way: ${name}.`);
    const resolved = await run(MIGRATE, ['--rolled-back', name], { DATABASE_URL: database.url });
    expect(resolved).toEqual({ code: 0, stdout: `Noted: ${name} is rolled-back.\n`, stderr: '' });
    expect(await run(MIGRATE, [], { DATABASE_URL: database.url })).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    ['is no URL', () => 'the-database', /DATABASE_URL is not a Postgres URL/],
    [
      'leads nowhere',
      () => 'postgresql://nobody@127.0.0.1:1/none',
      /The database cannot be used: connect ECONNREFUSED 127\.0\.0\.1:1/,
    ],
    [
      'has a wrong password',
      () => database.url.replace('postgres:postgres@', 'postgres:wrong@'),
      /The database cannot be used: password authentication failed/,
    ],
    [
      'names an unknown database',
      () => database.url.replace(/\/[^/]*$/, '/nowhere'),
      /The database cannot be used: database "nowhere" does not exist/,
    ],
  ])('says what is wrong with a DATABASE_URL that %s, and exits with 1', async (_, url, message) => {
    const { code, stdout, stderr } = await run(MIGRATE, [], { DATABASE_URL: url() });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});
