import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { TEMPLATE } from './global-setup.ts';

export interface TestDatabase {
  /** Of the superuser, who owns the tables: for migrating, and for looking past row security. */
  url: string;
  /** Of the login that serves: it owns nothing and is bound by row security. */
  applicationUrl: string;
  /** Runs SQL as the superuser, past row security. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

async function onCluster(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A database of its own, copied from the migrated template. */
export async function createTestDatabase(template = TEMPLATE): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onCluster(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const [url, applicationUrl] = [new URL(inject('postgresUrl')), new URL(inject('applicationUrl'))];
  for (const each of [url, applicationUrl]) each.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 2 });
  pool.on('error', () => undefined);
  return {
    url: url.href,
    applicationUrl: applicationUrl.href,
    query: async <Row extends object>(sql: string, values?: unknown[]) => (await pool.query<Row>(sql, values)).rows,
    async drop() {
      await pool.end();
      await onCluster(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
