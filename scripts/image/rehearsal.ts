import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { freePort } from '../../src/db/free-port.ts';
import { isForProduction, lockedPackages } from '../shipped.ts';
import { buildStage } from './build.ts';
import { readCompose } from './compose.ts';
import { type Container, type ContainerOptions, runContainer, startContainer } from './container.ts';
import { readStages } from './dockerfile.ts';

const TARGET = 'runtime';
const HEALTHY_WITHIN_MS = 240_000;
const DATABASE = 'teams_meetings';

export interface RehearsalOptions {
  project: string;
  /** `npm` installs as the Dockerfile says; `copy` takes the packages from the project's node_modules. */
  install: 'npm' | 'copy';
  say: (line: string) => void;
}

/** What was seen of the image and its processes. */
export interface Rehearsal {
  bytes: number;
  /** Packages in the image that package-lock.json does not have for production. */
  strangers: string[];
  /** Whether the image's user could write into its folder; null where only one's own user can be tried. */
  isWritable: boolean | null;
  migrated: string;
  server: { graphql: unknown; explorer: number; stopped: number | null };
  worker: { graphql: number; stopped: number | null };
  /** What the diagnosis says of a tenant that there is not. */
  doctor: string;
  /** The exit code of the health check once nothing runs any more. */
  healthOfStopped: number | null;
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

async function strangersIn(project: string, modules: string): Promise<string[]> {
  const expected = new Set(
    Object.entries(lockedPackages(project))
      .filter(([, locked]) => isForProduction(locked))
      .map(([folder]) => folder.replace('node_modules/', '')),
  );
  const names = await readdir(modules);
  const scoped = names.filter((name) => name.startsWith('@'));
  const inScopes = await Promise.all(
    scoped.map(async (scope) => (await readdir(join(modules, scope))).map((name) => `${scope}/${name}`)),
  );
  const plain = names.filter((name) => !name.startsWith('@') && !name.startsWith('.'));
  return [...plain, ...inScopes.flat()].filter((name) => !expected.has(name));
}

/** A Postgres with the roles that deploy/postgres/roles.sql makes, as compose.yaml has it. */
async function startPostgres(project: string, directory: string) {
  const cluster = await startEmbeddedPostgres({ directory, persistent: false, durable: false });
  const password = randomBytes(12).toString('hex');
  const sql = readFileSync(join(project, 'deploy/postgres/roles.sql'), 'utf8');
  const client = new pg.Client({ connectionString: cluster.url() });
  await client.connect();
  await client.query(sql.replaceAll(":'application_password'", `'${password}'`));
  await client.query(`CREATE ROLE teams_meetings_owner LOGIN CREATEROLE PASSWORD '${password}'`);
  await client.query(`CREATE DATABASE ${DATABASE} OWNER teams_meetings_owner`);
  await client.end();
  const urlOf = (role: string) => {
    const url = new URL(cluster.url(DATABASE));
    return Object.assign(url, { username: role, password }).href;
  };
  return { stop: () => cluster.stop(), owner: urlOf('teams_meetings_owner'), login: urlOf('teams_meetings_server') };
}

async function waitUntilHealthy(container: Container, options: ContainerOptions): Promise<void> {
  const deadline = Date.now() + HEALTHY_WITHIN_MS;
  for (;;) {
    if ((await startContainer(options.stage.healthcheck, options).ended) === 0) return;
    if (container.child.exitCode !== null || Date.now() > deadline)
      throw new Error(`It did not become healthy.\n${container.output()}`);
    await setTimeout(500);
  }
}

async function stop({ child, ended }: Container): Promise<number | null> {
  child.kill('SIGTERM');
  return ended;
}

function serveEnvironment(databaseUrl: string, jwksFile: string): Record<string, string> {
  const key = () => `k1:${randomBytes(32).toString('base64')}`;
  return {
    DATABASE_URL: databaseUrl,
    HOST: '127.0.0.1',
    PUBLIC_URL: 'https://teams-meetings.example.com',
    AUTH_JWKS_FILE: jwksFile,
    AUTH_ISSUER: 'https://login.example.com/',
    AUTH_AUDIENCE: 'teams-meetings',
    ENCRYPTION_KEYS: key(),
    LINK_SIGNING_KEYS: key(),
    EXPLORER: 'on',
  };
}

/**
 * Does what a container engine would do with Dockerfile and compose.yaml, in an empty folder and without such an
 * engine: builds the image, makes the roles, migrates as the owner of the tables, starts a server and a worker as the
 * image's user, waits for their health checks, and stops them.
 *
 * @throws where a step fails; nothing is left behind either way
 */
export async function rehearse({ project, install, say }: RehearsalOptions): Promise<Rehearsal> {
  const folder = await mkdtemp(join(tmpdir(), 'image-rehearsal-'));
  const undo: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    // The image's user has to pass through it.
    await chmod(folder, 0o755);
    const nodeFolder = join(folder, 'bin');
    mkdirSync(nodeFolder);
    copyFileSync(process.execPath, join(nodeFolder, 'node'));
    chmodSync(join(nodeFolder, 'node'), 0o755);
    const jwksFile = join(folder, 'jwks.json');
    await writeFile(jwksFile, '{"keys":[]}');

    const stages = readStages(readFileSync(join(project, 'Dockerfile'), 'utf8'));
    const stage = stages.find(({ name }) => name === TARGET);
    if (stage === undefined) throw new Error(`The Dockerfile has no stage ${TARGET}`);
    const into = join(folder, 'stages');
    mkdirSync(into);
    const onStep = (name: string, step: string, seconds: number) =>
      say(`${name.padEnd(14)} ${seconds.toFixed(1).padStart(6)} s  ${step}`);
    const root = buildStage(stages, TARGET, { project, into, install, nodeFolder, onStep });
    const image = { stage, root, nodeFolder };
    const at = join(root, stage.workdir);

    const { services } = readCompose(project);
    const wordsOf = (service: string) => [...stage.entrypoint, ...(services[service]?.command ?? stage.command)];
    const postgres = await startPostgres(project, join(folder, 'postgres'));
    undo.push(postgres.stop);
    const migrated = await runContainer(wordsOf('migrate'), {
      ...image,
      env: { MIGRATION_DATABASE_URL: postgres.owner, DATABASE_URL: postgres.login },
    });
    say(`migrate: ${migrated.split('\n')[0]}`);

    const write = startContainer(['sh', '-c', 'touch ./x || mkdir ./node_modules/x'], { ...image, env: {} });
    const isWritable = process.getuid?.() === 0 ? (await write.ended) === 0 : null;

    const started = await Promise.all(
      ['subgraph-1', 'worker'].map(async (service) => {
        const port = String(await freePort());
        const options = { ...image, env: { ...serveEnvironment(postgres.login, jwksFile), PORT: port } };
        const container = startContainer(wordsOf(service), options);
        undo.push(() => container.child.kill('SIGKILL') && container.ended);
        await waitUntilHealthy(container, options);
        say(`${service}: healthy`);
        return { container, options, url: `http://127.0.0.1:${port}` };
      }),
    );
    const [server, worker] = started;
    if (server === undefined || worker === undefined) throw new Error('Not everything started');
    const ask = (url: string) =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"{ teamsMeetingCapability { available } }"}',
      });
    const graphql: unknown = await (await ask(server.url)).json();
    const explorer = (await fetch(`${server.url}/`)).status;
    const ofWorker = (await ask(worker.url)).status;
    const doctor = startContainer([...stage.entrypoint, 'dist/cli/doctor.js', '--tenant=nobody'], worker.options);
    await doctor.ended;
    const [stoppedServer = null, stoppedWorker = null] = await Promise.all(
      started.map(({ container }) => stop(container)),
    );
    say('both stopped');
    return {
      bytes: bytesOf(at),
      strangers: await strangersIn(project, join(at, 'node_modules')),
      isWritable,
      migrated,
      server: { graphql, explorer, stopped: stoppedServer },
      worker: { graphql: ofWorker, stopped: stoppedWorker },
      doctor: doctor.output(),
      healthOfStopped: await startContainer(stage.healthcheck, server.options).ended,
    };
  } finally {
    for (const step of undo.reverse()) await step();
  }
}
