import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Config, ConfigError, hasServeEnvironment, loadConfig, loadDevelopmentConfig } from '../config.ts';
import { DEVELOPMENT_LOGIN } from '../db/names.ts';
import { DATA_DIRECTORY, DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, developmentSecrets } from './development-secrets.ts';
import { LOCAL_DATABASE } from './local-database.ts';

const HOST = '127.0.0.1';
const NOT_RUNNING =
  'Nothing says which database to look at: set the variables of `npm run serve` (see .env.example), or keep `npm start` running here.';

/** The database of the `npm start` that runs: Postgres itself writes down its port, in the fourth line. */
async function runningDatabase(): Promise<string> {
  const pidFile = join(DATA_DIRECTORY, 'postgres', 'postmaster.pid');
  const port = existsSync(pidFile) ? (await readFile(pidFile, 'utf8')).split('\n')[3]?.trim() : undefined;
  if (port === undefined || !/^\d+$/.test(port)) throw new ConfigError(NOT_RUNNING);
  return `postgresql://${DEVELOPMENT_LOGIN}:${DEVELOPMENT_LOGIN}@${HOST}:${port}/${LOCAL_DATABASE}`;
}

/**
 * The configuration of the server that a command is about: the environment of `npm run serve`, or where none of it is
 * set, that of the `npm start` which runs in this checkout.
 *
 * @throws ConfigError
 */
export async function doctorConfig(): Promise<Config> {
  if (hasServeEnvironment()) return loadConfig();
  if (!existsSync(join(DATA_DIRECTORY, 'development-secrets.json'))) throw new ConfigError(NOT_RUNNING);
  const { databaseUrl, ports, inherited } = loadDevelopmentConfig();
  const secrets = await developmentSecrets();
  const simulatorUrl = `http://${HOST}:${ports.simulator}`;
  return loadConfig({
    ...inherited,
    NODE_ENV: 'development',
    DATABASE_URL: databaseUrl ?? (await runningDatabase()),
    PUBLIC_URL: `http://${HOST}:${ports.subgraph}`,
    AUTH_JWKS_FILE: secrets.jwksFile,
    AUTH_ISSUER: DEVELOPMENT_ISSUER,
    AUTH_AUDIENCE: DEVELOPMENT_AUDIENCE,
    ENCRYPTION_KEYS: secrets.encryptionKeys,
    LINK_SIGNING_KEYS: secrets.linkSigningKeys,
    BLOB_STORE: inherited.BLOB_STORE || pathToFileURL(join(DATA_DIRECTORY, 'blobs')).href,
    GRAPH_BASE_URL: simulatorUrl,
    ENTRA_BASE_URL: simulatorUrl,
  });
}
