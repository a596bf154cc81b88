import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countStatements } from '../../support/statements.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

/** What is sent often is answered on a short way: nobody may be able to tell, but for the time that it takes. */
let subgraph: TestSubgraph;
const statements = countStatements();

const BOARD =
  'query Board($r: [_Any!]!) { _entities(representations: $r) { ... on Appointment { id teamsMeeting { subject attendees { emailAddress } } recordings { id } } } }';
const ENTITIES = { r: [{ __typename: 'Appointment', id: 'known-1' }] };

beforeAll(async () => {
  subgraph = await startTestSubgraph({ isExecutedOnce: true, isProduction: true });
  for (const tenant of ['tenant-a', 'tenant-b']) {
    await subgraph.database.query(
      `INSERT INTO online_meetings (tenant_id, id, appointment_id, client_id, status, subject, starts_at, ends_at, time_zone,
         organizer_upn, transaction_id, input_hash, created_by, created_at, updated_at)
       VALUES ($1, gen_random_uuid(), 'known-1', 'client-acme', 'SCHEDULED', 'Of ' || $1, now(), now() + interval '1 hour', 'UTC',
         'organizer@msp.example', $1, 'hash', 'user', now(), now())`,
      [tenant],
    );
  }
});
afterAll(() => subgraph.close());

type Headers = Record<string, string>;

async function post(token: string | null, body: object, headers: Headers = {}) {
  const response = await fetch(`${subgraph.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const told = Object.fromEntries([...response.headers].filter(([name]) => name !== 'date'));
  return { status: response.status, headers: told, body: await response.text() };
}

const ACCEPTED = ['*/*', 'application/json', 'application/graphql-response+json, application/json;q=0.9'];

describe('an operation that is sent again', () => {
  it.each(ACCEPTED)('is answered byte by byte as at first, for a client that accepts %s', async (accept) => {
    const token = await subgraph.tokens.token('technician');
    const send = (query: string) => post(token, { query, variables: ENTITIES }, { accept });
    // Another text, so that this one is sent for the first time with this header.
    const query = BOARD.replace('query Board', `query Board${ACCEPTED.indexOf(accept)}`);
    const answers = [];
    for (let time = 0; time < 4; time += 1) answers.push(await send(query));
    expect(answers[0]?.status).toBe(200);
    expect(answers[0]?.body).toContain('Of tenant-a');
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('belongs to no viewer: the next one gets their own tenant, and their own refusal', async () => {
    const body = { query: BOARD, variables: ENTITIES };
    const technician = await subgraph.tokens.token('technician');
    for (let time = 0; time < 3; time += 1) expect((await post(technician, body)).body).toContain('Of tenant-a');
    const other = await post(await subgraph.tokens.token('technician', { tenant_id: 'tenant-b' }), body);
    expect(other.body).toContain('Of tenant-b');
    expect(other.body).not.toContain('Of tenant-a');
    expect((await post(null, body)).body).toContain('UNAUTHENTICATED');
    const bare = await post(await subgraph.tokens.token('technician', { permissions: [] }), body);
    expect(bare.body).toContain('FORBIDDEN');
    expect(bare.body).not.toContain('Of tenant-a');
    const stranger = await post(await subgraph.tokens.token('client', { client_id: 'client-other' }), body);
    expect(stranger.body).not.toContain('Of tenant-a');
  });

  it('is executed once, also when its answer has an error', async () => {
    const token = await subgraph.tokens.token('technician', { permissions: ['teams_meeting:read'] });
    const body = { query: BOARD, variables: ENTITIES };
    const counts = [];
    for (let time = 0; time < 3; time += 1) {
      statements.reset();
      const answer = await post(token, body);
      expect(JSON.parse(answer.body)).toMatchObject({
        data: { _entities: [{ teamsMeeting: { subject: 'Of tenant-a' }, recordings: null }] },
        errors: [{ path: ['_entities', 0, 'recordings'], extensions: { code: 'FORBIDDEN' } }],
      });
      counts.push(statements.count());
    }
    expect(counts).toEqual([1, 1, 1]);
  });

  it.each<[string, object]>([
    ['variables that do not fit', { variables: { r: 7 } }],
    ['no variables', {}],
    ['variables that are a list', { variables: [1] }],
    ['variables that are a text', { variables: '{}' }],
    ['an operation name that it has not', { variables: ENTITIES, operationName: 'Other' }],
    ['an operation name that is none', { variables: ENTITIES, operationName: 7 }],
    ['extensions that are none', { variables: ENTITIES, extensions: 'x' }],
  ])('is refused as at first, with %s', async (_what, rest) => {
    const token = await subgraph.tokens.token('technician');
    // The comment makes it an operation that was never sent before.
    const first = await post(token, { query: `${BOARD} # ${JSON.stringify(rest)}`, ...rest });
    await post(token, { query: BOARD, variables: ENTITIES });
    await post(token, { query: BOARD, variables: ENTITIES });
    const again = await post(token, { query: BOARD, ...rest });
    expect(again.status).toBe(first.status);
    expect(JSON.parse(again.body)).toEqual(JSON.parse(first.body));
  });

  it('is refused without the content type that keeps strange pages out', async () => {
    const token = await subgraph.tokens.token('technician');
    for (let time = 0; time < 3; time += 1) await post(token, { query: BOARD, variables: ENTITIES });
    const answer = await post(token, { query: BOARD, variables: ENTITIES }, { 'content-type': 'text/plain' });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).not.toContain('Of tenant-a');
  });
});
