/** npm run demo [-- --json]: the main job through a real gateway, step by step; exit 0 only if every step held. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadDevelopmentConfig } from '../config.ts';
import { demoSteps } from './demo-steps.ts';
import { developmentSecrets, developmentToken, type TokenRequest } from './development-secrets.ts';
import { startLocalWorld } from './local-world.ts';
import { runCommand } from './run-command.ts';
import { printStep, type StepResult, timeStep } from './step-report.ts';

/** A world of its own on free ports, so that it can run beside `npm start` and twice at once. */
async function run(json: boolean): Promise<StepResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'teams-meetings-demo-'));
  const secrets = await developmentSecrets(directory);
  const config = {
    ...loadDevelopmentConfig(),
    databaseUrl: undefined,
    ports: { subgraph: 0, gateway: 0, psaCore: 0, simulator: 0 },
  };
  const results: StepResult[] = [];
  const report = (result: StepResult) => {
    results.push(result);
    if (!json) printStep(result);
    return result.ok;
  };
  let stop: () => Promise<void> = async () => undefined;
  const interrupt = () => void stop().finally(() => process.exit(1));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const token = (request: TokenRequest) => developmentToken(secrets, request);
    const tokens = {
      admin: await token({ role: 'admin' }),
      technician: await token({ role: 'technician' }),
      mobile: await token({ role: 'technician' }),
      client: await token({ role: 'client', client: 'client-acme', contact: 'contact-jane' }),
      otherClient: await token({ role: 'client', client: 'client-initech' }),
      otherTenant: await token({ role: 'technician', tenant: 'tenant-b' }),
    };
    let stage = { gatewayUrl: '', simulatorUrl: '', tokens };
    const started = await timeStep(0, 'Postgres, simulator, subgraph, PSA core and gateway start', async () => {
      const world = await startLocalWorld({
        config,
        secrets,
        postgres: { directory: join(directory, 'postgres'), persistent: false },
        quiet: true,
      });
      stop = world.stop;
      stage = { ...stage, gatewayUrl: world.gatewayUrl, simulatorUrl: world.simulatorUrl };
      return `the gateway listens at ${world.gatewayUrl}`;
    });
    if (!report(started)) return results;
    for (const [index, step] of demoSteps(stage).entries()) {
      if (!report(await timeStep(index + 1, step.title, step.run))) break;
    }
    return results;
  } finally {
    await stop();
    await rm(directory, { recursive: true, force: true });
  }
}

await runCommand(async () => {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const began = performance.now();
  const steps = await run(values.json);
  const ok = steps.every((step) => step.ok);
  const milliseconds = Math.round(performance.now() - began);
  if (values.json) console.log(JSON.stringify({ ok, milliseconds, steps }));
  else console.log(`\n${ok ? 'Every step held' : 'A step did not hold'}, in ${(milliseconds / 1000).toFixed(1)} s.`);
  return ok ? 0 : 1;
});
