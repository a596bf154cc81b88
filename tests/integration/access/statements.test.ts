import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countStatements } from '../../support/statements.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

const ROWS = 500;
const MEETING = `id subject attendees { emailAddress } recordings { id meeting { id } } transcripts { id recording { id } meeting { id } } artifactCapture { state }
  appointment { id } interaction { id } client { id } invitation { text } failure { code }`;
const ADDED = `id teamsMeeting { ${MEETING} } recordings { id contentUrl meeting { subject } } transcripts { id vttUrl recording { id } }`;
const SIZES = [1, 50, ROWS];

let subgraph: TestSubgraph;
const statements = countStatements();

/** Meetings of `ROWS` appointments and interactions, each with two attendees, a recording and a transcript. */
async function fill(): Promise<void> {
  const { query } = subgraph.database;
  for (const subject of ['appointment', 'interaction']) {
    await query(
      `INSERT INTO online_meetings (tenant_id, id, ${subject}_id, client_id, status, subject, starts_at, ends_at, time_zone, join_url, organizer_upn,
         transaction_id, input_hash, created_by, created_at, updated_at)
       SELECT 'tenant-a', ids.id::uuid, '${subject}-' || ids.n, 'client-acme', 'SCHEDULED', 'Subject', TIMESTAMPTZ '2026-12-01 10:00Z' + ids.n * INTERVAL '1 minute',
         TIMESTAMPTZ '2026-12-01 11:00Z' + ids.n * INTERVAL '1 minute', 'UTC', 'https://teams.microsoft.com/l/meetup-join/' || ids.n, 'scheduling@acme.example', ids.id, ids.id, 'user-1', now(), now()
       FROM unnest($1::text[]) WITH ORDINALITY AS ids (id, n)`,
      [Array.from({ length: ROWS }, () => uuidv7())],
    );
  }
  await query(
    `INSERT INTO meeting_attendees (tenant_id, meeting_id, email_address, position, kind)
     SELECT tenant_id, id, n || '@acme.example', n, 'EMAIL' FROM online_meetings, generate_series(0, 1) AS n`,
  );
  await query(
    `INSERT INTO meeting_recordings (tenant_id, id, meeting_id, graph_recording_id, created_at)
     SELECT tenant_id, gen_random_uuid(), id, 'r', starts_at FROM online_meetings`,
  );
  await query(
    `INSERT INTO meeting_transcripts (tenant_id, id, meeting_id, graph_transcript_id, created_at, is_speaker_attributed, vtt)
     SELECT tenant_id, gen_random_uuid(), id, 't', starts_at, true, convert_to(E'WEBVTT\\n\\n00:00:00.000 --> 00:00:02.000\\n<v Jane>Hello</v>\\n', 'UTF8') FROM online_meetings`,
  );
  await query(
    `INSERT INTO teams_integrations (tenant_id, install_status, show_artifacts_in_client_portal, created_at, updated_at) VALUES ('tenant-a', 'ACTIVE', true, now(), now())`,
  );
}

beforeAll(async () => {
  // One connection, so that opening more of them is no part of the count.
  subgraph = await startTestSubgraph({ poolSize: 1, isExecutedOnce: true });
  await fill();
});
afterAll(() => subgraph.close());

type Found = { recordings: unknown[]; transcripts: unknown[]; teamsMeeting?: { recordings: unknown[] } };

/** How many statements an operation takes, and what it found. */
async function measure(token: string, operation: string, variables: Record<string, unknown>) {
  await subgraph.send(token, '{ teamsMeetingCapability { available } }');
  statements.reset();
  const { data, errors } = await subgraph.send<{ _entities?: Found[]; teamsMeetings?: { edges: { node: Found }[] } }>(
    token,
    operation,
    variables,
  );
  expect(errors).toEqual([]);
  const found = data?._entities ?? data?.teamsMeetings?.edges.map((edge) => edge.node) ?? [];
  expect(found.every((item) => item.recordings.length === 1 && item.transcripts.length === 1)).toBe(true);
  return { statements: statements.count(), found: found.length };
}

const VIEWERS = ['technician', 'client'] as const;

describe.each(VIEWERS)('the statements that a read takes, for the role %s,', (role) => {
  it.each([
    ['Appointment', 'appointment'],
    ['Interaction', 'interaction'],
  ])('are as many for 500 entities of %s as for one', async (type, prefix) => {
    const token = await subgraph.tokens.token(role);
    const operation = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on ${type} { ${ADDED} } } }`;
    const measured = [];
    for (const size of SIZES) {
      const representations = Array.from({ length: size }, (_, i) => ({ __typename: type, id: `${prefix}-${i + 1}` }));
      measured.push(await measure(token, operation, { representations }));
    }
    expect(measured.map(({ found }) => found)).toEqual(SIZES);
    expect(new Set(measured.map((one) => one.statements)).size).toBe(1);
    // Meetings with their parts, attendees for the invitation, recordings of transcripts, a meeting again by its id, and
    // for a client the portal switch.
    expect(measured[0]?.statements).toBeLessThanOrEqual(role === 'client' ? 7 : 4);
  });

  it('are as many for a mixed batch of appointments and interactions as for one of each', async () => {
    const token = await subgraph.tokens.token(role);
    const operation = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Appointment { ${ADDED} } ... on Interaction { ${ADDED} } } }`;
    const counts = [];
    for (const size of SIZES) {
      const representations = Array.from({ length: size }, (_, i) => [
        { __typename: 'Appointment', id: `appointment-${i + 1}` },
        { __typename: 'Interaction', id: `interaction-${i + 1}` },
      ]).flat();
      counts.push((await measure(token, operation, { representations })).statements);
    }
    expect(new Set(counts).size).toBe(1);
  });

  it('are as many for unknown entities as for known ones, or fewer', async () => {
    const token = await subgraph.tokens.token(role);
    const representations = Array.from({ length: ROWS }, (_, i) => ({ __typename: 'Appointment', id: `unknown-${i}` }));
    const operation =
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Appointment { teamsMeeting { id } recordings { id } transcripts { id } } } }';
    statements.reset();
    const { data } = await subgraph.send<{ _entities: Found[] }>(token, operation, { representations });
    expect(data?._entities.every((item) => item.recordings.length === 0)).toBe(true);
    // For a client the portal switch is read as well.
    expect(statements.count()).toBe(role === 'client' ? 2 : 1);
  });

  it.each([
    [
      'the meetings',
      `query ($first: Int!) { teamsMeetings(first: $first) { edges { node { ${MEETING} } } pageInfo { hasNextPage } } }`,
    ],
    [
      'the meetings and their number',
      `query ($first: Int!) { teamsMeetings(first: $first) { totalCount edges { node { ${MEETING} } } } }`,
    ],
    [
      'the words said in meetings',
      'query ($first: Int!) { teamsMeetings(first: $first) { edges { node { recordings { id } transcripts { text speakers { name } cues { totalCount } durationSeconds } } } } }',
    ],
  ])('are as many for a page of 100 as for one of 1: %s', async (_what, operation) => {
    const token = await subgraph.tokens.token(role);
    const counts = [];
    for (const first of [1, 10, 100]) {
      const measured = await measure(token, operation, { first });
      expect(measured.found).toBe(first);
      counts.push(measured.statements);
    }
    expect(new Set(counts).size).toBe(1);
  });

  it('are as many for 500 meetings by their ids as for one', async () => {
    const token = await subgraph.tokens.token(role);
    const ids = await subgraph.database.query<{ id: string }>('SELECT id FROM online_meetings LIMIT $1', [ROWS]);
    const operation = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on TeamsMeeting { ${MEETING} } } }`;
    const counts = [];
    for (const size of SIZES) {
      const representations = ids.slice(0, size).map(({ id }) => ({ __typename: 'TeamsMeeting', id }));
      counts.push((await measure(token, operation, { representations })).statements);
    }
    expect(new Set(counts).size).toBe(1);
  });
});

describe('what is not asked for is not read', () => {
  it.each([
    ['no totalCount, no count', 'query { teamsMeetings { edges { node { id } } } }', 1],
    ['a totalCount, one more', 'query { teamsMeetings { totalCount edges { node { id } } } }', 2],
    [
      'an entity’s id alone, nothing',
      '{ _entities(representations: [{ __typename: "Appointment", id: "appointment-1" }]) { ... on Appointment { id } } }',
      0,
    ],
    ['the schema, nothing', '{ _service { sdl } }', 0],
    [
      'one meeting twice, once',
      '{ a: teamsMeeting(id: "0190a0a0-0000-7000-8000-000000000000") { id } b: teamsMeeting(id: "0190A0A0-0000-7000-8000-000000000000") { id } }',
      1,
    ],
  ])('%s', async (_what, operation, count) => {
    const token = await subgraph.tokens.token('technician');
    statements.reset();
    expect((await subgraph.send(token, operation)).errors).toEqual([]);
    expect(statements.count()).toBe(count);
  });
});
