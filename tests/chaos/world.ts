import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { SimulatorControl } from '../../simulator/control.ts';
import { startSimulator } from '../../simulator/server.ts';
import {
  DEVELOPMENT_AUDIENCE,
  DEVELOPMENT_ISSUER,
  developmentSecrets,
  developmentToken,
} from '../../src/cli/development-secrets.ts';
import { admitLogin } from '../../src/db/application-role.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { freePort } from '../../src/db/free-port.ts';
import { migrate } from '../../src/db/migrations.ts';
import { ROLES } from '../integration/domain/support.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HOST = '127.0.0.1';
const START_WITHIN_MS = 30_000;

export interface ChaosTenant {
  id: string;
  directoryId: string;
  organizer: string;
  clientId: string;
  secret: string;
  admin: string;
  technician: string;
}

/** One of the two subgraph processes; a killed one is started again on the same port. */
export interface Replica {
  url: string;
  kill(): void;
  /** Sends SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  isRunning(): boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ChaosWorld {
  tenants: ChaosTenant[];
  replicas: Replica[];
  simulator: SimulatorControl;
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Stops Postgres as an administrator does, with everybody thrown out, and starts it again after so long. */
  restartDatabase(awayMs: number): Promise<void>;
  /** Where the replicas' logs are. */
  logFile: string;
  stop(): Promise<void>;
}

function hex(index: number): string {
  return String(index + 1);
}

function directoryOf(index: number) {
  const digit = hex(index);
  return {
    id: `chaos-${digit}`,
    directoryId: `${digit.repeat(8)}-1111-4111-8111-${digit.repeat(12)}`,
    clientId: `${digit.repeat(8)}-2222-4222-8222-${digit.repeat(12)}`,
    organizerId: `${digit.repeat(8)}-3333-4333-8333-${digit.repeat(12)}`,
    organizer: `meetings@chaos-${digit}.example`,
    secret: `chaos-secret-of-tenant-${digit}`,
  };
}

function replica(env: Record<string, string>, port: number, logFile: string): Replica {
  let child: ChildProcess | undefined;
  const log = createWriteStream(logFile, { flags: 'a' });
  const url = `http://${HOST}:${port}`;
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    url,
    kill: () => child?.kill('SIGKILL'),
    isRunning,
    async terminate() {
      const ended = new Promise<number | null>((resolve) => child?.once('exit', resolve));
      child?.kill('SIGTERM');
      return ended;
    },
    async start() {
      const started = spawn(process.execPath, ['src/main.ts'], {
        cwd: ROOT,
        env: { ...env, PORT: String(port), PUBLIC_URL: url },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      child = started;
      started.stdout?.pipe(log, { end: false });
      started.stderr?.pipe(log, { end: false });
      await Promise.race([
        new Promise((resolve) => started.once('message', resolve)),
        new Promise((resolve) => started.once('exit', resolve)),
        setTimeout(START_WITHIN_MS, undefined, { ref: false }),
      ]);
    },
    async stop() {
      if (isRunning()) await this.terminate();
    },
  };
}

/** Starts Postgres, the simulator and two subgraph processes; tenants are in Microsoft's directory, not set up yet. */
export async function startChaosWorld(tenantCount: number): Promise<ChaosWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'teams-meetings-chaos-'));
  const secrets = await developmentSecrets(directory);
  const postgres = {
    directory: join(directory, 'postgres'),
    persistent: true,
    durable: false,
    port: await freePort(),
  };
  let cluster = await startEmbeddedPostgres(postgres);
  await cluster.ensureDatabase('chaos');
  const databaseUrl = cluster.url('chaos');
  await migrate(databaseUrl);
  await admitLogin(databaseUrl, cluster.applicationUrl('chaos'));
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  pool.on('error', () => undefined);

  const simulator = await startSimulator();
  const directories = Array.from({ length: tenantCount }, (_, index) => directoryOf(index));
  await simulator.control.load({
    directories: directories.map(({ directoryId, id }) => ({ id: directoryId, domain: `${id}.example` })),
    apps: directories.map(({ directoryId, clientId, secret }) => ({
      directoryId,
      clientId,
      secrets: [{ value: secret }],
      roles: ROLES,
    })),
    users: directories.map(({ directoryId, organizerId, organizer, clientId }) => ({
      directoryId,
      id: organizerId,
      userPrincipalName: organizer,
      teamsPolicyAppIds: [clientId],
    })),
  });

  const env: Record<string, string> = {
    NODE_ENV: 'development',
    PATH: process.env.PATH ?? '',
    DATABASE_URL: cluster.applicationUrl('chaos'),
    HOST,
    AUTH_JWKS_FILE: secrets.jwksFile,
    AUTH_ISSUER: DEVELOPMENT_ISSUER,
    AUTH_AUDIENCE: DEVELOPMENT_AUDIENCE,
    ENCRYPTION_KEYS: secrets.encryptionKeys,
    LINK_SIGNING_KEYS: secrets.linkSigningKeys,
    GRAPH_BASE_URL: simulator.url,
    ENTRA_BASE_URL: simulator.url,
    LOG_LEVEL: 'info',
    VIEWER_REQUESTS_PER_MINUTE: '0',
    TENANT_REQUESTS_PER_MINUTE: '0',
  };
  const logFile = join(directory, 'subgraph.log');
  const replicas = [replica(env, await freePort(), logFile), replica(env, await freePort(), logFile)];
  await Promise.all(replicas.map((one) => one.start()));

  const tenants = await Promise.all(
    directories.map(async ({ organizerId: _id, ...tenant }) => ({
      ...tenant,
      admin: await developmentToken(secrets, { role: 'admin', tenant: tenant.id }),
      technician: await developmentToken(secrets, { role: 'technician', tenant: tenant.id }),
    })),
  );
  return {
    tenants,
    replicas,
    simulator: simulator.control,
    logFile,
    query: async <Row extends object>(sql: string, values?: unknown[]) => (await pool.query<Row>(sql, values)).rows,
    async restartDatabase(awayMs) {
      await cluster.stop();
      await setTimeout(awayMs);
      cluster = await startEmbeddedPostgres(postgres);
    },
    async stop() {
      await Promise.all(replicas.map((one) => one.stop()));
      await pool.end();
      await simulator.close();
      await cluster.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
