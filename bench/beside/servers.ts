import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { AUDIENCE, ISSUER } from '../../tests/support/tokens.ts';

export interface ServerKind {
  name: string;
  title: string;
  /** The file to run, below the project, and what it is told besides the database and the keys. */
  file: string;
  argument?: string;
}

const OURS = 'ours';
export const FLOOR = 'floor';

const peer = (name: string, title: string, file: string, argument?: string): ServerKind => ({
  name,
  title,
  file: `bench/beside/peers/${file}`,
  ...(argument === undefined ? {} : { argument }),
});

export const SERVERS: readonly ServerKind[] = [
  peer(FLOOR, 'node:http and one statement', 'floor.ts'),
  { name: OURS, title: 'this project', file: 'dist/main.js' },
  peer('mercurius', 'Mercurius, JIT, pg', 'mercurius.ts'),
  peer('yoga-pg', 'Yoga, pg, loaders', 'yoga.ts'),
  peer('yoga-prisma', 'Yoga, Prisma, loaders', 'yoga.ts', 'prisma'),
  peer('apollo-prisma', 'Apollo, Prisma, loaders', 'apollo.ts'),
  peer('apollo-template', 'Apollo, Prisma, no loaders', 'apollo.ts', 'template'),
];

export interface RunningServer {
  kind: ServerKind;
  url: string;
  /** Since the process began; null where the system does not tell. */
  usage(): Promise<{ cpuSeconds: number; peakBytes: number } | null>;
  stop(): Promise<void>;
}

const KEY = `bench:${randomBytes(32).toString('base64')}`;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Linux' own books: ticks of a hundredth of a second, and the high-water mark of the resident size. */
async function usageOf(pid: number): Promise<{ cpuSeconds: number; peakBytes: number } | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
      peakBytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024,
    };
  } catch {
    return null;
  }
}

/** Starts a server in a process of its own and waits until it listens. */
export async function startServer(
  kind: ServerKind,
  { databaseUrl, jwksFile, profileInto }: { databaseUrl: string; jwksFile: string; profileInto?: string | undefined },
): Promise<RunningServer> {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      ...(profileInto === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profileInto}`, `--cpu-prof-name=${kind.name}.cpuprofile`]),
      kind.file,
      databaseUrl,
      jwksFile,
      ...(kind.argument === undefined ? [] : [kind.argument]),
    ],
    {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'production',
        DATABASE_URL: databaseUrl,
        HOST: '127.0.0.1',
        PORT: '0',
        PUBLIC_URL: 'https://teams-meetings.example',
        AUTH_JWKS_FILE: jwksFile,
        AUTH_ISSUER: ISSUER,
        AUTH_AUDIENCE: AUDIENCE,
        ENCRYPTION_KEYS: KEY,
        LINK_SIGNING_KEYS: KEY,
        WORKER_CONCURRENCY: '0',
        // Counted as in production, and never reached.
        VIEWER_REQUESTS_PER_MINUTE: '1000000000',
        TENANT_REQUESTS_PER_MINUTE: '1000000000',
        LOG_LEVEL: 'error',
      },
    },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { url: string }).url));
    child.once('exit', (code) => reject(new Error(`${kind.name} ended with code ${code} while starting`)));
  });
  return {
    kind,
    url: kind.name === OURS ? `${url}/graphql` : url,
    usage: () => usageOf(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
