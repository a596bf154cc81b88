import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { seedEveryTable } from './seed.ts';

const database = await createTestDatabase();
/** Every table of ours, found in the database itself so that a new one cannot be forgotten. */
const tables = (
  await database.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> '_prisma_migrations' ORDER BY 1`,
  )
).map((table) => table.name);

/** A plain client of the server's login, bound to no tenant: what a forgotten binding would be. */
const app = new pg.Client({ connectionString: database.applicationUrl });

beforeAll(async () => {
  await seedEveryTable(database);
  await app.connect();
});
afterAll(async () => {
  await app.end();
  await database.drop();
});

async function asTenant<T extends object>(
  tenantId: string,
  sql: string,
  values: unknown[] = [],
): Promise<pg.QueryResult<T>> {
  await app.query('BEGIN');
  try {
    await app.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId]);
    return await app.query<T>(sql, values);
  } finally {
    await app.query('ROLLBACK');
  }
}

it('finds the tables', () => {
  expect(tables).toEqual(expect.arrayContaining(['teams_integrations', 'online_meetings', 'audit_events']));
});

describe.each(tables)('table %s', (table) => {
  const stored = async () => {
    const [row] = await database.query<{ row: { tenant_id: string } }>(
      `SELECT to_jsonb(t) AS row FROM ${table} t WHERE tenant_id = 'tenant-a'`,
    );
    expect(row, 'seedEveryTable must store a row in every table').toBeDefined();
    return row?.row ?? { tenant_id: '' };
  };

  it('has row security that binds its owner too', async () => {
    const [facts] = await database.query(
      `SELECT relrowsecurity AS enabled, relforcerowsecurity AS forced, (SELECT count(*)::int > 0 FROM pg_policy WHERE polrelid = pg_class.oid) AS "hasPolicy" FROM pg_class WHERE oid = $1::regclass`,
      [table],
    );
    expect(facts).toEqual({ enabled: true, forced: true, hasPolicy: true });
  });

  it('shows no row without a tenant, and to a tenant its own', async () => {
    await stored();
    expect((await app.query(`SELECT * FROM ${table}`)).rows).toEqual([]);
    expect((await asTenant('', `SELECT * FROM ${table}`)).rows).toEqual([]);
    const { rows } = await asTenant<{ tenant_id: string }>('tenant-b', `SELECT DISTINCT tenant_id FROM ${table}`);
    expect(rows).toEqual([{ tenant_id: 'tenant-b' }]);
  });

  it('takes no row without a tenant, nor one that names another tenant', async () => {
    const row = await stored();
    const insert = `INSERT INTO ${table} SELECT * FROM jsonb_populate_record(NULL::${table}, $1)`;
    await expect(app.query(insert, [row])).rejects.toThrow(/violates row-level security policy/);
    await expect(asTenant('tenant-b', insert, [row])).rejects.toThrow(/violates row-level security policy/);
  });

  it('takes an empty tenant, which a used connection is left with, for none', async () => {
    const row = { ...(await stored()), tenant_id: '' };
    const insert = `INSERT INTO ${table} SELECT * FROM jsonb_populate_record(NULL::${table}, $1)`;
    await expect(asTenant('', insert, [row])).rejects.toThrow(/row-level security/);
    expect((await asTenant('', `SELECT FROM ${table}`)).rowCount).toBe(0);
  });

  it('is not the application’s to change or to open', async () => {
    for (const statement of [
      `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`,
      `ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`,
      `CREATE POLICY open ON ${table} USING (true)`,
      `DROP POLICY tenant_isolation ON ${table}`,
      `DROP TABLE ${table} CASCADE`,
    ])
      await expect(app.query(statement), statement).rejects.toThrow(/must be owner|does not exist/);
    await expect(app.query(`TRUNCATE ${table} CASCADE`)).rejects.toThrow('permission denied');
    await app.query('SET row_security = off');
    await expect(app.query(`SELECT * FROM ${table}`)).rejects.toThrow('would be affected by row-level security');
    await app.query('RESET row_security');
  });

  it('lets nobody change, move or delete rows of another tenant', async () => {
    await stored();
    for (const statement of [
      `UPDATE ${table} SET tenant_id = 'tenant-b' WHERE tenant_id = 'tenant-a'`,
      `DELETE FROM ${table} WHERE tenant_id = 'tenant-a'`,
    ]) {
      const touched = await asTenant('tenant-b', statement).then(
        (result) => result.rowCount,
        (error: pg.DatabaseError) => error.code,
      );
      expect([0, '42501'], statement).toContain(touched);
    }
    await expect(asTenant('tenant-a', `UPDATE ${table} SET tenant_id = 'tenant-b'`)).rejects.toThrow(
      /row-level security|permission denied/,
    );
  });

  it('begins its primary key and every unique index with tenant_id', async () => {
    const indexes = await database.query<{ name: string; first: string; primary: boolean }>(
      `SELECT indexrelid::regclass::text AS name, attname AS first, indisprimary AS primary
         FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] WHERE indrelid = $1::regclass AND indisunique`,
      [table],
    );
    expect(indexes.filter((index) => index.primary)).toHaveLength(1);
    expect(indexes.filter((index) => index.first !== 'tenant_id')).toEqual([]);
  });

  it('has tenant_id in every foreign key, pointing at tenant_id', async () => {
    const wrong = await database.query(
      `SELECT conname FROM pg_constraint c WHERE contype = 'f' AND conrelid = $1::regclass AND NOT EXISTS (
         SELECT FROM unnest(conkey, confkey) AS pair(own, theirs)
           JOIN pg_attribute o ON o.attrelid = conrelid AND o.attnum = own AND o.attname = 'tenant_id'
           JOIN pg_attribute t ON t.attrelid = confrelid AND t.attnum = theirs AND t.attname = 'tenant_id')`,
      [table],
    );
    expect(wrong).toEqual([]);
  });
});

describe('the server’s login', () => {
  it('is neither a superuser, nor the owner, nor able to become one of them', async () => {
    const [role] = (
      await app.query(
        `SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = session_user`,
      )
    ).rows;
    expect(Object.values(role).filter(Boolean)).toEqual([]);
    await expect(app.query('SET ROLE postgres')).rejects.toThrow('permission denied to set role');
    await expect(app.query('CREATE TABLE own (id int)')).rejects.toThrow('permission denied for schema public');
    await expect(app.query("UPDATE _prisma_migrations SET logs = 'x'")).rejects.toThrow('permission denied');
  });

  it('learns which keys all tenants’ secrets need, and nothing else of them', async () => {
    expect((await app.query('SELECT * FROM secret_keys_in_use() ORDER BY 1')).rows).toEqual([
      { tenant_id: 'tenant-a', key_id: 'k', secrets: '1' },
      { tenant_id: 'tenant-b', key_id: 'k', secrets: '1' },
    ]);
    await app.query("SELECT set_config('app.lists_secrets', 'on', false)");
    expect((await app.query('SELECT * FROM microsoft_apps')).rows).toEqual([]);
    await app.query("SELECT set_config('app.lists_secrets', '', false)");
  });
});

describe('the audit trail', () => {
  it.each(['UPDATE audit_events SET outcome = $1', 'DELETE FROM audit_events WHERE outcome <> $1'])(
    'refuses the application %s',
    async (statement) => {
      await expect(asTenant('tenant-a', statement, ['forged'])).rejects.toThrow(
        'permission denied for table audit_events',
      );
    },
  );

  it('cannot be emptied by the application', async () => {
    await expect(asTenant('tenant-a', 'TRUNCATE audit_events')).rejects.toThrow('permission denied');
  });
});
