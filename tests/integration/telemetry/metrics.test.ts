import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addJob } from '../../../src/db/job-queue.ts';
import { LABELS } from '../../../src/server/metric-labels.ts';
import { createMetrics } from '../../../src/server/metrics.ts';
import { activate, captureMeeting, createMeeting } from '../../support/setup.ts';
import { countStatements } from '../../support/statements.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { WITHOUT_WAITS } from '../domain/support.ts';
import { type Series, scraped } from './scraped.ts';

const PAST_CACHE_MS = 15_000;

let subgraph: TestSubgraph;
let admin: string;

async function scrape(): Promise<Series[]> {
  const response = await fetch(`${subgraph.url}/metrics`);
  expect(response.status).toBe(200);
  return scraped(await response.text());
}

/** The value of the one series that has these labels; undefined when there is none. */
async function value(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  const found = (await scrape()).filter(
    (series) =>
      series.name === `teams_meetings_${name}` &&
      Object.entries(labels).every(([label, wanted]) => series.labels[label] === wanted),
  );
  expect(found.length).toBeLessThan(2);
  return found[0]?.value;
}

beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS, explorer: {} });
  admin = await activate(subgraph);
  // Asked for once too often, then answered.
  await subgraph.simulator.addFault({
    match: { method: 'POST', path: '/events$' },
    status: 429,
    headers: { 'retry-after': '1' },
  });
  const meeting = await createMeeting(subgraph, admin);
  await captureMeeting(subgraph, admin, meeting);
  await subgraph.send(null, '{ teamsSettings { installStatus } }');
  await subgraph.send(admin, '{ nothing }');
  await fetch(`${subgraph.url}/recordings/somebody-s-secret-id`);
  await fetch(`${subgraph.url}/explorer/settings.json`);
  await fetch(`${subgraph.url}/tenants/tenant-a/nowhere`);
  await subgraph.runJobs({ early: true });
});
afterAll(() => subgraph?.close());

describe('what happened is counted', () => {
  it.each<[string, Record<string, string>]>([
    ['http_request_duration_seconds_count', { route: '/recordings/:id', status: '4xx' }],
    ['http_request_duration_seconds_count', { route: '/explorer/*', status: '2xx' }],
    ['http_request_duration_seconds_count', { route: 'none', status: '4xx' }],
    ['graphql_errors_total', { code: 'UNAUTHENTICATED' }],
    ['graphql_errors_total', { code: 'GRAPHQL_VALIDATION_FAILED' }],
    ['operations_total', { operation: 'create', outcome: 'success' }],
    ['operations_total', { operation: 'refresh', outcome: 'success' }],
    ['operation_duration_seconds_count', { operation: 'create' }],
    ['artifacts_captured_total', { kind: 'recording' }],
    ['artifacts_captured_total', { kind: 'transcript' }],
    ['graph_calls_total', { operation: 'events.create', outcome: 'THROTTLED' }],
    ['graph_calls_total', { operation: 'events.create', outcome: 'SUCCESS' }],
    ['graph_throttles_total', { area: 'exchange' }],
    ['jobs_total', { task: 'sweep_tenant', outcome: 'success' }],
    ['job_duration_seconds_count', { task: 'sweep_tenant' }],
  ])('%s %j once', async (name, labels) => {
    expect(await value(name, labels)).toBe(1);
  });

  it.each<[string, Record<string, string>]>([
    ['http_request_duration_seconds_count', { route: '/graphql', status: '2xx' }],
    ['graph_call_duration_seconds_count', { area: 'exchange' }],
    ['entra_tokens_total', { outcome: 'SUCCESS' }],
  ])('%s %j more than once or once', async (name, labels) => {
    expect(await value(name, labels)).toBeGreaterThan(0);
  });

  it('and the part of a batch that Microsoft throttles, by itself', () => {
    const metrics = createMetrics();
    metrics.partEnded({ operation: 'recordings.list', area: 'recordings', outcome: 'THROTTLED' });
    return expect(metrics.text()).resolves.toMatch(/graph_throttles_total\{area="recordings"\} 1\n/);
  });
});

describe('how it stands is read from the database', () => {
  it('anew after fifteen seconds', async () => {
    await subgraph.db.forTenant('tenant-a').transaction((prisma) => addJob(prisma, 'sweep_tenant', {}, { key: 'due' }));
    subgraph.advanceClock(PAST_CACHE_MS);
    expect(await value('queue_jobs', { task: 'sweep_tenant', state: 'waiting' })).toBe(1);
    expect(await value('queue_oldest_wait_seconds')).toBeGreaterThan(0);
    expect(await value('meetings', { state: 'SCHEDULED' })).toBe(1);
    expect(await value('database_up')).toBe(1);
  });

  it('in one statement for any number of scrapes', async () => {
    subgraph.advanceClock(PAST_CACHE_MS);
    const statements = countStatements();
    statements.reset();
    await Promise.all(Array.from({ length: 20 }, scrape));
    expect(statements.sent().map(({ text }) => /\w+/.exec(text)?.[0])).toEqual(['WITH']);
    subgraph.advanceClock(1_000);
    await scrape();
    expect(statements.count()).toBe(1);
  });

  it('also when the clock was put back', async () => {
    subgraph.advanceClock(-3_600_000);
    const statements = countStatements();
    statements.reset();
    await scrape();
    expect(statements.count()).toBe(1);
  });

  it('and is absent while it cannot be read, with everything else still there', async () => {
    await subgraph.database.query('ALTER FUNCTION count_meetings_by_state() RENAME TO away');
    subgraph.advanceClock(PAST_CACHE_MS);
    const names = new Set((await scrape()).map(({ name }) => name));
    expect(await value('database_up')).toBe(0);
    for (const gone of ['queue_jobs', 'queue_oldest_wait_seconds', 'meetings'])
      expect([gone, names.has(`teams_meetings_${gone}`)]).toEqual([gone, false]);
    expect(names.has('teams_meetings_operations_total')).toBe(true);
    expect(subgraph.logs.at(-1)).toMatchObject({ level: 40, msg: expect.stringMatching(/numbers of the database/) });
    await subgraph.database.query('ALTER FUNCTION away() RENAME TO count_meetings_by_state');
    subgraph.advanceClock(PAST_CACHE_MS);
    expect(await value('database_up')).toBe(1);
  });

  it('as the pool stands at this moment', async () => {
    expect(await value('database_connections_max')).toBe(5);
    expect(await value('database_connections', { state: 'busy' })).toBe(0);
    expect(await value('database_connections', { state: 'idle' })).toBeGreaterThan(0);
    expect(await value('database_connection_waits')).toBe(0);
  });
});

describe('no label can take any number of values', () => {
  const isKnown = (label: string, text: string) => {
    const known = LABELS[label as keyof typeof LABELS];
    return known instanceof RegExp
      ? known.test(text)
      : (known as readonly string[] | undefined)?.includes(text) === true;
  };

  it('every label of the registry has a closed set', async () => {
    const declared = (await createMetrics().registry.getMetricsAsArray()).flatMap(
      (metric) => (metric as unknown as { labelNames: string[] }).labelNames,
    );
    expect(declared.length).toBeGreaterThan(15);
    expect(declared.filter((label) => !(label in LABELS))).toEqual([]);
  });

  it('and what was counted here keeps to it', async () => {
    const pairs = (await scrape()).flatMap(({ labels }) => Object.entries(labels));
    expect(pairs.filter(([label, text]) => !isKnown(label, text))).toEqual([]);
  });

  it('none names a tenant, a person, an id or a path', async () => {
    const text = await (await fetch(`${subgraph.url}/metrics`)).text();
    expect(text).not.toMatch(/tenant-[ab]|acme|somebody|nowhere|jane|[0-9a-f]{8}-[0-9a-f]{4}/i);
  });
});

it('the page of the documentation has each metric with its type and labels, and no other', async () => {
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const told = [...page.matchAll(/^\| `(teams_meetings_\w+)` \| (\w+) \| ([^|]*)\|/gm)].map(
    ([, name, type, labels = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
    }),
  );
  const metrics = (await createMetrics().registry.getMetricsAsArray()).map((metric) => ({
    name: metric.name,
    type: String(metric.type),
    labels: [...(metric as unknown as { labelNames: string[] }).labelNames],
  }));
  const byName = (a: { name?: string }, b: { name?: string }) => String(a.name).localeCompare(String(b.name));
  expect(told.toSorted(byName)).toEqual(metrics.toSorted(byName));
});
