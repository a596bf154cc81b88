import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { SimulatorControl } from '../../../simulator/control.ts';
import { ORGANIZER_UPN, OTHER } from './support.ts';

const MAIN = fileURLToPath(new URL('../../../simulator/main.ts', import.meta.url));
let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
});

function start(env: Record<string, string>): ChildProcess {
  child = fork(MAIN, [], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
  return child;
}

async function ready(process: ChildProcess): Promise<string> {
  const [message] = (await once(process, 'message')) as [{ type: string; url: string }];
  expect(message.type).toBe('ready');
  return message.url;
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  let all = '';
  for await (const chunk of stream ?? []) all += String(chunk);
  return all;
}

describe('simulator/main.ts', () => {
  it('serves the demo world, says where, and stops on SIGTERM', async () => {
    const process = start({ PORT: '0' });
    const output = text(process.stdout);
    const url = await ready(process);
    expect(await new SimulatorControl(url).listEvents(OTHER.directory, OTHER.organizer)).toEqual([]);
    expect(await new SimulatorControl(url).listEvents('11111111-1111-4111-8111-111111111111', ORGANIZER_UPN)).toEqual(
      [],
    );
    process.kill('SIGTERM');
    expect((await once(process, 'exit'))[0]).toBe(0);
    expect(await output).toBe(`simulator listening on ${url}\n`);
  });

  it('stops when its parent goes away', async () => {
    const process = start({ PORT: '0' });
    await ready(process);
    process.disconnect();
    expect((await once(process, 'exit'))[0]).toBe(0);
  });

  it('says in one line that the port is taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const process = start({ PORT: String(port) });
    const errors = text(process.stderr);
    expect((await once(process, 'exit'))[0]).toBe(1);
    expect(await errors).toBe(`simulator: port ${port} on 127.0.0.1 is taken; set PORT to another one\n`);
    blocker.close();
  });
});
