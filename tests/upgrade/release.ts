import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../src/db/free-port.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HEALTHY_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 100;

/** A state of this project that is built and can be run. */
export interface Release {
  /** Runs its migration to the end. @returns what it said */
  migrate(env: Record<string, string>): Promise<string>;
  /** Starts a server with its jobs, and waits until it says that it is ready. */
  start(env: Record<string, string>): Promise<RunningServer>;
  remove(): Promise<void>;
}

export interface RunningServer {
  url: string;
  /** Sends SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
}

function releaseIn(folder: string, remove: () => Promise<void>): Release {
  return {
    async migrate(env) {
      const { stdout } = await run(process.execPath, ['dist/cli/migrate.js'], { cwd: folder, env });
      return stdout.trim();
    },
    async start(env) {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const child = spawn(process.execPath, ['dist/main.js'], {
        cwd: folder,
        env: { ...env, PORT: String(port), PUBLIC_URL: url },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      const isReady = () =>
        fetch(`${url}/health/ready`).then(
          ({ ok }) => ok,
          () => false,
        );
      for (const end = performance.now() + HEALTHY_WITHIN_MS; !(await isReady()); await setTimeout(ASK_EVERY_MS)) {
        if (child.exitCode !== null || performance.now() > end) {
          child.kill('SIGKILL');
          throw new Error(`The server in ${folder} did not get ready`);
        }
      }
      return {
        url,
        async stop() {
          child.kill('SIGTERM');
          return ended;
        },
      };
    },
    remove,
  };
}

/** This checkout; `npm run build` has built it. */
export function thisRelease(): Release {
  return releaseIn(ROOT, async () => undefined);
}

/** Builds the state that a git reference names in a folder of its own, with its own packages. Takes minutes. */
export async function releaseOf(reference: string): Promise<Release> {
  const folder = join(await mkdtemp(join(tmpdir(), 'teams-meetings-release-')), 'checkout');
  const remove = async () => {
    await run('git', ['worktree', 'remove', '--force', folder], { cwd: ROOT });
    await rm(join(folder, '..'), { recursive: true, force: true });
  };
  await run('git', ['worktree', 'add', '--detach', folder, reference], { cwd: ROOT });
  try {
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, maxBuffer: 2 ** 26 });
    for (const script of ['scripts/generate.ts', 'scripts/build.ts'])
      await run(process.execPath, [script], { cwd: folder, maxBuffer: 2 ** 26 });
    return releaseIn(folder, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}
