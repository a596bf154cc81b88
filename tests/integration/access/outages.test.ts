import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import {
  activate,
  CREATE,
  type CreatedMeeting,
  captureMeeting,
  createMeeting,
  meetingInput,
  REFRESH,
  type UserErrorAnswer,
} from '../../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

const ENTITIES = `{ _entities(representations: [{ __typename: "Appointment", id: "out-1" }, { __typename: "Interaction", id: "out-2" }]) {
  ... on Appointment { id teamsMeeting { id subject } recordings { id contentUrl } transcripts { id text } }
  ... on Interaction { id teamsMeeting { id } recordings { id } transcripts { id } suggestedAttendees { emailAddress } }
} }`;

interface Entity {
  id: string;
  teamsMeeting: { id: string; subject: string } | null;
  recordings: { id: string; contentUrl: string }[] | null;
  transcripts: { id: string; text: string }[] | null;
}

/** Runs SQL beside the test's own database, as the cluster's superuser. */
async function onCluster(sql: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(sql, values);
  } finally {
    await client.end();
  }
}

describe('while the database is gone', () => {
  let subgraph: TestSubgraph;
  let token: string;
  let link: string;
  let name: string;
  beforeAll(async () => {
    subgraph = await startTestSubgraph();
    token = await activate(subgraph);
    const meeting = await createMeeting(subgraph, token, { appointmentId: 'out-1' });
    await captureMeeting(subgraph, token, meeting);
    const { data } = await subgraph.send<{ _entities: Entity[] }>(token, ENTITIES);
    link = reachable(subgraph, data?._entities[0]?.recordings?.[0]?.contentUrl ?? '');
    name = new URL(subgraph.database.url).pathname.slice(1);
  });
  afterAll(() => subgraph.close());

  /** Throws out who is in and lets nobody in, or all back in. */
  async function setGone(isGone: boolean): Promise<void> {
    if (!isGone) {
      await onCluster(`ALTER DATABASE ${name}_away RENAME TO ${name}`);
      return onCluster(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    }
    await onCluster(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await onCluster('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    await onCluster(`ALTER DATABASE ${name} RENAME TO ${name}_away`);
  }
  const isReady = async () => (await fetch(`${subgraph.url}/health/ready`)).status;

  it('appointments and interactions stay, with SERVICE_UNAVAILABLE beside what we add; then everything works again', async () => {
    await setGone(true);
    await vi.waitFor(async () => expect(await isReady()).toBe(503), { timeout: 10_000 });
    expect((await fetch(`${subgraph.url}/health/live`)).status).toBe(200);

    const entities = await subgraph.send<{ _entities: Entity[] }>(token, ENTITIES);
    expect(entities.status).toBe(200);
    expect(entities.data?._entities).toEqual([
      { id: 'out-1', teamsMeeting: null, recordings: null, transcripts: null },
      { id: 'out-2', teamsMeeting: null, recordings: null, transcripts: null, suggestedAttendees: [] },
    ]);
    expect(entities.errors).toHaveLength(6);
    expect(new Set(entities.errors.map((error) => error.extensions.code))).toEqual(new Set(['SERVICE_UNAVAILABLE']));
    expect(JSON.stringify(entities.errors)).not.toContain(name);

    for (const operation of [
      '{ teamsMeetings { totalCount } }',
      '{ teamsSettings { installStatus } }',
      '{ searchTranscripts(query: "x") { edges { cursor } } }',
      '{ teamsMeetingCapability { available } }',
    ]) {
      const { errors } = await subgraph.send(token, operation);
      expect([operation, ...errors.map((error) => error.extensions.code)]).toEqual([operation, 'SERVICE_UNAVAILABLE']);
    }
    const created = await subgraph.send(token, CREATE, { input: meetingInput({ appointmentId: 'out-3' }) });
    expect(created.errors.map((error) => error.extensions.code)).toEqual(['SERVICE_UNAVAILABLE']);
    expect((await subgraph.send(null, '{ _service { sdl } }')).errors).toEqual([]);
    expect((await fetch(link)).status).toBeGreaterThanOrEqual(500);

    await setGone(false);
    await vi.waitFor(async () => expect(await isReady()).toBe(200), { timeout: 10_000 });
    const again = await subgraph.send<{ _entities: Entity[] }>(token, ENTITIES);
    expect(again.errors).toEqual([]);
    expect(again.data?._entities[0]?.recordings).toHaveLength(1);
  });
});

describe('while Microsoft does not answer', () => {
  let subgraph: TestSubgraph;
  let token: string;
  let meeting: CreatedMeeting;
  beforeAll(async () => {
    subgraph = await startTestSubgraph({ graph: { maxTries: 1 } });
    token = await activate(subgraph);
    meeting = await createMeeting(subgraph, token, { appointmentId: 'out-1' });
    await captureMeeting(subgraph, token, meeting);
    await subgraph.simulator.addFault({ status: 503, times: 1000 });
  });
  afterAll(() => subgraph.close());

  it('every read of what is stored works, and asks Microsoft nothing', async () => {
    const before = (await subgraph.simulator.requests()).length;
    const { data, errors } = await subgraph.send<{ _entities: Entity[] }>(token, ENTITIES);
    expect(errors).toEqual([]);
    expect(data?._entities[0]).toMatchObject({ id: 'out-1', teamsMeeting: { id: meeting.id } });
    expect(data?._entities[0]?.transcripts?.[0]?.text).not.toBe('');
    expect(
      (
        await subgraph.send(
          token,
          '{ teamsMeetings { totalCount } teamsSettings { installStatus } teamsMeetingCapability { available } teamsSetupGuide { steps { number } } }',
        )
      ).errors,
    ).toEqual([]);
    expect((await subgraph.simulator.requests()).length).toBe(before);
    expect((await fetch(`${subgraph.url}/health/ready`)).status).toBe(200);
  });

  it.each([['refreshTeamsMeetingArtifacts', REFRESH, () => ({ meetingId: meeting.id })]] as const)(
    '%s says so in userErrors, and the meeting is still there',
    async (_name, operation, input) => {
      const { data, errors } = await subgraph.send<
        Record<string, { meeting: { id: string } | null; userErrors: UserErrorAnswer[] }>
      >(token, operation, { input: input() });
      expect(errors).toEqual([]);
      const payload = Object.values(data ?? {})[0];
      expect(new Set(payload?.userErrors.map((error) => error.code))).toEqual(new Set(['GRAPH_UNAVAILABLE']));
      expect(payload?.meeting).not.toBeNull();
    },
  );

  it('createTeamsMeeting is accepted, and the meeting says that it is tried again', async () => {
    const { data, errors } = await subgraph.send<{ createTeamsMeeting: object }>(token, CREATE, {
      input: meetingInput({ appointmentId: 'out-4' }),
    });
    expect(errors).toEqual([]);
    expect(data?.createTeamsMeeting).toMatchObject({
      meeting: { status: 'PROVISIONING', joinUrl: null, failure: { code: 'GRAPH_UNAVAILABLE' } },
      userErrors: [],
    });
  });

  it('a recording cannot be fetched: 503, and nothing of Microsoft in it', async () => {
    const { data } = await subgraph.send<{ _entities: Entity[] }>(token, ENTITIES);
    const response = await fetch(reachable(subgraph, data?._entities[0]?.recordings?.[0]?.contentUrl ?? ''));
    expect(response.status).toBe(503);
    expect(await response.text()).not.toMatch(/http|graph\.microsoft|127\.0\.0\.1/);
  });
});

describe('a graceful stop', () => {
  it('finishes the request in flight, also when it waits for Microsoft, and refuses new ones', async () => {
    const subgraph = await startTestSubgraph();
    const token = await activate(subgraph);
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/events' }, delayMs: 9000 });
    let isAnswered = false;
    const inFlight = subgraph
      .send<Record<string, { meeting: CreatedMeeting; userErrors: unknown[] }>>(token, CREATE, {
        input: meetingInput({ appointmentId: 'stop-1' }),
      })
      .then((answer) => {
        isAnswered = true;
        return answer;
      });
    await vi.waitFor(
      async () =>
        expect(
          (await subgraph.simulator.requests()).some(
            (entry) => entry.method === 'POST' && entry.path.endsWith('/events') && entry.status === null,
          ),
        ).toBe(true),
      { timeout: 5000 },
    );

    const stopped = subgraph.close();
    await vi.waitFor(
      async () => {
        await expect(fetch(`${subgraph.url}/health/live`)).rejects.toThrow();
      },
      { timeout: 5000, interval: 10 },
    );
    expect(isAnswered).toBe(false);
    // Lets the delayed call go on.
    await subgraph.simulator.clearFaults();
    const { data, errors } = await inFlight;
    expect(errors).toEqual([]);
    expect(Object.values(data ?? {})[0]).toMatchObject({ meeting: { status: 'SCHEDULED' }, userErrors: [] });
    await stopped;
  });
});
