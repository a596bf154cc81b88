/**
 * The subgraph beside its peers, and what it does alone beside the least that it could take. Prints medians and ratios,
 * and the goals that were missed. Nothing else should run on the machine.
 *
 * Usage: npm run bench -- [--rounds 5] [--seconds 3] [--only ours,floor] [--workloads W1,W6] [--profile folder]
 *   W1–W5  requests of a gateway and a phone, of this server and its peers: `beside/`
 *   W6–W8  capture, recordings, search: `tasks/`
 * Writes bench/results/<date>.json.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrations.ts';
import { createTokenMaker } from '../tests/support/tokens.ts';
import { compare } from './beside/compare.ts';
import { tableOf } from './beside/summary.ts';
import { LARGE_TENANTS, SMALL_TENANTS, WORKLOADS } from './beside/workloads.ts';
import { goalsOf, linesOfGoals } from './report/goals.ts';
import { type BenchResult, linesOf, type WorkloadResult } from './report/result.ts';
import type { Surroundings } from './support/environment.ts';
import { capture } from './tasks/capture.ts';
import { recordingProxy } from './tasks/recording-proxy.ts';
import { transcriptSearch } from './tasks/transcript-search.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string' },
    workloads: { type: 'string' },
    profile: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const names = options.workloads?.split(',');
const isWanted = (name: string) => names?.includes(name) ?? true;

const directory = await mkdtemp(join(tmpdir(), 'bench-'));
const cluster = await startEmbeddedPostgres({
  directory: join(directory, 'postgres'),
  persistent: false,
  durable: false,
});
const results: WorkloadResult[] = [];
const tell = (result: WorkloadResult) => {
  const { name, title, servers, measures } = result;
  results.push(result);
  console.log(`\n${name}  ${title}\n${servers === undefined ? linesOf(measures ?? []) : tableOf(servers)}`);
};
try {
  const maker = await createTokenMaker();
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(maker.jwks));
  /** A migrated database of its own: what one workload leaves behind is nothing to another. */
  const surroundingsOf = async (name: string): Promise<Surroundings> => {
    await cluster.ensureDatabase(name);
    await migrate(cluster.url(name));
    return { databaseUrl: cluster.url(name), jwksFile };
  };

  const workloads = WORKLOADS.filter(({ name }) => isWanted(name));
  if (workloads.length > 0) {
    const tokens = new Map<string, string>();
    for (const tenant of [...LARGE_TENANTS, ...SMALL_TENANTS])
      tokens.set(tenant, await maker.token('technician', { tenant_id: tenant }));
    const only = options.only?.split(',');
    const comparison = { workloads, rounds, seconds, only, profileInto: options.profile, tokens };
    for await (const result of compare(await surroundingsOf('beside'), comparison)) tell(result);
  }
  if (isWanted('W6')) tell(await capture(await surroundingsOf('capture'), rounds));
  if (isWanted('W7')) tell(await recordingProxy(await surroundingsOf('recordings'), maker, rounds));
  if (isWanted('W8')) tell(await transcriptSearch(await surroundingsOf('search')));

  console.log(`\nGoals\n${linesOfGoals(goalsOf(results))}`);
  const result: BenchResult = {
    at: new Date().toISOString(),
    machine: { cores: cpus().length, model: cpus()[0]?.model, node: process.version },
    rounds,
    seconds,
    workloads: results,
  };
  const file = `bench/results/${result.at.slice(0, 19).replaceAll(':', '')}Z.json`;
  await mkdir('bench/results', { recursive: true });
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`\n${file}`);
} finally {
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
}
