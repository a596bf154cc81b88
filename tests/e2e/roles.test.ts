import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activate, CREATE, MICROSOFT, meetingInput } from '../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { AUDIENCE, ISSUER } from '../support/tokens.ts';
import { listening, type Run, run, start } from './process.ts';

const { directoryId, organizer } = MICROSOFT['tenant-a'];
const MAIN = 'src/main.ts';
const CREATES = { method: 'POST', path: '/events$' };

interface Part {
  process: Run;
  url: string;
}

let directory: string;
let subgraph: TestSubgraph;
let admin: string;
let env: Record<string, string>;
let servers: Part[];
const processes: Run[] = [];

async function startPart(role: string): Promise<Part> {
  const process = start(MAIN, [`--role=${role}`], env);
  processes.push(process);
  return { process, url: await listening(process) };
}

beforeAll(async () => {
  const bytes = randomBytes(32);
  [directory, subgraph] = await Promise.all([
    mkdtemp(join(tmpdir(), 'roles-')),
    startTestSubgraph({ services: { encryptionKeys: [{ id: 'test', bytes }] } }),
  ]);
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(subgraph.tokens.jwks));
  admin = await activate(subgraph);
  env = {
    DATABASE_URL: subgraph.database.url,
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: 'http://127.0.0.1:4001',
    AUTH_JWKS_FILE: jwksFile,
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: AUDIENCE,
    ENCRYPTION_KEYS: `test:${bytes.toString('base64')}`,
    LINK_SIGNING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRAPH_BASE_URL: subgraph.simulatorUrl,
    ENTRA_BASE_URL: subgraph.simulatorUrl,
  };
  servers = await Promise.all([startPart('server'), startPart('server')]);
}, 120_000);
afterAll(async () => {
  for (const { child } of processes) child.kill('SIGKILL');
  await Promise.all(processes.map(({ ended }) => ended));
  await subgraph.close();
  await rm(directory, { recursive: true, force: true });
});

async function create({ url }: Part, appointmentId: string): Promise<{ id: string; status: string }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
    body: JSON.stringify({ query: CREATE, variables: { input: meetingInput({ appointmentId }) } }),
  });
  const { data } = (await response.json()) as {
    data: { createTeamsMeeting: { meeting: { id: string; status: string } } };
  };
  return data.createTeamsMeeting.meeting;
}

/** How many processes listen for jobs. */
const listeners = () =>
  subgraph.database.query('SELECT 1 FROM pg_stat_activity WHERE query LIKE \'LISTEN "jobs:insert"%\'');

const statusOf = async (id: string) =>
  (await subgraph.database.query<{ status: string }>('SELECT status FROM online_meetings WHERE id = $1', [id]))[0]
    ?.status;

/** Lets time pass for everything that waits: planned jobs, leases, and what a dead worker holds. */
async function letTimePass(): Promise<void> {
  await subgraph.database.query(
    "UPDATE graphile_worker._private_jobs SET run_at = now(), locked_at = locked_at - interval '2 minutes'",
  );
  await subgraph.database.query(
    'UPDATE online_meetings SET leased_until = now(), next_attempt_at = least(next_attempt_at, now()) WHERE leased_until IS NOT NULL',
  );
}

describe('servers and a worker that run apart', () => {
  it('a meeting that either server could not finish is finished by the worker, and by the next one if that is killed', async () => {
    // Microsoft asks for a longer wait than a caller of an operation waits.
    await subgraph.simulator.addFault({ match: CREATES, status: 429, headers: { 'retry-after': '120' }, times: null });
    const meetings = await Promise.all(servers.map((server, index) => create(server, `apart-${index}`)));
    expect(meetings.map(({ status }) => status)).toEqual(['PROVISIONING', 'PROVISIONING']);
    await subgraph.simulator.clearFaults();
    expect(await listeners()).toHaveLength(0);

    // The first worker dies while Microsoft has its calls and does not answer.
    await subgraph.simulator.addFault({ match: CREATES, delayMs: 600_000, cut: 'before', times: null });
    await subgraph.simulator.clearRequests();
    await letTimePass();
    const doomed = await startPart('worker');
    // One or both of them: a worker has as many hands as it has.
    const sent = async () => (await subgraph.simulator.requests(CREATES)).length;
    await expect.poll(sent, { timeout: 60_000 }).toBeGreaterThan(0);
    expect(await listeners()).not.toHaveLength(0);
    doomed.process.child.kill('SIGKILL');
    await doomed.process.ended;
    await subgraph.simulator.clearFaults();

    await letTimePass();
    const next = await startPart('worker');
    for (const { id } of meetings) await expect.poll(() => statusOf(id), { timeout: 60_000 }).toBe('SCHEDULED');
    expect(await subgraph.simulator.listEvents(directoryId, organizer)).toHaveLength(2);
    next.process.child.kill('SIGTERM');
    expect(await next.process.ended).toBe(0);
  }, 240_000);

  it('a worker answers for its health and metrics, and nothing else', async () => {
    const worker = await startPart('worker');
    const status = async (path: string, init?: RequestInit) => (await fetch(`${worker.url}${path}`, init)).status;
    expect(await status('/health/live')).toBe(200);
    expect(await status('/health/ready')).toBe(200);
    expect(await (await fetch(`${worker.url}/metrics`)).text()).toContain('teams_meetings_operations_total');
    const post = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    };
    for (const path of ['/graphql', '/webhooks/psa', '/webhooks/graph/notifications'])
      expect([path, await status(path, post)]).toEqual([path, 404]);
    for (const path of ['/', '/status']) expect([path, await status(path)]).toEqual([path, 404]);
  }, 90_000);

  it('all of them end on SIGTERM with exit code 0 and nothing on stderr', async () => {
    const living = processes.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    expect(living).toHaveLength(3);
    for (const { child } of living) child.kill('SIGTERM');
    expect(await Promise.all(living.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    expect(living.map(({ stderr }) => stderr())).toEqual(['', '', '']);
  });
});

it('a role that there is not is refused in one line, and so is a worker that would do nothing', async () => {
  const ends = await Promise.all([
    run(MAIN, ['--role=gateway'], env),
    run(MAIN, ['--role=worker'], { ...env, WORKER_CONCURRENCY: '0' }),
  ]);
  expect(ends).toEqual([
    { code: 1, stdout: '', stderr: '--role must be all, server, worker; it is "gateway".\n' },
    { code: 1, stdout: '', stderr: 'A worker with WORKER_CONCURRENCY=0 would do nothing. Set it to 1 or more.\n' },
  ]);
}, 90_000);
