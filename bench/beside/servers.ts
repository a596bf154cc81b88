import { startChild, usageOf } from '../support/child.ts';
import { ourEnvironment, type Surroundings } from '../support/environment.ts';

export interface ServerKind {
  name: string;
  title: string;
  /** The file to run, below the project, and what it is told besides the database and the keys. */
  file: string;
  argument?: string;
}

export const OURS = 'ours';
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

/** Starts a server in a process of its own and waits until it listens. */
export async function startServer(
  kind: ServerKind,
  surroundings: Surroundings,
  profileInto?: string | undefined,
): Promise<RunningServer> {
  const { databaseUrl, jwksFile } = surroundings;
  const profile = ['--cpu-prof', `--cpu-prof-dir=${profileInto}`, `--cpu-prof-name=${kind.name}.cpuprofile`];
  const { url, pid, stop } = await startChild(kind.file, {
    nodeOptions: profileInto === undefined ? [] : profile,
    // Ours takes all from the environment.
    args: kind.name === OURS ? [] : [databaseUrl, jwksFile, ...(kind.argument === undefined ? [] : [kind.argument])],
    env: ourEnvironment(surroundings),
  });
  return { kind, url: kind.name === OURS ? `${url}/graphql` : url, usage: () => usageOf(pid), stop };
}

/** The server as it is seen through a gateway of its own; what both use is told as one. */
export async function behindGateway(server: RunningServer): Promise<RunningServer> {
  const { url, pid, stop } = await startChild('bench/beside/gateway/main.ts', { args: [server.url] });
  return {
    kind: server.kind,
    url,
    async usage() {
      const [gateway, behind] = await Promise.all([usageOf(pid), server.usage()]);
      if (gateway === null || behind === null) return null;
      return {
        cpuSeconds: gateway.cpuSeconds + behind.cpuSeconds,
        peakBytes: gateway.peakBytes + behind.peakBytes,
      };
    },
    stop,
  };
}
