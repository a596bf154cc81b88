import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createClient, insist, type Performed } from '../chaos/operations.ts';
import { FAULTY, judge, settled } from '../chaos/oracle.ts';
import { seededRandom } from '../chaos/random.ts';
import { setUp } from '../chaos/set-up.ts';
import { type ChaosWorld, startChaosWorld } from '../chaos/world.ts';

/** Real processes, since it is about their end, and about what a process does when its database goes. */
let world: ChaosWorld;
beforeAll(async () => {
  world = await startChaosWorld(2);
  await setUp(world, seededRandom(1));
}, 240_000);
afterAll(() => world.stop(), 60_000);

/** Jobs that are done at once: some always end while the database goes. */
const QUICK_JOBS = `SELECT graphile_worker.add_job('sync_meeting', json_build_object('tenantId', 'chaos-1', 'meetingId',
  '00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))) FROM generate_series(1, 300) i`;
const LAST_JOB = `SELECT graphile_worker.add_job('sync_meeting', json_build_object('tenantId', 'chaos-1', 'meetingId',
  '00000000-0000-4000-8000-000000000000'), job_key => 'last')`;

it('a database that is restarted under load ends no process and no worker, and nothing that was accepted is lost', async () => {
  const performed: Performed[] = [];
  let isOver = false;
  let number = 0;
  const clients = [1, 2, 3].map((seed) =>
    createClient(world.replicas, world.tenants, 5, seededRandom(seed), () => {
      number += 1;
      return number;
    }),
  );
  const load = clients.map(async (client) => {
    while (!isOver) performed.push(await client.perform());
  });
  for (const awayMs of [0, 2_500]) {
    await world.query(QUICK_JOBS);
    await vi.waitFor(async () => {
      const [busy] = await world.query('SELECT 1 FROM graphile_worker.jobs WHERE locked_at IS NOT NULL LIMIT 1');
      expect(busy).toBeDefined();
    }, 10_000);
    await world.restartDatabase(awayMs);
  }
  await setTimeout(2_000);
  isOver = true;
  await Promise.all(load);
  const log = await readFile(world.logFile, 'utf8');
  expect(
    world.replicas.map((replica) => replica.isRunning()),
    // What a process that dies says is no line of its log.
    log
      .split('\n')
      .filter((line) => !line.startsWith('{'))
      .join('\n')
      .slice(-6_000),
  ).toEqual([true, true]);
  // What only kept the workers busy need not be done.
  await world.query('DELETE FROM graphile_worker._private_jobs WHERE key IS NULL AND locked_at IS NULL');
  await settled(world, 240_000);
  const verdict = await judge(world, performed);
  expect([verdict.findings, ...FAULTY.map((name) => verdict[name])]).toEqual([[], ...FAULTY.map(() => 0)]);
  // Workers, too, have lived through both.
  await world.query(LAST_JOB);
  await vi.waitFor(
    async () => expect(await world.query("SELECT 1 FROM graphile_worker.jobs WHERE key = 'last'")).toEqual([]),
    60_000,
  );
}, 480_000);

it('a process that is told to stop while Microsoft hangs ends within 20 s, and another one does what it had accepted', async () => {
  const [tenant] = world.tenants;
  const [first, second] = world.replicas;
  if (!tenant || !first || !second) throw new Error('there is no world');
  await world.query('TRUNCATE online_meetings CASCADE');
  const events = () => world.simulator.listEvents(tenant.directoryId, tenant.organizer);
  for (const { immutableId } of await events())
    await world.simulator.deleteEvent(tenant.directoryId, tenant.organizer, immutableId);
  await world.simulator.addFault({ match: { method: 'POST', path: '/events$' }, delayMs: 120_000, times: null });

  const query =
    'mutation ($input: CreateTeamsMeetingInput!) { createTeamsMeeting(input: $input) { meeting { status } userErrors { code } } }';
  const asked = ['drain-1', 'drain-2', 'drain-3'].map((appointmentId, hour) => {
    const startsAt = new Date(Date.UTC(2037, 0, 1, hour)).toISOString();
    const input = {
      appointmentId,
      subject: appointmentId,
      startsAt,
      endsAt: new Date(Date.UTC(2037, 0, 1, hour + 1)).toISOString(),
    };
    return insist<{ createTeamsMeeting: unknown }>([first], seededRandom(hour), tenant.technician, query, { input });
  });
  await vi.waitFor(async () => {
    const hanging = await world.simulator.requests({ method: 'POST', path: '/events$' });
    expect(hanging.filter(({ status }) => status === null)).toHaveLength(3);
  }, 30_000);
  const began = performance.now();
  expect(await first.terminate()).toBe(0);
  // The one limit that is a promise: orchestrators kill after it.
  expect(performance.now() - began).toBeLessThan(20_000);
  for (const { data } of await Promise.all(asked))
    expect(data.createTeamsMeeting).toEqual({ meeting: { status: 'PROVISIONING' }, userErrors: [] });

  await world.simulator.clearFaults();
  await world.query('UPDATE online_meetings SET late_create_until = now() WHERE late_create_until > now()');
  expect(await settled(world, 120_000)).toBe(true);
  expect((await events()).map(({ subject }) => subject).toSorted()).toEqual(['drain-1', 'drain-2', 'drain-3']);
  const rows = await world.query<{ status: string }>('SELECT status::text FROM online_meetings');
  expect(rows.map(({ status }) => status)).toEqual(['SCHEDULED', 'SCHEDULED', 'SCHEDULED']);
}, 240_000);
