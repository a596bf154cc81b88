/**
 * What it costs to bind a tenant to a pooled connection: a primary-key read by four ways on the same embedded
 * Postgres, in interleaved rounds. Prints microseconds a query and the ratio to the unbound read.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrations.ts';
import { TenantPool } from '../src/db/tenant-pool.ts';

const ROUNDS = 7;
const QUERIES = 3_000;
const READ = {
  name: 'read',
  text: 'SELECT install_status FROM teams_integrations WHERE tenant_id = $1',
  values: ['tenant-a'],
};

const cluster = await startEmbeddedPostgres({
  directory: await mkdtemp(join(tmpdir(), 'binding-')),
  persistent: false,
});
const connectionString = cluster.url();
await migrate(connectionString);
const plain = new pg.Pool({ connectionString, max: 1 });
await plain.query(
  "INSERT INTO teams_integrations (tenant_id, created_at, updated_at) VALUES ('tenant-a', now(), now())",
);
const bound = new TenantPool({ connectionString, role: 'teams_meetings_app', max: 1, currentTenant: () => 'tenant-a' });
const session = new pg.Pool({
  connectionString,
  max: 1,
  onConnect: async (client) => void (await client.query('SET ROLE teams_meetings_app')),
});
const local = { name: 'local', text: "SELECT set_config('app.tenant_id', $1, true)", values: ['tenant-a'] };
const lasting = { name: 'lasting', text: "SELECT set_config('app.tenant_id', $1, false)", values: ['tenant-a'] };

const ways: Record<string, () => Promise<unknown>> = {
  'unbound, superuser, no row security': () => plain.query(READ),
  'same message group (ours)': () => bound.query(READ),
  'set_config for the session, then the query': async () => {
    const client = await session.connect();
    await client.query(lasting);
    await client.query(READ);
    client.release();
  },
  'BEGIN, set_config local, query, COMMIT': async () => {
    const client = await session.connect();
    await client.query('BEGIN');
    await client.query(local);
    await client.query(READ);
    await client.query('COMMIT');
    client.release();
  },
};

const samples = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, read] of Object.entries(ways)) {
    const began = performance.now();
    for (let i = 0; i < QUERIES; i++) await read();
    if (round > 0) samples.get(name)?.push(((performance.now() - began) * 1000) / QUERIES);
  }
}
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const floor = median(samples.get('unbound, superuser, no row security') ?? []);
for (const [name, values] of samples) {
  console.log(
    `${name.padEnd(46)} ${median(values).toFixed(0).padStart(6)} µs a query   ${(median(values) / floor).toFixed(2)} ×`,
  );
}
await Promise.all([plain.end(), bound.end(), session.end()]);
await cluster.stop();
