import { join } from 'node:path';
import { startEmbeddedPostgres } from '../db/embedded-postgres.ts';
import { DATA_DIRECTORY } from './development-secrets.ts';

/** The database of `npm start` inside the embedded cluster. */
export const LOCAL_DATABASE = 'teams_meetings';

/** Runs work on the embedded database under `.data/`, starting and stopping its server. */
export async function withLocalDatabase<T>(
  work: (urls: { url: string; applicationUrl: string }) => Promise<T>,
): Promise<T> {
  const cluster = await startEmbeddedPostgres({ directory: join(DATA_DIRECTORY, 'postgres'), persistent: true });
  try {
    await cluster.ensureDatabase(LOCAL_DATABASE);
    return await work({ url: cluster.url(LOCAL_DATABASE), applicationUrl: cluster.applicationUrl(LOCAL_DATABASE) });
  } finally {
    await cluster.stop();
  }
}
