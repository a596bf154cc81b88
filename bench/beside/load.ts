import { setTimeout } from 'node:timers/promises';
import autocannon from 'autocannon';
import type { RunningServer } from './servers.ts';
import type { PreparedRequest } from './workloads.ts';

export interface Measured {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Null where the system does not tell. */
  cpuMsPerRequest: number | null;
  peakMegabytes: number | null;
}

/** As many browsers as keep both cores busy. */
const CONNECTIONS = 8;

export const headersOf = (token: string) => ({ 'content-type': 'application/json', authorization: `Bearer ${token}` });

/**
 * Sends requests one after the other on each connection for some seconds.
 * @throws Error when anything but 200 came back
 */
export async function measure(
  server: RunningServer,
  requests: readonly PreparedRequest[],
  tokens: ReadonlyMap<string, string>,
  seconds: number,
): Promise<Measured> {
  const before = await server.usage();
  const result = await autocannon({
    url: server.url,
    connections: CONNECTIONS,
    duration: seconds,
    requests: requests.map(({ tenant, body }) => ({
      method: 'POST' as const,
      headers: headersOf(tokens.get(tenant) ?? ''),
      body,
    })),
  });
  const after = await server.usage();
  const failed = result.errors + result.timeouts + result.non2xx;
  if (failed > 0) throw new Error(`${server.kind.name}: ${failed} of ${result.requests.total} requests failed`);
  return {
    requestsPerSecond: result.requests.total / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    cpuMsPerRequest:
      before === null || after === null
        ? null
        : ((after.cpuSeconds - before.cpuSeconds) * 1000) / result.requests.total,
    peakMegabytes: after === null ? null : after.peakBytes / 2 ** 20,
  };
}

const LOOK_EVERY_MS = 100;
const QUIET_CPU_SECONDS = 0.01;
const LONGEST_WAIT_MS = 60_000;

/** Waits until a server is done with what nobody waits for any more: it would slow the next one's turn. */
export async function untilQuiet(server: RunningServer): Promise<void> {
  const until = performance.now() + LONGEST_WAIT_MS;
  let before = await server.usage();
  while (before !== null && performance.now() < until) {
    await setTimeout(LOOK_EVERY_MS);
    const after = await server.usage();
    if (after === null || after.cpuSeconds - before.cpuSeconds <= QUIET_CPU_SECONDS) return;
    before = after;
  }
}

/** The answer's data, in a form in which only what it says counts. @throws Error when it is no good answer */
async function answerOf({ kind, url }: RunningServer, request: PreparedRequest, token: string): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers: headersOf(token), body: request.body });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${kind.name} answered ${response.status}: ${text.slice(0, 300)}`);
  const { data, errors } = JSON.parse(text) as { data?: unknown; errors?: unknown };
  if (errors !== undefined) throw new Error(`${kind.name}: ${JSON.stringify(errors).slice(0, 300)}`);
  return JSON.stringify(data);
}

/** @throws Error that shows both when two servers answer a request differently: then they do different work */
export async function refuseOtherAnswers(
  requests: readonly PreparedRequest[],
  servers: readonly RunningServer[],
  tokens: ReadonlyMap<string, string>,
): Promise<void> {
  for (const request of requests) {
    const token = tokens.get(request.tenant) ?? '';
    const answers = await Promise.all(servers.map((server) => answerOf(server, request, token)));
    for (const [place, answer] of answers.entries()) {
      if (answer === answers[0]) continue;
      const names = `${servers[place]?.kind.name} and ${servers[0]?.kind.name}`;
      throw new Error(`${names} differ:\n${answer.slice(0, 600)}\n${answers[0]?.slice(0, 600)}`);
    }
  }
}
