import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/db/free-port.ts';

const run = promisify(execFile);
const SIMULATOR = 'http://127.0.0.1:4010';

/** compose.yaml as a project of its own, on free ports and with keys of its own, against the simulator. */
export interface ComposeStack {
  /** The ports of this machine on which they are reached. */
  ports: { gateway: number; subgraph: number };
  /** Runs `docker compose` with these arguments. @returns what it said @throws with what it complained of */
  compose(...args: string[]): Promise<string>;
  /** Removes containers, volumes and keys; images stay. */
  remove(): Promise<void>;
}

/** @throws where there is no container engine with Compose 2 */
export async function openComposeStack(project: string): Promise<ComposeStack> {
  await run('docker', ['compose', 'version']).catch(() => {
    throw new Error('`docker compose version` does not answer: this needs a container engine with Compose 2.');
  });
  const folder = await mkdtemp(join(tmpdir(), 'teams-meetings-compose-'));
  const ports = { gateway: await freePort(), subgraph: await freePort(), other: await freePort() };
  const key = () => `k1:${randomBytes(32).toString('base64')}`;
  const variables = {
    OWNER_PASSWORD: randomBytes(24).toString('hex'),
    APPLICATION_PASSWORD: randomBytes(24).toString('hex'),
    PUBLIC_URL: `http://127.0.0.1:${ports.subgraph}`,
    AUTH_JWKS_FILE: '/run/development-keys/development-jwks.json',
    AUTH_ISSUER: 'http://127.0.0.1/development',
    AUTH_AUDIENCE: 'teams-meetings',
    ENCRYPTION_KEYS: key(),
    LINK_SIGNING_KEYS: key(),
    GRAPH_BASE_URL: SIMULATOR,
    ENTRA_BASE_URL: SIMULATOR,
    EXPLORER: 'on',
    GATEWAY_PORT: ports.gateway,
    SUBGRAPH_1_PORT: ports.subgraph,
    SUBGRAPH_2_PORT: ports.other,
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(folder, '.env'), `${lines.join('\n')}\n`, { mode: 0o600 });
  // Its control API is what lets a meeting take place; nobody but this machine reaches it.
  await writeFile(join(folder, 'simulator.yaml'), "services: { simulator: { ports: ['127.0.0.1::4010'] } }\n");
  const files = ['compose.yaml', join(folder, 'simulator.yaml')].flatMap((file) => ['--file', file]);
  const fixed = ['compose', '--env-file', join(folder, '.env'), '--project-directory', '.', ...files];
  const options = ['--project-name', 'teams-meetings-trial', '--profile', 'simulator'];
  const compose = async (...args: string[]) =>
    (await run('docker', [...fixed, ...options, ...args], { cwd: project, maxBuffer: 2 ** 26 })).stdout.trim();
  return {
    ports: { gateway: ports.gateway, subgraph: ports.subgraph },
    compose,
    async remove() {
      await compose('down', '--volumes', '--remove-orphans', '--timeout', '5');
      await rm(folder, { recursive: true });
    },
  };
}
