/**
 * npm run compose:try: what docs/deploying.md says of Compose, on a real container engine. Builds the images, starts all
 * of compose.yaml against the simulator, does the demo's main job through the gateway, takes things away while it runs,
 * and stops it. Exit 0 only if every step held; nothing but the images is left.
 */
import { fileURLToPath } from 'node:url';
import { ask, hold, until } from '../src/cli/demo-client.ts';
import type { Step } from '../src/cli/demo-stage.ts';
import { demoSteps } from '../src/cli/demo-steps.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { printStep, timeStep } from '../src/cli/step-report.ts';
import { type ComposeStack, openComposeStack } from './image/compose-stack.ts';

const OURS = ['subgraph-1', 'subgraph-2', 'worker'];
const BOARD = '{ appointments { teamsMeeting { joinUrl } } }';
/** Says who a process is, and which of these folders it could write to. */
const RIGHTS = `const { accessSync, constants } = require('node:fs');
const isWritable = (path) => { try { accessSync(path, constants.W_OK); return true; } catch { return false; } };
console.log(JSON.stringify({ uid: process.getuid(), writable: ['/', '/app', '/app/dist', '/tmp', '/home'].filter(isWritable) }));`;

interface Board {
  appointments: { teamsMeeting: { joinUrl: string } | null }[];
}

/** What a container engine can show and a process alone cannot. */
function operationSteps({ compose }: ComposeStack, gatewayUrl: string, token: string): Step[] {
  const joinLinks = async () =>
    (await ask<Board>(gatewayUrl, token, BOARD)).appointments.flatMap(({ teamsMeeting }) => teamsMeeting ?? []);
  const isAnswered = () =>
    joinLinks().then(
      (links) => links.length > 0,
      () => false,
    );
  return [
    {
      title: 'No process is root, and none can write anywhere',
      async run() {
        for (const service of [...OURS, 'gateway', 'simulator']) {
          const seen = JSON.parse(await compose('exec', service, 'node', '-e', RIGHTS)) as {
            uid: number;
            writable: string[];
          };
          hold(seen.uid === 1000 && seen.writable.length === 0, `${service}: ${JSON.stringify(seen)}`);
        }
        return 'user 1000, a read-only file system';
      },
    },
    {
      title: 'A server is killed: the gateway answers by the other one',
      async run() {
        const before = await joinLinks();
        await compose('kill', 'subgraph-1');
        await until('the gateway did not answer', isAnswered);
        hold(JSON.stringify(await joinLinks()) === JSON.stringify(before), 'the join links are others');
        await compose('up', '--detach', '--no-build', '--wait', 'subgraph-1');
        return `${before.length} join links, the same before and after`;
      },
    },
    {
      title: 'Postgres is started again: the servers find it by themselves',
      async run() {
        const before = await joinLinks();
        await compose('restart', 'postgres');
        await until('the gateway did not answer', isAnswered);
        hold(JSON.stringify(await joinLinks()) === JSON.stringify(before), 'the join links are others');
        return `${before.length} join links, the same before and after`;
      },
    },
    {
      title: 'Servers and worker end by themselves when they are asked to',
      async run() {
        await compose('stop', ...OURS);
        const lines = (await compose('ps', '--all', '--format', 'json', ...OURS)).split('\n');
        const codes = lines.map((line) => JSON.parse(line) as { Service: string; ExitCode: number });
        const said = codes.map(({ Service, ExitCode }) => `${Service} ${ExitCode}`).join(', ');
        hold(codes.length === OURS.length && codes.every(({ ExitCode }) => ExitCode === 0), said);
        return said;
      },
    },
  ];
}

async function report(steps: readonly Step[], first: number): Promise<boolean> {
  for (const [index, step] of steps.entries()) {
    const result = await timeStep(first + index, step.title, step.run);
    printStep(result);
    if (!result.ok) return false;
  }
  return true;
}

async function run(stack: ComposeStack): Promise<boolean> {
  const { compose, ports } = stack;
  const start: Step = {
    title: 'The images are built and everything is healthy',
    async run() {
      await compose('up', '--build', '--detach');
      return (await compose('ps', '--services')).split('\n').join(', ');
    },
  };
  if (!(await report([start], 0))) return false;
  const token = (...args: string[]) => compose('run', '--rm', 'token', ...args);
  const tokens = {
    admin: await token('--role=admin'),
    technician: await token('--role=technician'),
    mobile: await token('--role=technician'),
    client: await token('--role=client', '--client=client-acme', '--contact=contact-jane'),
    otherClient: await token('--role=client', '--client=client-initech'),
    otherTenant: await token('--role=technician', '--tenant=tenant-b'),
  };
  const gatewayUrl = `http://127.0.0.1:${ports.gateway}/graphql`;
  const simulatorUrl = `http://${await compose('port', 'simulator', '4010')}`;
  const steps = [
    ...demoSteps({ gatewayUrl, simulatorUrl, tokens }),
    ...operationSteps(stack, gatewayUrl, tokens.technician),
  ];
  return report(steps, 1);
}

await runCommand(async () => {
  const stack = await openComposeStack(fileURLToPath(new URL('..', import.meta.url)));
  const interrupt = () => void stack.remove().finally(() => process.exit(1));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const ok = await run(stack);
    if (!ok) console.log(await stack.compose('logs', '--tail', '20', ...OURS));
    console.log(`\n${ok ? 'Every step held.' : 'A step did not hold.'}`);
    return ok ? 0 : 1;
  } finally {
    await stack.remove();
  }
});
