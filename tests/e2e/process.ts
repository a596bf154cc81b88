import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Run {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** The exit code, once the process and its pipes have ended. */
  ended: Promise<number | null>;
}

/** Starts one of our entry points with Node and with nothing in its environment but what is given. */
export function start(entry: string, args: string[], env: Record<string, string>): Run {
  const child = spawn(process.execPath, [entry, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, stdout: () => output.stdout, stderr: () => output.stderr, ended };
}

/** Waits until a server that was started says where it listens. */
export function addressOf(server: Run): Promise<string> {
  return vi.waitFor(
    () => {
      const line = server
        .stdout()
        .split('\n')
        .find((text) => text.includes('the subgraph is listening'));
      if (line === undefined) throw new Error(`It does not listen yet. ${server.stderr()}`);
      return (JSON.parse(line) as { address: string }).address;
    },
    { timeout: 20_000, interval: 50 },
  );
}

/** Runs an entry point to its end. */
export async function run(
  entry: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { ended, stdout, stderr } = start(entry, args, env);
  return { code: await ended, stdout: stdout(), stderr: stderr() };
}

/** Waits until a subgraph or a worker says where it listens, and returns that address. */
export async function listening(process: Run): Promise<string> {
  return vi.waitFor(
    () => {
      const line = process
        .stdout()
        .split('\n')
        .find((text) => text.includes('is listening'));
      if (line === undefined) throw new Error(`It does not listen yet. ${process.stderr()}`);
      return (JSON.parse(line) as { address: string }).address;
    },
    { timeout: 60_000, interval: 50 },
  );
}
