import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Database } from '../../../src/db/database.ts';
import { openDatabase, type TenantPrisma } from '../../../src/db/database.ts';
import { addJob, addJobs, removeJob } from '../../../src/db/job-queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

interface JobRow {
  key: string;
  payload: Record<string, string>;
  run_at: Date;
  queue_id: number | null;
}

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = await openDatabase({ connectionString: database.applicationUrl, poolSize: 3 });
});
beforeEach(() => database.query('DELETE FROM graphile_worker._private_jobs'));
afterAll(async () => {
  await db.close();
  await database.drop();
});

const jobs = () =>
  database.query<JobRow>(
    'SELECT key, payload, run_at, job_queue_id AS queue_id FROM graphile_worker._private_jobs ORDER BY key, id',
  );
const add = (tenantId: string, meetingId: string, options: object = {}) =>
  db.forTenant(tenantId).run((prisma) => addJob(prisma, 'sync_meeting', { meetingId }, { key: meetingId, ...options }));

describe('a job', () => {
  it('belongs to the tenant that its connection is bound to, whatever its payload says', async () => {
    await db
      .forTenant('tenant-a')
      .run((prisma) =>
        addJob(prisma, 'sync_meeting', { meetingId: 'm', tenantId: 'tenant-b' } as { meetingId: string }, { key: 'm' }),
      );
    expect(await jobs()).toMatchObject([{ payload: { meetingId: 'm', tenantId: 'tenant-a' } }]);
  });

  it('of the same key takes the place of one that waits, and only of the same tenant', async () => {
    await add('tenant-a', 'm', { delayMs: 60_000 });
    await add('tenant-b', 'm', { delayMs: 60_000 });
    await add('tenant-a', 'm');
    const [a, b, ...more] = await jobs();
    expect(more).toEqual([]);
    expect([a?.key, b?.key]).toEqual(['sync_meeting:tenant-a:m', 'sync_meeting:tenant-b:m']);
    expect(a?.run_at.getTime()).toBeLessThan(b?.run_at.getTime() ?? 0);
  });

  it('may leave the time of one that waits as it is', async () => {
    await add('tenant-a', 'm');
    const [before] = await jobs();
    await add('tenant-a', 'm', { delayMs: 60_000, keepTime: true });
    expect(await jobs()).toMatchObject([{ run_at: before?.run_at }]);
  });

  it('is there exactly if the change is', async () => {
    const failing = db.forTenant('tenant-a').transaction(async (prisma) => {
      await addJob(prisma, 'sync_meeting', { meetingId: 'm' }, { key: 'm' });
      throw new Error('something else went wrong');
    });
    await expect(failing).rejects.toThrow('something else');
    expect(await jobs()).toEqual([]);
  });

  it('is taken back by its own tenant only', async () => {
    await add('tenant-a', 'm');
    await db.forTenant('tenant-b').run((prisma) => removeJob(prisma, 'sync_meeting', 'm'));
    expect(await jobs()).toHaveLength(1);
    await db.forTenant('tenant-a').run((prisma) => removeJob(prisma, 'sync_meeting', 'm'));
    expect(await jobs()).toEqual([]);
  });

  it('that is serial shares a queue with those of the same name, and others have none', async () => {
    await add('tenant-a', 'one', { serial: 'same' });
    await add('tenant-a', 'two', { serial: 'same' });
    await add('tenant-a', 'zero');
    const [one, two, zero] = await jobs();
    expect(one?.queue_id).toBe(two?.queue_id);
    expect(one?.queue_id).not.toBeNull();
    expect(zero?.queue_id).toBeNull();
  });

  it.each([
    ['one job', (prisma: TenantPrisma) => addJob(prisma, 'sync_meeting', { meetingId: 'new' }, { key: 'm' })],
    [
      'many jobs',
      (prisma: TenantPrisma) =>
        addJobs(prisma, 'sync_meeting', [
          { payload: { meetingId: 'other' }, key: 'other' },
          { payload: { meetingId: 'new' }, key: 'm' },
        ]),
    ],
  ])('is added also while a worker takes the one of the same key: %s', async (_, addNew) => {
    await add('tenant-a', 'm');
    const worker = new pg.Client({ connectionString: database.url });
    await worker.connect();
    try {
      // As graphile-worker's getJob does, whose transaction is over a moment later.
      await worker.query('BEGIN');
      await worker.query(`UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'worker'`);
      const added = db.forTenant('tenant-a').run(addNew);
      await vi.waitFor(async () =>
        expect(await database.query('SELECT FROM pg_locks WHERE NOT granted')).not.toHaveLength(0),
      );
      await worker.query('COMMIT');
      await added;
    } finally {
      await worker.end();
    }
    expect((await jobs()).filter(({ key }) => key === 'sync_meeting:tenant-a:m')).toMatchObject([
      { payload: { meetingId: 'new' } },
    ]);
  });

  it('is out of reach without a tenant', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query('SET ROLE teams_meetings_app');
      await expect(
        client.query(
          "SELECT graphile_worker.add_job('x', jsonb_build_object('t', current_setting('app.tenant_id'))::json)",
        ),
      ).rejects.toThrow(/app\.tenant_id/);
    } finally {
      await client.end();
    }
  });
});

describe('the jobs of a worker that was killed', () => {
  it('are freed when they were held for longer than any job may take, and others are not', async () => {
    await add('tenant-a', 'long');
    await add('tenant-a', 'short');
    await database.query(
      `UPDATE graphile_worker._private_jobs SET locked_by = key, locked_at = now() - CASE WHEN key LIKE '%long' THEN interval '2 minutes' ELSE interval '5 seconds' END`,
    );
    const connections = db.openJobPool(1);
    await connections.freeAbandoned(75_000);
    await connections.end();
    const rows = await database.query(
      'SELECT key, locked_by IS NULL AS free FROM graphile_worker._private_jobs ORDER BY key',
    );
    expect(rows).toEqual([
      { key: 'sync_meeting:tenant-a:long', free: true },
      { key: 'sync_meeting:tenant-a:short', free: false },
    ]);
  });
});

describe('many jobs at once', () => {
  const addMany = (tenantId: string, ids: string[]) =>
    db.forTenant(tenantId).run((prisma) =>
      addJobs(
        prisma,
        'sync_meeting',
        ids.map((meetingId) => ({
          payload: { meetingId, tenantId: 'tenant-b' } as { meetingId: string },
          key: meetingId,
          serial: meetingId,
        })),
      ),
    );

  it('are the jobs that they would be one by one', async () => {
    await add('tenant-a', 'm', { serial: 'm' });
    const single = await jobs();
    await addMany('tenant-a', ['m', 'n', 'm']);
    const [m, n, ...more] = await jobs();
    expect(more).toEqual([]);
    expect(m).toMatchObject({ key: single[0]?.key, payload: single[0]?.payload, queue_id: single[0]?.queue_id });
    expect(n).toMatchObject({ key: 'sync_meeting:tenant-a:n', payload: { meetingId: 'n', tenantId: 'tenant-a' } });
  });

  it('may be none', async () => {
    await addMany('tenant-a', []);
    expect(await jobs()).toEqual([]);
  });
});
