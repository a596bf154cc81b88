import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stage, Step } from '../../src/cli/demo-stage.ts';
import { demoSteps } from '../../src/cli/demo-steps.ts';
import { type DevelopmentSecrets, developmentSecrets, developmentToken } from '../../src/cli/development-secrets.ts';
import { type LocalWorld, startLocalWorld } from '../../src/cli/local-world.ts';
import { loadDevelopmentConfig } from '../../src/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** Which part of the demo may fail without the ones behind it meaning anything: none, so they run in order. */
const STEPS = 19;

let directory: string;
let database: TestDatabase;
let secrets: DevelopmentSecrets;
let world: LocalWorld;
let steps: Step[];

const freePorts = { subgraph: 0, gateway: 0, psaCore: 0, simulator: 0 };
const options = () => ({
  config: {
    ...loadDevelopmentConfig(),
    databaseUrl: database.applicationUrl,
    migrationUrl: database.url,
    ports: freePorts,
  },
  secrets,
  postgres: { directory: join(directory, 'postgres'), persistent: false },
  quiet: true,
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'demo-test-'));
  // An empty database: the world migrates it.
  database = await createTestDatabase('template1');
  secrets = await developmentSecrets(directory);
  world = await startLocalWorld(options());
  const tokens: Stage['tokens'] = {
    admin: await developmentToken(secrets, { role: 'admin' }),
    technician: await developmentToken(secrets, { role: 'technician' }),
    mobile: await developmentToken(secrets, { role: 'service' }),
    client: await developmentToken(secrets, { role: 'client', contact: 'contact-jane' }),
    otherClient: await developmentToken(secrets, { role: 'client', client: 'client-initech' }),
    otherTenant: await developmentToken(secrets, { role: 'technician', tenant: 'tenant-b' }),
  };
  steps = demoSteps({ gatewayUrl: world.gatewayUrl, simulatorUrl: world.simulatorUrl, tokens });
}, 120_000);
afterAll(async () => {
  await world.stop();
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

describe('the main job through a real gateway, every part a process of its own', () => {
  it.each(Array.from({ length: STEPS }, (_, index) => index + 1))('step %i of the demo holds', async (number) => {
    const step = steps[number - 1];
    expect(await step?.run()).toEqual(expect.stringMatching(/./));
  });

  it('has no step besides', () => {
    expect(steps).toHaveLength(STEPS);
  });

  it('fails, and says why, when a step does not hold', async () => {
    const strangers = { admin: 'x', technician: 'x', mobile: 'x', client: 'x', otherClient: 'x', otherTenant: 'x' };
    const [first] = demoSteps({ gatewayUrl: world.gatewayUrl, simulatorUrl: world.simulatorUrl, tokens: strangers });
    await expect(first?.run()).rejects.toThrow(/bearer token/);
  });
});

describe('a world that cannot start', () => {
  it('names the port that is taken and the variable that changes it, and leaves nothing running', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const config = { ...options().config, ports: { ...freePorts, gateway: port } };
    await expect(startLocalWorld({ ...options(), config })).rejects.toThrow(
      `Port ${port} of 127.0.0.1 is taken. Stop what listens there, or set GATEWAY_PORT`,
    );
    await new Promise((resolve) => taken.close(resolve));
  });

  it('tells what the part that failed said', async () => {
    const config = { ...options().config, inherited: { ...process.env, NODE_OPTIONS: '--no-such-option' } };
    await expect(startLocalWorld({ ...options(), config })).rejects.toThrow(/The simulator ended .*no-such-option/s);
  });
});
