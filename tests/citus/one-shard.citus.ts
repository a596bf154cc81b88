import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrate } from '../../src/db/migrations.ts';
import { WITHOUT_WAITS } from '../integration/domain/support.ts';
import { distributeSql, prepareSql, readDistribution } from '../support/distribution.ts';
import { type HotStatement, hotStatements } from '../support/hot-statements.ts';
import { startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';

let coordinator: pg.Client;
let subgraph: TestSubgraph;
let statements: HotStatement[];

beforeAll(async () => {
  const connectionString = inject('citusUrl');
  coordinator = new pg.Client({ connectionString });
  await coordinator.connect();
  const { rows } = await coordinator.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
  );
  if (rows.length > 0)
    throw new Error('The database of CITUS_DATABASE_URL has tables. Give an empty one: this test distributes its own.');
  await coordinator.query('CREATE EXTENSION IF NOT EXISTS citus');
  await migrate(connectionString);
  await coordinator.query(await prepareSql());
  // One by one: a table cannot be distributed in a transaction in which others were in parallel.
  for (const statement of (await distributeSql()).split(/;$/m)) {
    if (statement.replace(/^--.*$/gm, '').trim() !== '') await coordinator.query(statement);
  }
  // What the server asks is heard from one on plain Postgres: the statements are the same.
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
  statements = await hotStatements(subgraph);
}, 300_000);
afterAll(async () => {
  await subgraph?.close();
  await coordinator?.end();
});

describe('on Citus', () => {
  it('every table is distributed by the tenant, all in one group', async () => {
    const { rows } = await coordinator.query(
      'SELECT table_name::text AS name, distribution_column AS column FROM citus_tables ORDER BY 1',
    );
    const { tables } = await readDistribution();
    expect(rows).toEqual(
      tables.map(({ name, column }) => ({ name, column })).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    const groups = await coordinator.query('SELECT DISTINCT colocation_id FROM citus_tables');
    expect(groups.rows).toHaveLength(1);
  });

  it('every statement of the hot paths is one task', async () => {
    const elsewhere: string[] = [];
    for (const { of, text, values } of statements) {
      await coordinator.query('BEGIN');
      await coordinator.query("SET LOCAL app.tenant_id = 'tenant-a'");
      const plan = await coordinator
        .query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${text}`, values)
        .then(({ rows }) => rows.map((row) => row['QUERY PLAN']).join('\n'))
        .catch((error: Error) => error.message);
      await coordinator.query('ROLLBACK');
      if (!/Task Count: 1\b/.test(plan)) elsewhere.push(`${of}: ${text}\n${plan}`);
    }
    expect(elsewhere).toEqual([]);
  });
});
