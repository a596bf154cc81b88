import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { addJob, queueFacts } from '../../src/db/job-queue.ts';
import { startWorker, type Worker } from '../../src/jobs/worker.ts';
import type { Logger, Scope } from '../../src/services/scope.ts';
import type { Services } from '../../src/services/services.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const JOBS = 100_000;
const NOBODY: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let database: TestDatabase;
let db: Database;
let worker: Worker | undefined;
/** The tenants whose jobs were taken, in order, and how those of the flood are ended. */
const taken: string[] = [];
const held: (() => void)[] = [];
let isHolding = true;

const services = {
  async syncMeeting({ db: { tenantId } }: Scope) {
    taken.push(tenantId);
    if (tenantId === 'flood' && isHolding) await new Promise<void>((resolve) => held.push(resolve));
  },
} as unknown as Services;

function letGo(): void {
  for (const end of held.splice(0)) end();
}

beforeAll(async () => {
  database = await createTestDatabase();
  db = await openDatabase({ connectionString: database.url, poolSize: 3 });
  await database.query(
    `INSERT INTO graphile_worker._private_tasks (identifier) VALUES ('sync_meeting') ON CONFLICT DO NOTHING`,
  );
  await database.query(
    `INSERT INTO graphile_worker._private_jobs (task_id, payload, run_at, key, flags)
     SELECT t.id, json_build_object('tenantId', 'flood', 'meetingId', i::text), now() - interval '1 hour', 'sync_meeting:flood:' || i, '{"tenant:flood": true}'
       FROM graphile_worker._private_tasks t, generate_series(1, $1) i WHERE t.identifier = 'sync_meeting'`,
    [JOBS],
  );
  await database.query('ANALYZE graphile_worker._private_jobs');
}, 120_000);
afterAll(async () => {
  isHolding = false;
  letGo();
  await worker?.stop();
  await db.close();
  await database.drop();
});

const floodTaken = () => taken.filter((tenant) => tenant === 'flood').length;

it('a hundred thousand due jobs of one tenant keep nobody else waiting', async () => {
  const small = db.forTenant('small');
  worker = await startWorker({ database: db, services, concurrency: 4, logger: NOBODY });
  await vi.waitFor(() => expect(held.length).toBeGreaterThanOrEqual(2), 20_000);
  // Nobody knew when all workers looked for their first job at once; from now on it is known who has so many.
  letGo();
  await vi.waitFor(() => expect(held).toHaveLength(2), 20_000);
  const before = floodTaken();
  for (const meetingId of ['a', 'b', 'c'])
    await small.run((prisma) => addJob(prisma, 'sync_meeting', { meetingId }, { key: meetingId }));
  await vi.waitFor(() => expect(taken.filter((tenant) => tenant === 'small')).toHaveLength(3), 20_000);
  expect(floodTaken()).toBe(before);
  // And whoever has so many gets on, too.
  letGo();
  await vi.waitFor(() => expect(floodTaken()).toBeGreaterThan(before), 20_000);
}, 60_000);

it('and are counted by one statement, within the time that a statement may take', async () => {
  const flood = await db.forTenant('flood').run((prisma) => queueFacts(prisma));
  expect(flood.waiting + flood.running).toBeGreaterThan(JOBS - 100);
  expect(await db.forTenant('small').run((prisma) => queueFacts(prisma))).toMatchObject({ waiting: 0, givenUp: 0 });
});

it('a job carries the flag of its tenant, by which the workers are shared out', async () => {
  await db
    .forTenant('flagged')
    .run((prisma) => addJob(prisma, 'sync_meeting', { meetingId: 'm' }, { key: 'm', delayMs: 60_000 }));
  const rows = await database.query(
    "SELECT flags FROM graphile_worker._private_jobs WHERE key = 'sync_meeting:flagged:m'",
  );
  expect(rows).toEqual([{ flags: { 'tenant:flagged': true } }]);
});
