import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { admitLogin } from '../../src/db/application-role.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { migrate } from '../../src/db/migrations.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's connection string of the cluster, for the database `postgres`. */
    postgresUrl: string;
    /** The same of the server's login, which owns nothing. */
    applicationUrl: string;
  }
}

/** A migrated database that every test database is copied from. */
export const TEMPLATE = 'template_teams_meetings';

/** One Postgres for the whole run, gone at its end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'teams-meetings-tests-'));
  const cluster = await startEmbeddedPostgres({ directory, persistent: false, durable: false });
  await cluster.ensureDatabase(TEMPLATE);
  await migrate(cluster.url(TEMPLATE));
  await admitLogin(cluster.url(TEMPLATE), cluster.applicationUrl(TEMPLATE));
  project.provide('postgresUrl', cluster.url());
  project.provide('applicationUrl', cluster.applicationUrl('postgres'));
  return async () => {
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
