import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import type { DevelopmentConfig } from '../config.ts';
import { admitLogin } from '../db/application-role.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded-postgres.ts';
import { migrate } from '../db/migrations.ts';
import {
  DATA_DIRECTORY,
  DEVELOPMENT_AUDIENCE,
  DEVELOPMENT_ISSUER,
  type DevelopmentSecrets,
} from './development-secrets.ts';
import { LOCAL_DATABASE } from './local-database.ts';

/** A whole supergraph on this machine: every part a process of its own, as in production. */
export interface LocalWorld {
  subgraphUrl: string;
  gatewayUrl: string;
  simulatorUrl: string;
  /** Of the role that owns the tables, past row security in the embedded one; the subgraph has a login of its own. */
  databaseUrl: string;
  /** Resolves with the name of the first part that ends by itself. */
  broken: Promise<string>;
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 60_000;

async function freePort(wanted: number, variable: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', () =>
      reject(
        new Error(`Port ${wanted} of ${HOST} is taken. Stop what listens there, or set ${variable} to another port.`),
      ),
    );
    server.listen(wanted, HOST, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address === 'object' ? address.port : wanted;
}

/** Starts a part, registers its process at once, and waits for what it says over the channel when it is ready. */
async function startPart(
  name: string,
  file: string,
  env: Record<string, string | undefined>,
  quiet: boolean,
  register: (child: ChildProcess) => void,
): Promise<Record<string, string>> {
  const child = spawn(process.execPath, [file], {
    cwd: ROOT,
    env,
    stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'pipe', 'ipc'],
  });
  register(child);
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4_000);
    if (!quiet) process.stderr.write(text);
  });
  return new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => {
      child.kill();
      reject(new Error(`${name} was not ready after ${START_TIMEOUT_MS / 1000} s. ${complaints}`));
    }, START_TIMEOUT_MS);
    child.once('message', (ready) => {
      clearTimeout(tooLate);
      resolve(ready as Record<string, string>);
    });
    child.once('exit', (code) => {
      clearTimeout(tooLate);
      reject(new Error(`${name} ended with code ${code} while starting. ${complaints.trim()}`));
    });
  });
}

async function stopPart(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(force);
}

/** A simulator begins without subscriptions; the ones that the database remembers of the last one are made anew. */
async function forgetSubscriptions(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query('DELETE FROM graph_subscriptions');
    await client.query(
      "UPDATE graphile_worker._private_jobs SET run_at = now() WHERE key LIKE 'ensure\\_subscriptions:%' AND locked_at IS NULL",
    );
  } finally {
    await client.end();
  }
}

export interface LocalWorldOptions {
  config: DevelopmentConfig;
  secrets: DevelopmentSecrets;
  /** The embedded Postgres: where it lives and whether it stays. Not used when the config names a database. */
  postgres: { directory: string; persistent: boolean };
  /** Keeps the parts' own output back. */
  quiet: boolean;
}

/** Starts Postgres, simulator, subgraph, PSA core and gateway; whatever was started is stopped when one fails. */
export async function startLocalWorld({ config, secrets, postgres, quiet }: LocalWorldOptions): Promise<LocalWorld> {
  const parts = new Map<string, ChildProcess>();
  let cluster: EmbeddedPostgres | undefined;
  const stop = async () => {
    for (const part of [...parts.values()].reverse()) await stopPart(part);
    await cluster?.stop();
    cluster = undefined;
  };
  const start = (name: string, file: string, env: Record<string, string | undefined>) =>
    startPart(name, file, { ...config.inherited, ...env }, quiet, (child) => parts.set(name, child));

  try {
    const subgraphPort = await freePort(config.ports.subgraph, 'PORT');
    await freePort(config.ports.gateway, 'GATEWAY_PORT');
    await freePort(config.ports.psaCore, 'PSA_CORE_PORT');
    const simulator = start('The simulator', 'simulator/main.ts', { HOST, PORT: String(config.ports.simulator) });
    simulator.catch(() => undefined);
    let applicationUrl = config.databaseUrl;
    let databaseUrl = config.migrationUrl ?? config.databaseUrl;
    if (applicationUrl === undefined || databaseUrl === undefined) {
      cluster = await startEmbeddedPostgres(postgres);
      await cluster.ensureDatabase(LOCAL_DATABASE);
      databaseUrl = cluster.url(LOCAL_DATABASE);
      applicationUrl = cluster.applicationUrl(LOCAL_DATABASE);
    }
    await migrate(databaseUrl);
    await admitLogin(databaseUrl, applicationUrl);
    if (cluster !== undefined) await forgetSubscriptions(databaseUrl);
    const simulatorUrl = (await simulator).url ?? '';

    const auth = {
      AUTH_JWKS_FILE: secrets.jwksFile,
      AUTH_JWKS_URL: undefined,
      AUTH_ISSUER: DEVELOPMENT_ISSUER,
      AUTH_AUDIENCE: DEVELOPMENT_AUDIENCE,
    };
    const subgraph = await start('The subgraph', 'src/main.ts', {
      ...auth,
      NODE_ENV: 'development',
      DEVELOPMENT_SECRETS: dirname(secrets.jwksFile),
      DATABASE_URL: applicationUrl,
      MIGRATION_DATABASE_URL: undefined,
      HOST,
      PORT: String(subgraphPort),
      PUBLIC_URL: `http://${HOST}:${subgraphPort}`,
      ENCRYPTION_KEYS: secrets.encryptionKeys,
      LINK_SIGNING_KEYS: secrets.linkSigningKeys,
      BLOB_STORE: config.inherited.BLOB_STORE || pathToFileURL(join(DATA_DIRECTORY, 'blobs')).href,
      GRAPH_BASE_URL: simulatorUrl,
      ENTRA_BASE_URL: simulatorUrl,
      LOG_LEVEL: config.logLevel,
    });
    const subgraphUrl = subgraph.url ?? '';
    const supergraph = await start('The PSA core and gateway', 'examples/supergraph/main.ts', {
      ...auth,
      HOST,
      GATEWAY_PORT: String(config.ports.gateway),
      PSA_CORE_PORT: String(config.ports.psaCore),
      TEAMS_SUBGRAPH_URL: `${subgraphUrl}/graphql`,
      // The first of them, where there are any: the others are those that are going out of use.
      GATEWAY_SECRET: config.inherited.GATEWAY_SECRETS?.split(',')[0]?.trim() || undefined,
    });
    const ends = [...parts].map(
      ([name, part]) => new Promise<string>((resolve) => part.once('exit', () => resolve(name))),
    );
    const broken = Promise.race(ends);
    return { subgraphUrl, gatewayUrl: supergraph.gatewayUrl ?? '', simulatorUrl, databaseUrl, broken, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
