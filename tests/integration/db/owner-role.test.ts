import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admitLogin } from '../../../src/db/application-role.ts';
import { type Database, DatabaseRefusedError, openDatabase } from '../../../src/db/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/db/embedded-postgres.ts';
import { migrationNames } from '../../../src/db/migration-names.ts';
import { migrate } from '../../../src/db/migrations.ts';
import { meetingRow, storeMeeting, subjectsSeenBy } from './rows.ts';

/**
 * A hosted Postgres that gives its customer one role: it owns the database, is no superuser and may not create
 * roles. The cluster is a fresh one, in which the application role does not exist.
 */
let cluster: EmbeddedPostgres;
let directory: string;
let url: string;
let db: Database;
let applied: string[];

async function sql<Row extends object>(connectionString: string, ...statements: string[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    let rows: Row[] = [];
    for (const statement of statements) rows = (await client.query<Row>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'owner-role-'));
  cluster = await startEmbeddedPostgres({ directory, persistent: false, durable: false });
  await sql(
    cluster.url(),
    "CREATE ROLE customer LOGIN PASSWORD 'customer' NOSUPERUSER NOCREATEROLE NOCREATEDB",
    'CREATE DATABASE hosted OWNER customer',
  );
  const own = new URL(cluster.url('hosted'));
  Object.assign(own, { username: 'customer', password: 'customer' });
  url = own.href;
  applied = await migrate(url);
  db = await openDatabase({ connectionString: url, poolSize: 1 });
});
afterAll(async () => {
  await db?.close();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('a role that owns its tables and can do no more', () => {
  it('migrates an empty database', async () => {
    expect(applied).toEqual(await migrationNames());
    expect(await sql(cluster.url(), "SELECT FROM pg_roles WHERE rolname = 'teams_meetings_app'")).toEqual([]);
  });

  it('is bound by row security like any other', async () => {
    await storeMeeting(db.forTenant('tenant-a'));
    await storeMeeting(db.forTenant('tenant-b'));
    expect(await subjectsSeenBy(db.forTenant('tenant-a'))).toEqual(['of tenant-a']);
    expect(await subjectsSeenBy(db.forTenant('tenant-b'))).toEqual(['of tenant-b']);
    expect(await sql(url, 'SELECT * FROM online_meetings'), 'without a tenant').toEqual([]);
    const foreign = db
      .forTenant('tenant-a')
      .run((prisma) => prisma.onlineMeeting.create({ data: { ...meetingRow(), tenantId: 'tenant-b' } }));
    await expect(foreign).rejects.toThrow(/row-level security/);
  });

  it('counts the meetings of all tenants for the operator, and shows them to nobody after it', async () => {
    await sql(cluster.url('hosted'), "UPDATE online_meetings SET ends_at = now() + interval '1 day'");
    const { meetings } = await db.operatorFacts();
    expect(meetings.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    expect(await sql(url, 'SELECT count_meetings_by_state()', 'SELECT * FROM online_meetings')).toEqual([]);
  });

  it('can append to the audit trail, and neither change nor delete what stands there', async () => {
    const tenant = db.forTenant('tenant-a');
    await tenant.run((prisma) =>
      prisma.auditEvent.create({
        data: {
          id: meetingRow().id,
          actor: 'user',
          operation: 'create',
          outcome: 'success',
          detail: {},
          at: new Date(),
        },
      }),
    );
    const touched = await tenant.run(async (prisma) => [
      await prisma.$executeRaw`UPDATE audit_events SET outcome = 'forged'`,
      await prisma.$executeRaw`DELETE FROM audit_events`,
    ]);
    expect(touched).toEqual([0, 0]);
    expect(await tenant.run((prisma) => prisma.auditEvent.findMany({ select: { outcome: true } }))).toEqual([
      { outcome: 'success' },
    ]);
  });

  it('gives way to a superuser only where that one can lower itself', async () => {
    const attempt = openDatabase({ connectionString: cluster.url('hosted'), poolSize: 1 });
    await expect(attempt).rejects.toBeInstanceOf(DatabaseRefusedError);
    await expect(attempt).rejects.toThrow(
      'The database role "postgres" bypasses row security and cannot lower itself to "teams_meetings_app".',
    );
  });

  it('grants what a login needs once somebody has made the application role', async () => {
    const server = url.replace('customer:customer@', 'server:secret@');
    const refusal = await admitLogin(url, server).catch((error: Error) => error.message);
    const statements = String(refusal)
      .split('\n')
      .filter((line) => line.startsWith('  '));
    expect(statements.map((line) => line.trim().split(' ').slice(0, 3).join(' '))).toEqual([
      'CREATE ROLE "teams_meetings_app"',
      'CREATE ROLE "server"',
      'GRANT "teams_meetings_app" TO',
    ]);
    await sql(cluster.url(), ...statements.map((line) => line.replace('…', 'secret')));
    await migrate(url);
    const served = await openDatabase({ connectionString: server, poolSize: 1 });
    expect(served.login).toEqual({ name: 'server', excess: [] });
    expect(await subjectsSeenBy(served.forTenant('tenant-a'))).toEqual(['of tenant-a']);
    const touched = served.forTenant('tenant-a').run((prisma) => prisma.$executeRaw`DELETE FROM audit_events`);
    await expect(touched).rejects.toThrow(/permission denied/);
    await served.close();
  });
});
