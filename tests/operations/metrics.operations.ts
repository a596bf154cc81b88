import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { demoWorld } from '../../simulator/seed.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { addressOf, type Run, start } from '../e2e/process.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { activate, captureMeeting, createMeeting } from '../support/setup.ts';
import { sendTo } from '../support/subgraph.ts';
import { AUDIENCE, createTokenMaker, ISSUER } from '../support/tokens.ts';
import { type Prometheus, promtool, startPrometheus } from './prometheus.ts';

const RULES = resolve('deploy/prometheus/alerts.yml');

let directory: string;
let database: TestDatabase;
let simulator: Simulator;
let receiver: OtlpReceiver;
let server: Run;
let url: string;
let prometheus: Prometheus;

interface Panel {
  title: string;
  targets: { expr: string }[];
}
const { panels } = JSON.parse(readFileSync('deploy/grafana/dashboard.json', 'utf8')) as { panels: Panel[] };

/** A day in small: a set-up, a call that Microsoft refuses for now, a meeting that takes place, a question without a token. */
async function work(tokens: Awaited<ReturnType<typeof createTokenMaker>>): Promise<void> {
  const subgraph = { send: sendTo(url), tokens, simulator: simulator.control };
  const admin = await activate(subgraph);
  await simulator.control.addFault({
    match: { method: 'POST', path: '/events$' },
    status: 429,
    headers: { 'retry-after': '1' },
  });
  const meeting = await createMeeting(subgraph, admin);
  await captureMeeting(subgraph, admin, meeting);
  await subgraph.send(null, '{ teamsSettings { installStatus } }');
}

beforeAll(async () => {
  const tokens = await createTokenMaker();
  [directory, database, simulator, receiver] = await Promise.all([
    mkdtemp(join(tmpdir(), 'operations-test-')),
    createTestDatabase(),
    startSimulator(),
    startOtlpReceiver(),
  ]);
  await simulator.control.load(demoWorld());
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(tokens.jwks));
  const key = () => `k1:${randomBytes(32).toString('base64')}`;
  server = start('src/main.ts', [], {
    DATABASE_URL: database.url,
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: 'http://127.0.0.1:4001',
    AUTH_JWKS_FILE: jwksFile,
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: AUDIENCE,
    ENCRYPTION_KEYS: key(),
    LINK_SIGNING_KEYS: key(),
    GRAPH_BASE_URL: simulator.url,
    ENTRA_BASE_URL: simulator.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  });
  url = await addressOf(server);
  prometheus = await startPrometheus(new URL(url).host, RULES);
  await work(tokens);
});
afterAll(async () => {
  await prometheus?.stop();
  server?.child.kill('SIGKILL');
  await server?.ended;
  await Promise.all([simulator?.close(), receiver?.close(), database?.drop()]);
  await rm(directory, { recursive: true, force: true });
});

describe('a real Prometheus', () => {
  it('finds nothing to mend in the page, and reads it', async () => {
    const page = await (await fetch(`${url}/metrics`)).text();
    // What it says of Node's own names is prom-client's.
    const { output } = promtool(['check', 'metrics'], page);
    expect(output.split('\n').filter((line) => !line.startsWith('nodejs_'))).toEqual(['']);
    const targets = async () =>
      (await prometheus.get<{ activeTargets: { health: string; lastError: string }[] }>('targets')).activeTargets;
    // It is ready before it has found its targets.
    await expect.poll(targets, { timeout: 20_000 }).toMatchObject([{ health: 'up', lastError: '' }]);
  });

  it.each(panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)))(
    'reads back the series of the panel “%s”: %s',
    async (_title, expression) => {
      const now = expression.replaceAll('$__rate_interval', '1m');
      await vi.waitFor(async () => expect((await prometheus.query(now)).length).toBeGreaterThan(0), {
        timeout: 30_000,
        interval: 250,
      });
    },
  );

  it.each([
    ['teams_meetings_operations_total{operation="create",outcome="success"}', 1],
    ['teams_meetings_graph_throttles_total{area="exchange"}', 1],
    ['teams_meetings_artifacts_captured_total{kind="transcript"}', 1],
    ['teams_meetings_graphql_errors_total{code="UNAUTHENTICATED"}', 1],
    ['teams_meetings_graphql_errors_total{code="INTERNAL_SERVER_ERROR"}', 0],
    ['max(teams_meetings_database_up)', 1],
  ])('reads %s as %d', async (expression, value) => {
    await expect
      .poll(async () => (await prometheus.query(expression))[0]?.value[1], { timeout: 30_000 })
      .toBe(String(value));
  });

  it('knows every alert, and none fires', async () => {
    const { groups } = await prometheus.get<{ groups: { rules: { name: string; state: string; health: string }[] }[] }>(
      'rules',
    );
    const rules = groups.flatMap(({ rules }) => rules);
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter(({ health }) => health === 'err')).toEqual([]);
    expect(rules.filter(({ state }) => state === 'firing')).toEqual([]);
  });
});

describe('the alerts', () => {
  it('are rules that Prometheus takes', () => {
    const { code, output } = promtool(['check', 'rules', RULES]);
    expect(output).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  it('fire when they should, and not before', () => {
    const { code, output } = promtool(['test', 'rules', 'tests/operations/alerts.yml']);
    expect(output).toContain('SUCCESS');
    expect(code).toBe(0);
  });
});

describe('a process that is told of a collector', () => {
  it('writes the trace into the lines of its log, and sends what is left when it is stopped', async () => {
    const isCreate = (line: string) => line.includes('[TeamsMeetings] operation=create');
    const line = JSON.parse(server.stdout().split('\n').find(isCreate) ?? '{}') as { traceId?: string };
    expect(line.traceId).toMatch(/^[0-9a-f]{32}$/);
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    const trace = receiver.spans().filter(({ traceId }) => traceId === line.traceId);
    const names = trace.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['POST /graphql', 'Mutation.createTeamsMeeting', 'meeting create']));
    expect(new Set(trace.map(({ service }) => service))).toEqual(new Set(['teams-meetings-subgraph']));
  });
});
