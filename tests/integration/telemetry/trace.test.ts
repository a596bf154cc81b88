import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSupergraph } from '../../../examples/supergraph/start-supergraph.ts';
import { startTracing } from '../../../src/telemetry/start-tracing.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver, traceText } from '../../support/otlp-receiver.ts';
import { activate, CREATE, meetingInput } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { AUDIENCE, ISSUER } from '../../support/tokens.ts';
import { ACME, ALWAYS, mendMicrosoft, WITHOUT_WAITS } from '../domain/support.ts';
import { inDocs } from './in-docs.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const SUBJECT = 'Confidential merger';

let receiver: OtlpReceiver;
let directory: string;
let subgraph: TestSubgraph;
let answer: { createTeamsMeeting: { meeting: { id: string; status: string } } };
let joinUrl: string;
let all: ReceivedSpan[];
let trace: ReceivedSpan[];

const named = (name: string) => trace.filter((span) => span.name === name);
const attribute = (spans: ReceivedSpan[], key: string) => spans.map(({ attributes }) => attributes[key]);

/** Creates a meeting through a real gateway while Exchange is away; a job makes it when Exchange is back. */
async function createThroughGateway(): Promise<void> {
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(subgraph.tokens.jwks));
  const supergraph = await startSupergraph({
    subgraphUrl: `${subgraph.url}/graphql`,
    hostname: '127.0.0.1',
    ports: { gateway: 0, psaCore: 0 },
    auth: { jwksFile, issuer: ISSUER, audience: AUDIENCE },
  });
  await subgraph.simulator.addFault({
    match: { method: 'POST', path: '/events$' },
    status: 503,
    body: null,
    times: ALWAYS,
  });
  const response = await fetch(supergraph.gatewayUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await subgraph.tokens.token('technician')}`,
      traceparent: `00-${TRACE}-${CALLER}-01`,
    },
    body: JSON.stringify({ query: CREATE, variables: { input: meetingInput({ subject: SUBJECT }) } }),
  });
  answer = ((await response.json()) as { data: typeof answer }).data;
  await supergraph.close();
  await mendMicrosoft(subgraph);
  await subgraph.runJobs({ early: true });
}

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = receiver.url;
  const tracing = await startTracing({ sampleRatio: 1 });
  directory = await mkdtemp(join(tmpdir(), 'trace-test-'));
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
  await activate(subgraph);
  await createThroughGateway();
  for (const path of ['/metrics', '/health/live', '/health/ready']) await fetch(`${subgraph.url}${path}`);
  const [event] = await subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer);
  joinUrl = event?.joinUrl ?? '';
  // Sends what is left.
  await tracing.stop();
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  all = receiver.spans();
  trace = all.filter(({ traceId }) => traceId === TRACE);
});
afterAll(async () => {
  await subgraph?.close();
  await receiver?.close();
  await rm(directory, { recursive: true, force: true });
});

describe('a meeting that a job made after Exchange came back is one trace', () => {
  it('that begins at the gateway’s caller and has no loose end', () => {
    expect(answer.createTeamsMeeting.meeting.status).toBe('PROVISIONING');
    expect(joinUrl).toMatch(/^https:/);
    const ids = new Set([CALLER, ...trace.map(({ spanId }) => spanId)]);
    expect(trace.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? ''))).toEqual([]);
    expect(named('POST /graphql')).toMatchObject([
      { parentSpanId: CALLER, service: 'teams-meetings-subgraph', attributes: { 'http.response.status_code': '200' } },
    ]);
  });

  it('with the request, the root field, the operation, the statements, Microsoft’s answers and the job', () => {
    expect(traceText(trace, CALLER).join('\n')).toBe(inDocs('operations.md', 'trace of one meeting'));
  });

  it('that names the meeting, its tenant and each outcome', () => {
    expect(named('meeting create').map(({ attributes }) => attributes)).toMatchObject([
      {
        'teams_meetings.tenant_id': 'tenant-a',
        'teams_meetings.meeting_id': answer.createTeamsMeeting.meeting.id,
        'teams_meetings.outcome': 'GRAPH_UNAVAILABLE',
      },
      { 'teams_meetings.outcome': 'success' },
    ]);
  });

  it('that quotes Microsoft’s request ids', async () => {
    const calls = named('POST /users/{user}/events');
    const seen = await subgraph.simulator.requests({ method: 'POST', path: '/events$' });
    expect(attribute(calls, 'microsoft.graph.request_id')).toEqual(seen.map(({ requestId }) => requestId));
    expect(attribute(calls, 'http.response.status_code').at(-1)).toBe('201');
    expect(calls.map(({ hasFailed }) => hasFailed)).toEqual([...calls.slice(1).map(() => true), false]);
  });

  it('that shows statements without their values', () => {
    const texts = attribute(trace, 'db.query.text').filter((text) => text !== undefined);
    expect(texts.some((text) => /^INSERT INTO "public"."online_meetings" .*\$1/.test(String(text)))).toBe(true);
    expect(texts.join('\n')).not.toMatch(/tenant-a|client-acme|appt-a-1/);
  });

  it('whose id stands in the log beside the operation', () => {
    const lines = subgraph.logs.filter(({ msg }) => msg === '[TeamsMeetings] operation=create');
    expect(lines).toMatchObject([
      { traceId: TRACE, outcome: 'GRAPH_UNAVAILABLE' },
      { traceId: TRACE, outcome: 'success' },
    ]);
  });
});

describe('beside it', () => {
  it('a round that plans itself again is a trace of its own, linked to who planned it', () => {
    const rounds = all.filter(({ name }) => name === 'job sweep_tenant');
    expect(rounds.length).toBeGreaterThan(0);
    for (const round of rounds) {
      expect(round.parentSpanId).toBeUndefined();
      expect(round.traceId).not.toBe(TRACE);
      expect(round.linkedTo).toHaveLength(1);
    }
  });

  it('no span has a secret, a link, a title, an address or a token in it', () => {
    const said = JSON.stringify([all.map(({ raw }) => raw)]);
    expect(all.length).toBeGreaterThan(50);
    for (const secret of [SUBJECT, ACME.secret, ACME.organizer, 'jane@acme.example', joinUrl, 'meetup-join', 'eyJ'])
      expect(said.includes(secret), secret).toBe(false);
  });

  it('health and metrics, which machines ask for all the time, are not traced', () => {
    expect(all.filter(({ name }) => /health|metrics/.test(name))).toEqual([]);
  });
});
