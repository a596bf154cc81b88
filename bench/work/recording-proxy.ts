/**
 * What it costs to pass recordings through one subgraph process: resident memory while 1.5 GB passes, and while 20 play
 * at once; throughput beside a bare Node pipe between the same two ends, in interleaved rounds. Simulator, subgraph,
 * pipe and Postgres are processes of their own; this one is the player.
 *
 *   node bench/recording-proxy.ts [--megabytes 1500] [--each 128] [--players 20] [--rounds 3]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SimulatorControl } from '../simulator/control.ts';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrations.ts';
import { CONNECT, CREATE, MICROSOFT, meetingInput, REFRESH, UPDATE_SETTINGS } from '../tests/support/setup.ts';
import { AUDIENCE, createTokenMaker, ISSUER } from '../tests/support/tokens.ts';

const MEGABYTE = 1_000_000;
const { values: given } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1500' },
    each: { type: 'string', default: '128' },
    players: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
  },
});
const ACME = MICROSOFT['tenant-a'];
const children: ChildProcess[] = [];

/** Starts a part and waits for the address that it tells. */
async function startPart(
  file: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ url: string; pid: number }> {
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(child);
  const { url } = await new Promise<{ url: string }>((resolve, reject) => {
    child.once('message', (told) => resolve(told as { url: string }));
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return { url, pid: child.pid ?? 0 };
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / MEGABYTE;
}

/** Reads an address to its end and counts. */
function drain(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => (answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`${answer.statusCode}`))));
      answer.on('error', reject);
    }).on('error', reject);
  });
}

/** Watches a process's memory while work is done. */
async function watched<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ result: T; curve: number[]; seconds: number }> {
  const curve: number[] = [];
  let isOver = false;
  const watch = (async () => {
    while (!isOver) {
      curve.push(await residentMegabytes(pid));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  const began = performance.now();
  const result = await work();
  const seconds = (performance.now() - began) / 1000;
  isOver = true;
  await watch;
  return { result, curve, seconds };
}

const BARS = '▁▂▃▄▅▆▇█';

/** The curve in 60 steps, between the least and the most that was seen. */
function drawn(curve: number[]): string {
  const least = Math.min(...curve);
  const span = Math.max(Math.max(...curve) - least, 1);
  const steps = Math.min(60, curve.length);
  return Array.from({ length: steps }, (_, step) => {
    const part = curve.slice(
      Math.floor((step * curve.length) / steps),
      Math.floor(((step + 1) * curve.length) / steps),
    );
    return BARS[Math.round(((Math.max(...part) - least) / span) * (BARS.length - 1))];
  }).join('');
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const directory = await mkdtemp(join(tmpdir(), 'recording-proxy-'));
const cluster = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), persistent: false });
let failed = false;
try {
  await migrate(cluster.url());
  const tokens = await createTokenMaker();
  await writeFile(join(directory, 'jwks.json'), JSON.stringify(tokens.jwks));
  const simulator = await startPart('simulator/main.ts', [], { PORT: '0' });
  const key = () => `k1:${randomBytes(32).toString('base64')}`;
  const subgraph = await startPart('src/main.ts', [], {
    DATABASE_URL: cluster.url(),
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: 'http://subgraph.invalid',
    AUTH_JWKS_FILE: join(directory, 'jwks.json'),
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: AUDIENCE,
    ENCRYPTION_KEYS: key(),
    LINK_SIGNING_KEYS: key(),
    GRAPH_BASE_URL: simulator.url,
    ENTRA_BASE_URL: simulator.url,
    LOG_LEVEL: 'warn',
  });
  const admin = await tokens.token('admin');
  const control = new SimulatorControl(simulator.url);

  async function mutate<Payload>(query: string, input: object): Promise<Payload> {
    const response = await fetch(`${subgraph.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const { data, errors } = (await response.json()) as {
      data?: Record<string, Payload>;
      errors?: unknown;
    };
    const payload = Object.values(data ?? {})[0];
    if (payload === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
    return payload;
  }

  await mutate(CONNECT, { clientId: ACME.clientId, directoryId: ACME.directoryId, clientSecret: ACME.secret });
  await mutate(UPDATE_SETTINGS, { organizerUserPrincipalName: ACME.organizer });
  await mutate(UPDATE_SETTINGS, { installStatus: 'ACTIVE' });

  let meetings = 0;
  /** A recording of so many bytes: where the player finds it, and where Graph has it. */
  async function recordingOf(bytes: number): Promise<{ link: string; graph: string }> {
    meetings += 1;
    const { meeting } = await mutate<{ meeting: { id: string; joinUrl: string } }>(
      CREATE,
      meetingInput({ appointmentId: `bench-${meetings}` }),
    );
    const { id, joinUrl } = meeting;
    const call = await control.meetingTookPlace({ directoryId: ACME.directoryId, joinUrl, minRecordingBytes: bytes });
    const refreshed = await mutate<{ meeting: { recordings: { contentUrl: string }[] } }>(REFRESH, { meetingId: id });
    const { recordings } = refreshed.meeting;
    const { pathname, search } = new URL(recordings[0]?.contentUrl ?? '');
    const path = [
      'users',
      call.organizerId,
      'onlineMeetings',
      call.meetingId,
      'recordings',
      call.recordings[0]?.id ?? '',
    ];
    return {
      link: `${subgraph.url}${pathname}${search}`,
      graph: `${simulator.url}/v1.0/${path.map(encodeURIComponent).join('/')}/content`,
    };
  }

  const token = (
    (await (
      await fetch(`${simulator.url}/${ACME.directoryId}/oauth2/v2.0/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: ACME.clientId,
          client_secret: ACME.secret,
          scope: 'https://graph.microsoft.com/.default',
        }),
      })
    ).json()) as { access_token: string }
  ).access_token;

  // What every process takes once, however much it then does.
  const warm = await recordingOf(32 * MEGABYTE);
  for (let i = 0; i < 3; i += 1) await drain(warm.link);
  const before = await residentMegabytes(subgraph.pid);

  const bytes = Number(given.megabytes) * MEGABYTE;
  const one = await recordingOf(bytes);
  const single = await watched(subgraph.pid, () => drain(one.link));
  if (single.result !== bytes) throw new Error(`${single.result} bytes came`);
  const added = Math.max(...single.curve) - before;
  console.log(`one recording of ${given.megabytes} MB   ${(bytes / MEGABYTE / single.seconds).toFixed(0)} MB/s`);
  console.log(
    `  resident memory ${before.toFixed(0)} MB before, ${(before + added).toFixed(0)} MB at most: +${added.toFixed(0)} MB (goal < 64)`,
  );
  console.log(`  ${drawn(single.curve)}`);

  const each = Number(given.each) * MEGABYTE;
  const many: Awaited<ReturnType<typeof recordingOf>>[] = [];
  for (let i = 0; i < Number(given.players); i += 1) many.push(await recordingOf(each));
  const all = await watched(subgraph.pid, () => Promise.all(many.map(({ link }) => drain(link))));
  if (all.result.some((got) => got !== each)) throw new Error('a recording came short');
  const addedByAll = Math.max(...all.curve) - before;
  console.log(
    `${given.players} at once, ${given.each} MB each   ${((each * many.length) / MEGABYTE / all.seconds).toFixed(0)} MB/s together`,
  );
  console.log(
    `  resident memory ${before.toFixed(0)} MB before, ${(before + addedByAll).toFixed(0)} MB at most: +${addedByAll.toFixed(0)} MB (goal < 200)`,
  );
  console.log(`  ${drawn(all.curve)}`);

  const compared = await recordingOf(256 * MEGABYTE);
  const bare = await startPart('bench/bare-proxy.ts', [compared.graph], {});
  const ways: Record<string, () => Promise<number>> = {
    'straight from the simulator': () => drain(compared.graph, { authorization: `Bearer ${token}` }),
    'through a bare Node pipe': () => drain(bare.url, { authorization: `Bearer ${token}` }),
    'through the subgraph': () => drain(compared.link),
  };
  const rates = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round <= Number(given.rounds); round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const began = performance.now();
      const got = await way();
      if (round > 0) rates.get(name)?.push(got / MEGABYTE / ((performance.now() - began) / 1000));
    }
  }
  const pipe = median(rates.get('through a bare Node pipe') ?? []);
  for (const [name, values] of rates) {
    console.log(
      `${name.padEnd(30)} ${median(values).toFixed(0).padStart(6)} MB/s   ${(median(values) / pipe).toFixed(2)} × the pipe`,
    );
  }
  failed = added >= 64 || addedByAll >= 200;
} finally {
  for (const child of children) child.kill('SIGTERM');
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
