import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A part of the bench in a process of its own. */
export interface Child {
  /** Where it listens. */
  url: string;
  pid: number;
  /** Sends it a message and resolves with its next one. */
  ask(message: string): Promise<unknown>;
  /** Asks it to stop, and waits until it has. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  args?: readonly string[];
  /** Options of node itself. */
  nodeOptions?: readonly string[];
  env?: Record<string, string | undefined>;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Starts a file of this project and waits for the address that it sends its parent.
 *
 * @throws Error when it ends before
 */
export async function startChild(
  file: string,
  { args = [], nodeOptions = [], env = {} }: ChildOptions = {},
): Promise<Child> {
  const child = spawn(process.execPath, [...nodeOptions, file, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { PATH: process.env.PATH, ...env },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { url: string }).url));
    child.once('exit', (code) => reject(new Error(`${file} ended with code ${code} while starting`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    ask(message) {
      const answer = new Promise<unknown>((resolve) => child.once('message', resolve));
      child.send(message);
      return answer;
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export interface Usage {
  /** Since the process began. */
  cpuSeconds: number;
  residentBytes: number;
  /** The most that was resident at any time. */
  peakBytes: number;
}

/** Linux' own books, in ticks of a hundredth of a second; null where the system does not tell. */
export async function usageOf(pid: number): Promise<Usage | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const bytesOf = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024;
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
      residentBytes: bytesOf('VmRSS'),
      peakBytes: bytesOf('VmHWM'),
    };
  } catch {
    return null;
  }
}
