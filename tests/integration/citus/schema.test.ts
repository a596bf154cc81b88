import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trackedFiles } from '../../../scripts/findings.ts';
import { JOB_SCHEMA } from '../../../src/db/names.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type Distribution, prepareSql, readDistribution } from '../../support/distribution.ts';

let database: TestDatabase;
let distribution: Distribution;
let distributed: string[];

beforeAll(async () => {
  [database, distribution] = await Promise.all([createTestDatabase(), readDistribution()]);
  distributed = distribution.tables.map(({ name }) => name);
});
afterAll(() => database.drop());

describe('what is distributed', () => {
  it('is every table, or the file says why it stays on the coordinator', async () => {
    const tables = await database.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1",
    );
    const named = [...distributed, ...distribution.local.keys()].filter((name) => name !== JOB_SCHEMA);
    expect(named.toSorted()).toEqual(tables.map(({ name }) => name).toSorted());
    const schemas = await database.query<{ name: string }>(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname <> 'public' AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'",
    );
    expect(schemas.map(({ name }) => name)).toEqual([JOB_SCHEMA]);
    expect(distribution.local.get(JOB_SCHEMA)?.length).toBeGreaterThan(40);
  });

  it('lies by the tenant, all tables together', async () => {
    const [first, ...others] = distribution.tables;
    expect(first).toEqual({ name: 'teams_integrations', column: 'tenant_id', colocatedWith: 'none' });
    for (const table of others) expect(table).toMatchObject({ column: 'tenant_id', colocatedWith: first?.name });
    const kinds = await database.query(
      `SELECT DISTINCT a.atttypid::regtype::text AS type, a.attnotnull AS required, c.collname AS collation
         FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation
        WHERE a.attname = 'tenant_id' AND a.attrelid = ANY ($1::regclass[])`,
      [distributed],
    );
    expect(kinds, 'tables of one group have one type and collation').toEqual([
      { type: 'text', required: true, collation: 'default' },
    ]);
  });
});

describe('what Citus demands of a distributed table', () => {
  it('is that every unique index has the tenant in it', async () => {
    const without = await database.query(
      `SELECT indexrelid::regclass::text AS index FROM pg_index i
        WHERE i.indrelid = ANY ($1::regclass[]) AND (i.indisunique OR i.indisexclusion) AND NOT EXISTS
          (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = 'tenant_id' AND a.attnum = ANY (i.indkey))`,
      [distributed],
    );
    expect(without).toEqual([]);
  });

  it('is that a foreign key pairs the tenants, changes none, and leads to a table that is distributed before', async () => {
    const keys = await database.query<{ name: string; source: string; target: string; pairs: boolean; kind: string }>(
      `SELECT conname AS name, conrelid::regclass::text AS source, confrelid::regclass::text AS target,
              confupdtype::text || confdeltype::text AS kind,
              EXISTS (SELECT FROM unnest(conkey, confkey) AS k(own, other)
                JOIN pg_attribute o ON o.attrelid = conrelid AND o.attnum = own AND o.attname = 'tenant_id'
                JOIN pg_attribute t ON t.attrelid = confrelid AND t.attnum = other AND t.attname = 'tenant_id') AS pairs
         FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY ($1::regclass[])`,
      [distributed],
    );
    expect(keys.length).toBeGreaterThan(5);
    for (const { name, source, target, pairs, kind } of keys) {
      expect(pairs, name).toBe(true);
      // Update: no action or restrict; delete: these, or cascade. Citus refuses the others where they touch the tenant.
      expect(kind, name).toMatch(/^[ar][arc]$/);
      expect(distributed.indexOf(target), `${target} before ${source}`).toBeLessThan(distributed.indexOf(source));
      expect(distributed).toContain(target);
    }
  });

  it('is that each function of a trigger is distributed, and looks at no table', async () => {
    const triggers = await database.query<{ name: string; body: string }>(
      `SELECT DISTINCT proname AS name, prosrc AS body FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid
        WHERE tgrelid = ANY ($1::regclass[]) AND NOT tgisinternal`,
      [distributed],
    );
    expect(distribution.functions).toEqual(expect.arrayContaining(triggers.map(({ name }) => name)));
    for (const { body } of triggers) expect(body).not.toMatch(/\b(FROM|UPDATE|INSERT|DELETE|PERFORM)\b/i);
  });

  it('is that every function of the database is distributed', async () => {
    const functions = await database.query<{ name: string }>(
      "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    );
    expect(functions.map(({ name }) => name)).toEqual(distribution.functions.toSorted());
  });

  it('is that no policy has a subquery, and the preparing SQL sees to it', async () => {
    const asking = async () =>
      (
        await database.query<{ policy: string }>(
          `SELECT polrelid::regclass || '.' || polname AS policy FROM pg_policy
            WHERE polrelid = ANY ($1::regclass[]) AND concat(polqual::text, polwithcheck::text) LIKE '%{SUBLINK%'`,
          [distributed],
        )
      ).map(({ policy }) => policy);
    expect(await asking()).toEqual(['transcript_passages.tenant_reads']);
    for (let run = 1; run <= 2; run += 1) await database.query(await prepareSql());
    expect(await asking()).toEqual([]);
  });

  it('is that there are no rules and no inheritance', async () => {
    const others = await database.query(
      `SELECT ev_class::regclass::text FROM pg_rewrite WHERE ev_class = ANY ($1::regclass[])
       UNION ALL SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhrelid = ANY ($1::regclass[])`,
      [distributed],
    );
    expect(others).toEqual([]);
  });
});

it('no code moves a row to another tenant', () => {
  const moved = trackedFiles('src/**/*.ts').filter(({ text }) =>
    /\bSET\s+(?:[^;`]*,\s*)?"?tenant_id"?\s*=[^=]/i.test(text),
  );
  expect(moved.map(({ path }) => path)).toEqual([]);
});
