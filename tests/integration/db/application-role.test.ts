import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnce } from 'graphile-worker';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApplicationRoleError, admitLogin } from '../../../src/db/application-role.ts';
import { type Database, openDatabase } from '../../../src/db/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/db/embedded-postgres.ts';
import { addJob } from '../../../src/db/job-queue.ts';
import { migrate } from '../../../src/db/migrations.ts';
import { APPLICATION_ROLE } from '../../../src/db/names.ts';
import { workerLogger } from '../../../src/jobs/worker.ts';
import { storeMeeting, subjectsSeenBy } from './rows.ts';
import { seedEveryTable } from './seed.ts';

/**
 * A fresh cluster as an administrator sets it up: one role that owns the tables and may make roles, which is no
 * superuser, and a login for the server that `db:migrate` makes.
 */
let cluster: EmbeddedPostgres;
let directory: string;
let ownerUrl: string;
let serverUrl: string;
let db: Database;

const as = (login: string, database: string) =>
  cluster.url(database).replace('postgres:postgres@', `${login}:${login}-password@`);

async function sql<Row extends object>(connectionString: string, text: string, values?: unknown[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}
const asSuperuser = <Row extends object>(text: string, values?: unknown[]) =>
  sql<Row>(cluster.url('meetings'), text, values);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'application-role-'));
  cluster = await startEmbeddedPostgres({ directory, persistent: false, durable: false });
  await sql(cluster.url(), "CREATE ROLE installer LOGIN PASSWORD 'installer-password' NOSUPERUSER CREATEROLE");
  await sql(cluster.url(), 'CREATE DATABASE meetings OWNER installer');
  [ownerUrl, serverUrl] = [as('installer', 'meetings'), as('server', 'meetings')];
  await migrate(ownerUrl);
  await admitLogin(ownerUrl, serverUrl);
  db = await openDatabase({ connectionString: serverUrl, poolSize: 2 });
}, 60_000);
afterAll(async () => {
  await db?.close();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('a login that db:migrate made', () => {
  it('has its password, of which the database keeps no more than a verifier, and no excessive right', async () => {
    expect(db.login).toEqual({ name: 'server', excess: [] });
    const [stored] = await asSuperuser("SELECT rolpassword AS kept FROM pg_authid WHERE rolname = 'server'");
    expect(stored).toEqual({ kept: expect.stringMatching(/^SCRAM-SHA-256\$4096:[^$]+\$[^:]+:/) });
    const wrong = serverUrl.replace('server-password', 'another-password');
    await expect(sql(wrong, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  it('sees the history of migrations, and every table as empty without a tenant', async () => {
    expect((await db.facts()).migrations).toEqual({ pending: [], unknown: [] });
    await seedEveryTable({ query: asSuperuser });
    const tables = await asSuperuser<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '_prisma_migrations'",
    );
    expect(tables.length).toBeGreaterThan(15);
    const server = new pg.Client({ connectionString: serverUrl });
    await server.connect();
    for (const tenant of ['', 'tenant-b']) {
      await server.query("SELECT set_config('app.tenant_id', $1, false)", [tenant]);
      for (const { name } of tables) {
        const { rows } = await server.query(`SELECT DISTINCT tenant_id FROM ${name}`);
        expect(rows, name).toEqual(tenant === '' ? [] : [{ tenant_id: tenant }]);
      }
    }
    await server.end();
    await asSuperuser(`TRUNCATE ${tables.map(({ name }) => name).join(', ')}`);
  });

  it('reads and writes as its tenant, and adds and does jobs', async () => {
    await storeMeeting(db.forTenant('tenant-a'));
    expect(await subjectsSeenBy(db.forTenant('tenant-a'))).toEqual(['of tenant-a']);
    expect(await subjectsSeenBy(db.forTenant('tenant-b'))).toEqual([]);
    await db
      .forTenant('tenant-a')
      .run((prisma) => addJob(prisma, 'sync_meeting', { meetingId: 'm' }, { key: 'm', serial: 'm' }));
    const done: unknown[] = [];
    const jobs = db.openJobPool(2);
    await runOnce({
      pgPool: jobs.pool,
      noHandleSignals: true,
      logger: workerLogger(pino({ level: 'silent' })),
      taskList: { sync_meeting: async (payload) => void done.push(payload) },
    });
    await jobs.freeAbandoned(0);
    expect((await jobs.pool.query('SELECT * FROM graphile_worker.jobs')).rows).toEqual([]);
    await expect(jobs.pool.query('DROP SCHEMA graphile_worker CASCADE')).rejects.toThrow('must be owner');
    await jobs.end();
    expect(done).toEqual([{ meetingId: 'm', tenantId: 'tenant-a' }]);
  });

  it('is let in once: everything may be repeated', async () => {
    await migrate(ownerUrl);
    await admitLogin(ownerUrl, serverUrl);
    await admitLogin(ownerUrl, ownerUrl);
    expect(await sql(serverUrl, 'SELECT * FROM secret_keys_in_use()')).toEqual([]);
  });

  it.each(['secret_keys_in_use', 'count_meetings_by_state'])(
    'may call %s also where its role was made after the migrations',
    async (counts) => {
      await sql(ownerUrl, `REVOKE ALL ON FUNCTION ${counts}() FROM ${APPLICATION_ROLE}`);
      await expect(sql(serverUrl, `SELECT * FROM ${counts}()`)).rejects.toThrow('permission denied');
      await migrate(ownerUrl);
      expect(await sql(serverUrl, `SELECT * FROM ${counts}()`)).toEqual(expect.any(Array));
    },
  );
});

describe('an owner', () => {
  it('that is no superuser sees no tenant either, and may list which keys are in use', async () => {
    await db.forTenant('tenant-a').run((prisma) =>
      prisma.microsoftApp.create({
        data: {
          clientId: 'app',
          directoryId: 'directory',
          cloud: 'GLOBAL',
          credentialKind: 'CLIENT_SECRET',
          credentialCiphertext: 'v1:old:n:c',
          credentialHint: 'abc…',
          createdAt: new Date(),
          updatedAt: new Date(),
        },
      }),
    );
    expect(await sql(ownerUrl, 'SELECT * FROM microsoft_apps')).toEqual([]);
    const inUse = [{ tenant_id: 'tenant-a', key_id: 'old', secrets: '1' }];
    expect(await sql(ownerUrl, 'SELECT * FROM secret_keys_in_use()')).toEqual(inUse);
    expect(await sql(serverUrl, 'SELECT * FROM secret_keys_in_use()')).toEqual(inUse);
  });

  it('that the tables were given to is told what to run, and never that no key is in use', async () => {
    await sql(cluster.url('meetings'), 'CREATE ROLE heir; GRANT ALL ON SCHEMA public TO heir');
    await asSuperuser('REASSIGN OWNED BY installer TO heir');
    const attempt = sql(serverUrl, 'SELECT * FROM secret_keys_in_use()');
    await expect(attempt).rejects.toMatchObject({ hint: expect.stringContaining('ALTER POLICY owner_lists_secrets') });
    await asSuperuser('REASSIGN OWNED BY heir TO installer');
    expect(await sql(serverUrl, 'SELECT * FROM secret_keys_in_use()')).toHaveLength(1);
  });

  it('that may not make roles is told the SQL for somebody who may, without the password', async () => {
    await sql(cluster.url(), "CREATE ROLE customer LOGIN PASSWORD 'customer-password'");
    await sql(cluster.url(), 'CREATE DATABASE hosted OWNER customer');
    const [owner, server] = [as('customer', 'hosted'), as('hosted"server', 'hosted').replace('"', '%22')];
    await migrate(owner);
    const told = await admitLogin(owner, server).catch((error: unknown) => error);
    expect(told).toBeInstanceOf(ApplicationRoleError);
    const { message } = told as Error;
    expect(message).toContain('GRANT "teams_meetings_app" TO "hosted""server";');
    expect(message).not.toContain('server-password');
    const statements = message.split('\n').filter((line) => line.startsWith('  '));
    expect(statements).toHaveLength(2);
    await sql(cluster.url(), statements.join('\n').replace('…', 'hosted"server-password'));
    await admitLogin(owner, server);
    const opened = await openDatabase({ connectionString: server, poolSize: 1 });
    expect(opened.login).toEqual({ name: 'hosted"server', excess: [] });
    expect(await subjectsSeenBy(opened.forTenant('tenant-a'))).toEqual([]);
    await opened.close();
  });

  it('that serves itself is told apart, like one that could pass row security', async () => {
    const served = await openDatabase({ connectionString: ownerUrl, poolSize: 1 });
    expect(served.login).toEqual({ name: 'installer', excess: ['owns-tables'] });
    await served.close();
    const superuser = await openDatabase({ connectionString: cluster.url('meetings'), poolSize: 1 });
    expect((await superuser.facts()).login).toEqual({ name: 'postgres', excess: ['superuser'] });
    await superuser.close();
  });
});
