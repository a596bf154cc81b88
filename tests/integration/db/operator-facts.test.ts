import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/database.ts';
import { addJob } from '../../../src/db/job-queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { storeMeeting } from './rows.ts';

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await openDatabase({ connectionString: database.url, poolSize: 2 });
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

describe('what the operator is told of all tenants together', () => {
  it('is nothing of an empty database', async () => {
    expect(await db.operatorFacts()).toEqual({ jobs: [], oldestWaitSeconds: 0, meetings: [] });
  });

  it('counts meetings of every tenant by state, and leaves out those that ended more than seven days ago', async () => {
    for (const tenant of ['tenant-a', 'tenant-b', 'tenant-c']) await storeMeeting(db.forTenant(tenant));
    const [first, second, third] = await database.query<{ id: string }>('SELECT id FROM online_meetings');
    const set = (status: string, ends: string, id: string | undefined) =>
      database.query(
        `UPDATE online_meetings SET status = '${status}', starts_at = now() - interval '60 days', ends_at = now() ${ends} WHERE id = $1`,
        [id],
      );
    await set('SCHEDULED', "+ interval '1 hour'", first?.id);
    await set('SCHEDULED', "- interval '1 hour'", second?.id);
    await set('FAILED', "- interval '8 days'", third?.id);
    const { meetings } = await db.operatorFacts();
    expect(meetings.toSorted((a, b) => a.state.localeCompare(b.state))).toEqual([
      { state: 'ENDED', count: 1 },
      { state: 'SCHEDULED', count: 1 },
    ]);
  });

  it('counts jobs by name and state, and tells how long the oldest has waited', async () => {
    const add = (key: string, delayMs: number) =>
      db.forTenant('tenant-a').transaction((prisma) => addJob(prisma, 'sweep_tenant', {}, { key, delayMs }));
    for (const [key, delayMs] of [
      ['due', 0],
      ['later', 60_000],
      ['held', 0],
      ['lost', 0],
      ['replaced', 0],
    ] as const)
      await add(key, delayMs);
    const alter = (change: string, key: string) =>
      database.query(`UPDATE graphile_worker._private_jobs SET ${change} WHERE key LIKE '%:${key}'`);
    await alter("run_at = now() - interval '90 seconds'", 'due');
    await alter("locked_at = now(), locked_by = 'a-worker'", 'held');
    await alter('attempts = max_attempts', 'lost');
    await alter('attempts = max_attempts, key = NULL', 'replaced');
    const { jobs, oldestWaitSeconds } = await db.operatorFacts();
    expect(jobs.toSorted((a, b) => a.state.localeCompare(b.state))).toEqual(
      ['given_up', 'planned', 'running', 'waiting'].map((state) => ({ task: 'sweep_tenant', state, count: 1 })),
    );
    expect(Math.floor(oldestWaitSeconds / 10)).toBe(9);
  });

  it('shows the tenants’ rows to nobody', async () => {
    const seen = await db.forTenant('tenant-a').run(async (prisma) => {
      await prisma.$queryRaw`SELECT count_meetings_by_state()::text`;
      await prisma.$executeRaw`SELECT set_config('app.counts_meetings', 'on', false)`;
      return prisma.$queryRaw<{ tenant_id: string }[]>`SELECT DISTINCT tenant_id FROM online_meetings`;
    });
    expect(seen).toEqual([{ tenant_id: 'tenant-a' }]);
  });

  it('may be asked for by the application role alone', async () => {
    const [{ acl = '' } = {}] = await database.query<{ acl: string }>(
      "SELECT proacl::text AS acl FROM pg_proc WHERE proname = 'count_meetings_by_state'",
    );
    expect(acl).toContain('teams_meetings_app=X');
    expect(acl).not.toMatch(/[{,]=X/);
  });
});
