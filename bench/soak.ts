/**
 * Whether memory stays flat: boards and join links of 200 tenants are asked for without a pause, a tenth of them in query
 * texts that were never sent before, and what is in memory is sampled after garbage collection. Prints each sample and how
 * memory rises. Exit code 1 when the heap does not stay flat.
 *
 * Usage: npm run bench:soak -- [--minutes 10] [--distinct-every 10]
 *   With 1 every request has a text of its own: what rises then and did not before is kept for each text.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrations.ts';
import { createTokenMaker } from '../tests/support/tokens.ts';
import { fill } from './beside/data.ts';
import { headersOf } from './beside/load.ts';
import { LARGE_TENANTS, requestsOf, SMALL_TENANTS, WORKLOADS } from './beside/workloads.ts';
import { type Child, startChild } from './support/child.ts';
import { ourEnvironment } from './support/environment.ts';
import { slopeOf } from './support/statistics.ts';

const MEGABYTE = 2 ** 20;
const SAMPLES = 40;
const SHORTEST_SLICE_S = 3;
/** What is only warming up is no growth. */
const WARM_UP_SHARE = 0.25;
/** A slope that says nothing: less than this a minute, whichever way, or within twice its standard error. */
const FLAT_MEGABYTES = 0.1;
const CONNECTIONS = 8;

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, 'distinct-every': { type: 'string', default: '10' } },
});
const minutes = Number(options.minutes);
const distinctEvery = Number(options['distinct-every']);
const sliceSeconds = Math.max(SHORTEST_SLICE_S, Math.round((minutes * 60) / SAMPLES));
const slices = Math.ceil((minutes * 60) / sliceSeconds);

interface Sample {
  minute: number;
  heap: number;
  external: number;
  resident: number;
}

/** In megabytes. */
async function sample(server: Child, began: number): Promise<Sample> {
  const told = (await server.ask('memory')) as NodeJS.MemoryUsage;
  return {
    minute: (performance.now() - began) / 60_000,
    heap: told.heapUsed / MEGABYTE,
    external: told.external / MEGABYTE,
    resident: told.rss / MEGABYTE,
  };
}

/** @returns whether it is flat */
function judge(name: string, samples: readonly Sample[], pick: (one: Sample) => number): boolean {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const { slope, standardError } = slopeOf(warm.map((one) => ({ x: one.minute, y: pick(one) })));
  const isFlat = Math.abs(slope) < Math.max(FLAT_MEGABYTES, 2 * standardError);
  const verdict = isFlat ? 'flat' : 'GROWS';
  console.log(
    `  ${name.padEnd(9)} ${slope.toFixed(3).padStart(8)} ± ${standardError.toFixed(3)} MB a minute   ${verdict}`,
  );
  return isFlat;
}

const directory = await mkdtemp(join(tmpdir(), 'soak-'));
const cluster = await startEmbeddedPostgres({
  directory: join(directory, 'postgres'),
  persistent: false,
  durable: false,
});
let server: Child | undefined;
try {
  await migrate(cluster.url());
  await fill(cluster.url());
  const maker = await createTokenMaker();
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(maker.jwks));
  // Good for as long as the soak lasts.
  const expiresAt = Math.floor(Date.now() / 1000) + (minutes + 60) * 60;
  const tokens = new Map<string, string>();
  for (const tenant of [...LARGE_TENANTS, ...SMALL_TENANTS])
    tokens.set(tenant, await maker.token('technician', { tenant_id: tenant, exp: expiresAt }));

  server = await startChild('dist/main.js', {
    nodeOptions: ['--expose-gc', '--import', './bench/support/memory-teller.ts'],
    env: ourEnvironment({ databaseUrl: cluster.url(), jwksFile }),
  });

  let distinct = 0;
  const mixed = WORKLOADS.filter(({ name }) => name === 'W1' || name === 'W4').flatMap((one) => requestsOf(one, 200));
  const requests = mixed.map(({ tenant, body }, place) => ({
    method: 'POST' as const,
    headers: headersOf(tokens.get(tenant) ?? ''),
    body,
    ...(place % distinctEvery > 0
      ? {}
      : {
          setupRequest(request: autocannon.Request): autocannon.Request {
            distinct += 1;
            return { ...request, body: body.replace(/"query (\w+)\(/, `"query $1${distinct}(`) };
          },
        }),
  }));

  const began = performance.now();
  const samples: Sample[] = [];
  let answered = 0;
  console.log('minute    heap MB  external MB  resident MB  requests');
  for (let slice = 0; slice < slices; slice += 1) {
    const result = await autocannon({
      url: `${server.url}/graphql`,
      connections: CONNECTIONS,
      duration: sliceSeconds,
      requests,
    });
    const failed = result.errors + result.timeouts + result.non2xx;
    if (failed > 0) throw new Error(`${failed} of ${result.requests.total} requests failed`);
    answered += result.requests.total;
    const told = await sample(server, began);
    samples.push(told);
    const { minute, heap, external, resident } = told;
    console.log(
      `${minute.toFixed(2).padStart(6)} ${heap.toFixed(1).padStart(10)} ${external.toFixed(1).padStart(12)} ${resident.toFixed(1).padStart(12)} ${String(answered).padStart(9)}`,
    );
  }
  console.log(`\n${answered} requests, ${distinct} of them in a text of their own; the first quarter is warm-up`);
  const isHeapFlat = judge('heap', samples, ({ heap }) => heap);
  judge('external', samples, ({ external }) => external);
  judge('resident', samples, ({ resident }) => resident);
  process.exitCode = isHeapFlat ? 0 : 1;
} finally {
  await server?.stop();
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
}
