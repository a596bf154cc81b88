/**
 * The subgraph beside its peers: each in a process of its own, on the same embedded Postgres with the same data, asked
 * the same `_entities` requests with the same token check, in interleaved rounds. Prints medians and ratios.
 *
 * Usage: npm run bench -- [--rounds 5] [--seconds 5] [--only ours,floor] [--workloads W1,W2] [--profile folder]
 * Nothing else should run on the machine. Writes bench/results/<date>.json.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrations.ts';
import { createTokenMaker } from '../tests/support/tokens.ts';
import { fill } from './beside/data.ts';
import { type Measured, measure, refuseOtherAnswers } from './beside/load.ts';
import { type RunningServer, SERVERS, startServer } from './beside/servers.ts';
import { summarize, tableOf } from './beside/summary.ts';
import { LARGE_TENANTS, requestsOf, SMALL_TENANTS, WORKLOADS } from './beside/workloads.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string' },
    workloads: { type: 'string' },
    profile: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const wanted = <T extends { name: string }>(all: readonly T[], names: string | undefined) =>
  names === undefined ? all : all.filter(({ name }) => names.split(',').includes(name));

const directory = await mkdtemp(join(tmpdir(), 'bench-'));
const cluster = await startEmbeddedPostgres({
  directory: join(directory, 'postgres'),
  persistent: false,
  durable: false,
});
const servers: RunningServer[] = [];
try {
  await migrate(cluster.url());
  await fill(cluster.url());
  const maker = await createTokenMaker();
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(maker.jwks));
  const tokens = new Map<string, string>();
  for (const tenant of [...LARGE_TENANTS, ...SMALL_TENANTS])
    tokens.set(tenant, await maker.token('technician', { tenant_id: tenant }));
  for (const kind of wanted(SERVERS, options.only))
    servers.push(await startServer(kind, { databaseUrl: cluster.url(), jwksFile, profileInto: options.profile }));

  const results = [];
  for (const workload of wanted(WORKLOADS, options.workloads)) {
    const requests = requestsOf(workload, 200);
    await refuseOtherAnswers(requests.slice(0, 5), servers, tokens);
    const measured = new Map<string, Measured[]>(servers.map(({ kind }) => [kind.name, []]));
    for (const server of servers) await measure(server, requests, tokens, Math.min(seconds, 3));
    for (let round = 0; round < rounds; round += 1) {
      for (const server of servers)
        measured.get(server.kind.name)?.push(await measure(server, requests, tokens, seconds));
    }
    const { name, title } = workload;
    const summaries = summarize(measured);
    console.log(`\n${name}  ${title}\n${tableOf(summaries)}`);
    results.push({ name, title, servers: summaries });
  }
  const file = `bench/results/${new Date().toISOString().slice(0, 19).replaceAll(':', '')}Z.json`;
  await mkdir('bench/results', { recursive: true });
  const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version };
  await writeFile(file, `${JSON.stringify({ machine, rounds, seconds, workloads: results }, null, 2)}\n`);
  console.log(`\n${file}`);
} finally {
  for (const server of servers) await server.stop();
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
}
