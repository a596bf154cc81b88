/**
 * One process of the subgraph beside two behind one Postgres, with the same requests from the same sixteen connections,
 * which go to both in turn. Prints the rates and their ratio, where the time of the processors goes, and what a row of
 * each table takes on disk.
 *
 * Usage: node scripts/build.ts && node bench/replicas.ts [--rounds 5] [--seconds 5] [--workload W2]
 * Nothing else should run on the machine; of Linux alone the processors' time is known.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrations.ts';
import { createTokenMaker } from '../tests/support/tokens.ts';
import { fill } from './beside/data.ts';
import { measure } from './beside/load.ts';
import { type RunningServer, SERVERS, startServer } from './beside/servers.ts';
import { LARGE_TENANTS, type PreparedRequest, requestsOf, SMALL_TENANTS, WORKLOADS } from './beside/workloads.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    workload: { type: 'string', default: 'W2' },
  },
});

interface Round {
  requestsPerSecond: number;
  /** Milliseconds of a processor a request. */
  server: number;
  postgres: number;
  generator: number;
}

/** Seconds of a processor that Postgres's backends have used, by Linux' own books. */
async function postgresSeconds(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'",
  );
  const ticks = rows.map(async ({ pid }) => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100 || 0;
  });
  return (await Promise.all(ticks)).reduce((sum, one) => sum + one, 0);
}

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** Two loads at once, each on a server of its own or both on one. */
async function round(
  targets: readonly RunningServer[],
  { requests, tokens, client }: { requests: PreparedRequest[]; tokens: Map<string, string>; client: pg.Client },
): Promise<Round> {
  const servers = [...new Set(targets)];
  const serverSeconds = async () =>
    (await Promise.all(servers.map((server) => server.usage()))).reduce((sum, one) => sum + (one?.cpuSeconds ?? 0), 0);
  const [serverBefore, postgresBefore, ownBefore] = [
    await serverSeconds(),
    await postgresSeconds(client),
    process.cpuUsage(),
  ];
  const seconds = Number(options.seconds);
  const loads = await Promise.all(targets.map((server) => measure(server, requests, tokens, seconds)));
  const own = process.cpuUsage(ownBefore);
  const requestsPerSecond = loads.reduce((sum, load) => sum + load.requestsPerSecond, 0);
  const perRequest = (used: number) => (used * 1000) / (requestsPerSecond * seconds);
  return {
    requestsPerSecond,
    server: perRequest((await serverSeconds()) - serverBefore),
    postgres: perRequest((await postgresSeconds(client)) - postgresBefore),
    generator: perRequest((own.user + own.system) / 1e6),
  };
}

async function printSizes(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string; rows: string; bytes: string }>(
    `SELECT relname AS name, n_live_tup AS rows, pg_total_relation_size(relid) AS bytes
       FROM pg_stat_user_tables WHERE schemaname = 'public' AND n_live_tup > 1000 ORDER BY relname`,
  );
  console.log('\ntable                     rows  bytes a row, indexes included');
  for (const { name, rows: count, bytes } of rows)
    console.log(`${name.padEnd(22)} ${count.padStart(7)}  ${(Number(bytes) / Number(count)).toFixed(0).padStart(5)}`);
}

const directory = await mkdtemp(join(tmpdir(), 'replicas-'));
const cluster = await startEmbeddedPostgres({
  directory: join(directory, 'postgres'),
  persistent: false,
  durable: false,
});
const client = new pg.Client({ connectionString: cluster.url() });
const servers: RunningServer[] = [];
try {
  await migrate(cluster.url());
  await fill(cluster.url());
  await client.connect();
  const maker = await createTokenMaker();
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(maker.jwks));
  const tokens = new Map<string, string>();
  for (const tenant of [...LARGE_TENANTS, ...SMALL_TENANTS])
    tokens.set(tenant, await maker.token('technician', { tenant_id: tenant }));
  const ours = SERVERS.find(({ name }) => name === 'ours');
  const workload = WORKLOADS.find(({ name }) => name === options.workload);
  if (ours === undefined || workload === undefined) throw new Error(`There is no workload ${options.workload}`);
  for (let n = 0; n < 2; n += 1) servers.push(await startServer(ours, { databaseUrl: cluster.url(), jwksFile }));
  const [first, second] = servers;
  if (first === undefined || second === undefined) throw new Error('no servers');

  const world = { requests: requestsOf(workload, 200), tokens, client };
  const arms = { one: [first, first], two: [first, second] };
  const measured: Record<keyof typeof arms, Round[]> = { one: [], two: [] };
  for (const server of servers) await measure(server, world.requests, tokens, Number(options.seconds));
  for (let n = 0; n < Number(options.rounds); n += 1) {
    for (const arm of ['one', 'two'] as const) measured[arm].push(await round(arms[arm], world));
  }
  console.log(`${workload.name}  ${workload.title}, ${availableParallelism()} processors\n`);
  console.log('processes    req/s   ms of a processor a request: subgraph  Postgres  load');
  for (const arm of ['one', 'two'] as const) {
    const of = (pick: (one: Round) => number) => median(measured[arm].map(pick));
    const [rate, server, postgres, generator] = [
      of((r) => r.requestsPerSecond),
      of((r) => r.server),
      of((r) => r.postgres),
      of((r) => r.generator),
    ];
    console.log(
      `${arm.padEnd(9)} ${rate.toFixed(0).padStart(8)} ${server.toFixed(2).padStart(39)} ${postgres.toFixed(2).padStart(9)} ${generator.toFixed(2).padStart(5)}`,
    );
  }
  const rates = measured.one.map(
    ({ requestsPerSecond }, n) => (measured.two[n]?.requestsPerSecond ?? 0) / requestsPerSecond,
  );
  const all = (r: Round) => r.server + r.postgres + r.generator;
  const bound =
    (availableParallelism() * median(measured.one.map(({ server }) => server))) / median(measured.one.map(all));
  console.log(`\ntwo / one: ${median(rates).toFixed(2)} (rounds ${rates.map((one) => one.toFixed(2)).join(' ')})`);
  console.log(`This machine's processors, shared by all three, allow ${Math.min(2, bound).toFixed(2)} at most.`);
  await printSizes(client);
} finally {
  for (const server of servers) await server.stop();
  await client.end();
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
}
