/**
 * W7: how fast recordings pass through one subgraph process beside a bare Node pipe between the same two ends, in
 * interleaved rounds, and what is resident while many play at once. Simulator, subgraph and pipe are processes of their
 * own; this one is the player.
 */
import { Agent, get } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { CONNECT, CREATE, MICROSOFT, meetingInput, REFRESH, UPDATE_SETTINGS } from '../../tests/support/setup.ts';
import type { TokenMaker } from '../../tests/support/tokens.ts';
import type { Measure, WorkloadResult } from '../report/result.ts';
import { type Child, startChild, usageOf } from '../support/child.ts';
import { ourEnvironment, type Surroundings } from '../support/environment.ts';
import { type SimulatedMicrosoft, startMicrosoft } from '../support/microsoft.ts';
import { median } from '../support/statistics.ts';

const MEGABYTE = 1_000_000;
const ONE_BYTES = 256 * MEGABYTE;
const PLAYERS = 20;
const EACH_BYTES = 64 * MEGABYTE;
const ACME = MICROSOFT['tenant-a'];

/** Reads an address to its end and counts. */
function drain(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: new Agent() }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => (answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`${answer.statusCode}`))));
      answer.on('error', reject);
    }).on('error', reject);
  });
}

/** Does the work and tells the most that was resident meanwhile, in bytes; NaN where the system does not tell. */
async function residentDuring(pid: number, work: () => Promise<unknown>): Promise<number> {
  const over = new AbortController();
  let most = Number.NaN;
  const watch = async () => {
    while (!over.signal.aborted) {
      const resident = (await usageOf(pid))?.residentBytes ?? Number.NaN;
      most = Number.isNaN(most) ? resident : Math.max(most, resident);
      await setTimeout(200, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  await work();
  over.abort();
  await watching;
  return most;
}

interface Recording {
  /** Where the player finds it. */
  link: string;
  /** Where Graph has it. */
  graph: string;
}

/** A tenant at the subgraph, and what makes recordings for it. */
async function openTenant(subgraph: Child, microsoft: SimulatedMicrosoft, admin: string) {
  async function mutate<Payload>(query: string, input: object): Promise<Payload> {
    const response = await fetch(`${subgraph.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const { data, errors } = (await response.json()) as { data?: Record<string, Payload>; errors?: unknown };
    const payload = Object.values(data ?? {})[0];
    if (payload === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
    return payload;
  }

  await mutate(CONNECT, { clientId: ACME.clientId, directoryId: ACME.directoryId, clientSecret: ACME.secret });
  await mutate(UPDATE_SETTINGS, { organizerUserPrincipalName: ACME.organizer });
  await mutate(UPDATE_SETTINGS, { installStatus: 'ACTIVE' });

  let meetings = 0;
  return async (bytes: number): Promise<Recording> => {
    meetings += 1;
    const { meeting } = await mutate<{ meeting: { id: string; joinUrl: string } }>(
      CREATE,
      meetingInput({ appointmentId: `recorded-${meetings}` }),
    );
    const { id, joinUrl } = meeting;
    const { directoryId } = ACME;
    const call = await microsoft.control.meetingTookPlace({ directoryId, joinUrl, minRecordingBytes: bytes });
    const refreshed = await mutate<{ meeting: { recordings: { contentUrl: string }[] } }>(REFRESH, { meetingId: id });
    const { pathname, search } = new URL(refreshed.meeting.recordings[0]?.contentUrl ?? '');
    const graphPath = ['users', call.organizerId, 'onlineMeetings', call.meetingId, 'recordings'];
    const ids = [...graphPath, call.recordings[0]?.id ?? ''].map(encodeURIComponent);
    return {
      link: `${subgraph.url}${pathname}${search}`,
      graph: `${microsoft.url}/v1.0/${ids.join('/')}/content`,
    };
  };
}

async function graphToken(microsoft: SimulatedMicrosoft): Promise<string> {
  const response = await fetch(`${microsoft.url}/${ACME.directoryId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: ACME.clientId,
      client_secret: ACME.secret,
      scope: 'https://graph.microsoft.com/.default',
    }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

interface Way {
  name: string;
  pid: number | null;
  play: () => Promise<number>;
}

/** Megabytes a second of each way, and its own processor time for a gigabyte, in interleaved rounds after a first. */
async function compare(ways: readonly Way[], rounds: number): Promise<Measure[]> {
  const rates = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  const costs = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, pid, play } of ways) {
      const before = pid === null ? null : await usageOf(pid);
      const began = performance.now();
      const bytes = await play();
      const seconds = (performance.now() - began) / 1000;
      const after = pid === null ? null : await usageOf(pid);
      if (round === 0) continue;
      rates.get(name)?.push(bytes / MEGABYTE / seconds);
      if (before !== null && after !== null)
        costs.get(name)?.push((after.cpuSeconds - before.cpuSeconds) / (bytes / 1e9));
    }
  }
  return ways.flatMap(({ name }) => {
    const cost = costs.get(name) ?? [];
    return [
      { what: `${name}: rate`, value: median(rates.get(name) ?? []), unit: 'MB/s' },
      ...(cost.length === 0 ? [] : [{ what: `${name}: processor time`, value: median(cost), unit: 's/GB' }]),
    ];
  });
}

export async function recordingProxy(
  surroundings: Surroundings,
  tokens: TokenMaker,
  rounds: number,
): Promise<WorkloadResult> {
  const children: { stop(): Promise<void> }[] = [];
  const kept = <T extends { stop(): Promise<void> }>(child: T): T => {
    children.push(child);
    return child;
  };
  try {
    const microsoft = kept(await startMicrosoft());
    const env = ourEnvironment(surroundings, { GRAPH_BASE_URL: microsoft.url, ENTRA_BASE_URL: microsoft.url });
    const subgraph = kept(await startChild('dist/main.js', { env }));
    const recordingOf = await openTenant(subgraph, microsoft, await tokens.token('admin'));
    const authorization = `Bearer ${await graphToken(microsoft)}`;

    const one = await recordingOf(ONE_BYTES);
    const pipe = kept(await startChild('bench/tasks/bare-pipe.ts', { args: [one.graph] }));
    const ways = [
      { name: 'straight from the simulator', pid: null, play: () => drain(one.graph, { authorization }) },
      { name: 'bare Node pipe', pid: pipe.pid, play: () => drain(pipe.url, { authorization }) },
      { name: 'subgraph', pid: subgraph.pid, play: () => drain(one.link) },
    ];
    const measures = await compare(ways, rounds);
    const rateOf = (name: string) => measures.find(({ what }) => what === `${name}: rate`)?.value ?? Number.NaN;

    const links: string[] = [];
    for (let player = 0; player < PLAYERS; player += 1) links.push((await recordingOf(EACH_BYTES)).link);
    const before = (await usageOf(subgraph.pid))?.residentBytes ?? Number.NaN;
    const most = await residentDuring(subgraph.pid, async () => {
      const got = await Promise.all(links.map((link) => drain(link)));
      if (got.some((bytes) => bytes !== EACH_BYTES)) throw new Error('a recording came short');
    });
    return {
      name: 'W7',
      title: `a recording of ${ONE_BYTES / MEGABYTE} MB through the subgraph`,
      measures: [
        ...measures,
        { what: 'subgraph ÷ bare pipe', value: rateOf('subgraph') / rateOf('bare Node pipe'), unit: '×' },
        { what: `resident more while ${PLAYERS} play at once`, value: (most - before) / MEGABYTE, unit: 'MB' },
      ],
    };
  } finally {
    for (const child of children.reverse()) await child.stop();
  }
}
