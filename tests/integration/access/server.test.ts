import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyRing } from '../../../src/services/microsoft-app/key-ring.ts';
import { activate, CREATE, meetingInput } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: unknown[]; extensions: { code: string; stacktrace?: unknown } }[];
}

let subgraph: TestSubgraph;
let production: TestSubgraph;
const keys = [{ id: 'test', bytes: randomBytes(32) }];
let token: string;

beforeAll(async () => {
  subgraph = await startTestSubgraph({ services: { encryptionKeys: keys } });
  production = await startTestSubgraph({
    isProduction: true,
    introspection: false,
    services: { encryptionKeys: keys },
  });
  await activate(subgraph);
  await activate(production);
  token = await subgraph.tokens.token('admin');
});
afterAll(async () => {
  await Promise.all([subgraph.close(), production.close()]);
});

async function post(
  body: string,
  headers: Record<string, string> = {},
  to = subgraph,
): Promise<{ status: number; answer: Answer; text: string }> {
  const response = await fetch(`${to.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body,
  });
  const text = await response.text();
  return { status: response.status, text, answer: text.startsWith('{') ? (JSON.parse(text) as Answer) : {} };
}

const ask = (query: string, variables: object = {}) => post(JSON.stringify({ query, variables }));
const codesOf = ({ errors = [] }: Answer) => errors.map((error) => error.extensions.code);

/** A selection `n` levels deep; a meeting's recording has the meeting again. */
function deep(n: number): string {
  return n === 0 ? 'id' : `recordings { meeting { ${deep(n - 1)} } }`;
}

describe('OPERATION_TOO_COMPLEX answers', () => {
  const meetings = (alias: string) => `${alias}: teamsMeetings(first: 100) { edges { node { id } } }`;
  it.each([
    ['a selection without end', `{ teamsMeeting(id: "x") { ${deep(20)} } }`],
    [
      'a selection without end by fragments',
      `query { teamsMeeting(id: "x") { ...A } } ${Array.from({ length: 20 }, (_, i) => `fragment ${'ABCDEFGHIJKLMNOPQRSTU'[i]} on TeamsMeeting { recordings { meeting { ...${'ABCDEFGHIJKLMNOPQRSTU'[i + 1]} } } }`).join(' ')} fragment U on TeamsMeeting { id }`,
    ],
    [
      'a selection without end of an entity',
      `{ _entities(representations: []) { ... on Appointment { teamsMeeting { ${deep(20)} } } } }`,
    ],
    ['a thousand aliases', `{ ${Array.from({ length: 1000 }, (_, i) => meetings(`a${i}`)).join(' ')} }`],
    [
      'a thousand aliases of a leaf',
      `{ teamsMeeting(id: "x") { ${Array.from({ length: 1000 }, (_, i) => `a${i}: id`).join(' ')} } }`,
    ],
    [
      'a thousand aliases in a mutation',
      `mutation { ${Array.from({ length: 1000 }, (_, i) => `a${i}: verifyTeamsOrganizer { userErrors { code } }`).join(' ')} }`,
    ],
  ])('%s', async (_what, query) => {
    const { status, answer } = await ask(query);
    expect(codesOf(answer)).toContain('OPERATION_TOO_COMPLEX');
    expect(new Set(codesOf(answer)).size).toBe(1);
    expect(status).toBe(400);
    expect(answer.data ?? null).toBeNull();
  });

  it('a selection that costs too much though it is neither deep nor has many aliases', async () => {
    const fields =
      'id subject status startsAt endsAt joinUrl organizer { userPrincipalName } attendees { emailAddress }';
    const node = `${fields} recordings { id meeting { ${fields} recordings { id meeting { ${fields} transcripts { id text meeting { ${fields} } } } } } }`;
    const some = Array.from({ length: 25 }, (_, i) => `m${i}: teamsMeetings { edges { node { ${node} } } }`).join(' ');
    expect(codesOf((await ask(`{ ${some} }`)).answer)).toEqual(['OPERATION_TOO_COMPLEX']);
  });

  it('but not the deepest useful read of a gateway', async () => {
    const read = `{ _entities(representations: [{ __typename: "Appointment", id: "x" }]) { ... on Appointment { id
      teamsMeeting { id subject transcripts { id recording { id meeting { id } } speakers { name } cues(first: 10) { edges { node { index text speaker } } pageInfo { hasNextPage } } } } } } }`;
    expect((await ask(read)).answer.errors).toBeUndefined();
  });

  it('and a message that says what is too much', async () => {
    const { answer } = await ask(`{ teamsMeeting(id: "x") { ${deep(20)} } }`);
    expect(answer.errors?.[0]?.message).toMatch(/depth limit of \d+ exceeded/i);
  });
});

describe('a request that is not an operation', () => {
  it.each([
    ['a syntax error', '{ teamsMeeting(', 'GRAPHQL_PARSE_FAILED'],
    ['an empty query', '', 'BAD_USER_INPUT'],
    ['only a comment', '# nothing', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{ teamsMeetingz }', 'GRAPHQL_VALIDATION_FAILED'],
    ['an unknown argument', '{ teamsMeeting(name: "x") { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a missing argument', '{ teamsMeeting { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a missing selection', '{ teamsMeetings }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'an enum value that is none, in the text',
      '{ teamsMeetings(filter: { status: [OVER] }) { totalCount } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'a time that is none, in the text',
      '{ teamsMeetings(filter: { startsFrom: "tomorrow" }) { totalCount } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['a subscription', 'subscription { x }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('%s', async (_what, query, code) => {
    const { status, answer } = await ask(query);
    expect(new Set(codesOf(answer))).toEqual(new Set([code]));
    expect(status).toBe(400);
  });

  it.each([
    ['a missing variable', {}],
    ['a null for a required variable', { id: null }],
    ['an object for an id', { id: {} }],
    ['a list for an id', { id: ['a', 'b'] }],
    ['a boolean for an id', { id: true }],
  ])('BAD_USER_INPUT for %s', async (_what, variables) => {
    expect(codesOf((await ask('query ($id: ID!) { teamsMeeting(id: $id) { id } }', variables)).answer)).toEqual([
      'BAD_USER_INPUT',
    ]);
  });

  it.each([
    'tomorrow',
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '',
    5,
    true,
    {},
  ])('BAD_USER_INPUT for the DateTime %j', async (startsAt) => {
    const { answer } = await ask(CREATE, { input: meetingInput({ startsAt }) });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  });

  it('chooses no operation among two without a name', async () => {
    expect(codesOf((await ask('query A { __typename } query B { __typename }')).answer)).toEqual(['BAD_USER_INPUT']);
  });

  it.each([
    ['no JSON', '{', {}],
    ['a text', '"query"', {}],
    ['nothing', '', {}],
    ['a number for the query', '{"query":5}', {}],
    ['a text for the variables', '{"query":"{ __typename }","variables":"x"}', {}],
    ['an array', '[{"query":"{ __typename }"},{"query":"{ __typename }"}]', {}],
    ['an empty array', '[]', {}],
    ['XML', '<query/>', { 'content-type': 'application/xml' }],
  ])('is refused with a 4xx: %s', async (_what, body, headers) => {
    const { status, answer, text } = await post(body, headers);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(answer.data ?? null).toBeNull();
    expect(text).not.toMatch(/node_modules|at \w+ \(/);
  });

  it('says nothing of a stack, and nothing of where it runs', async () => {
    const { text } = await ask('{ teamsMeetingz }');
    expect(text).not.toMatch(/stacktrace|node_modules|\.ts:/);
  });

  it.each([
    ['just over 1 MiB', 1_048_577, 413],
    ['far over 1 MiB', 5_000_000, 413],
    ['under 1 MiB', 900_000, 200],
  ])('of a body of %s', async (_what, size, expected) => {
    const filler = ' '.repeat(size - JSON.stringify({ query: '{ __typename }' }).length);
    expect((await post(JSON.stringify({ query: `{ __typename }${filler}` }))).status).toBe(expected);
  });
});

describe('requests that a browser could be made to send', () => {
  const query = encodeURIComponent('{ teamsMeetingCapability { available } }');
  it.each([
    ['GET as an image or a script does', { method: 'GET' }, `?query=${query}`],
    ['GET with a simple content type', { method: 'GET', headers: { 'content-type': 'text/plain' } }, `?query=${query}`],
    [
      'POST of a text',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"query":"{ __typename }"}' },
      '',
    ],
    [
      'POST of a form',
      { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `query=${query}` },
      '',
    ],
    [
      'POST of a multipart form',
      { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x--' },
      '',
    ],
    [
      'POST of a multipart upload',
      {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query":"{ __typename }"}\r\n--x--',
      },
      '',
    ],
  ])('are refused: %s', async (_what, init: RequestInit, search) => {
    const response = await fetch(`${subgraph.url}/graphql${search}`, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` },
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await response.text()).not.toContain('"data":{');
  });

  it('a mutation never runs by GET', async () => {
    const mutation = encodeURIComponent('mutation { verifyTeamsOrganizer { userErrors { code } } }');
    const response = await fetch(`${subgraph.url}/graphql?query=${mutation}`, {
      headers: { authorization: `Bearer ${token}`, 'apollo-require-preflight': '1' },
    });
    expect(response.status).toBe(405);
  });

  it('no other origin is let in', async () => {
    const response = await fetch(`${subgraph.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('introspection', () => {
  const INTROSPECTION = '{ __schema { types { name } } }';
  it('is there where it is on', async () => {
    expect((await ask(INTROSPECTION)).answer.errors).toBeUndefined();
  });

  it.each([INTROSPECTION, '{ __type(name: "Query") { name } }'])('is refused where it is off: %s', async (query) => {
    expect(new Set(codesOf((await post(JSON.stringify({ query }), {}, production)).answer))).toEqual(
      new Set(['GRAPHQL_VALIDATION_FAILED']),
    );
  });

  it('the gateway still reads the schema where it is off', async () => {
    const { data, errors } = await production.send<{ _service: { sdl: string } }>(null, '{ _service { sdl } }');
    expect(errors).toEqual([]);
    expect(data?._service.sdl).toContain('type Appointment');
  });

  it('no names are suggested where it is off', async () => {
    const { errors } = await production.send(null, '{ teamsMeetingz { id } }');
    expect(errors[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(errors[0]?.message).not.toMatch(/did you mean/i);
  });
});

describe('an error of our own', () => {
  /** A stored secret that opens and is none: nothing that a caller could have done wrong. */
  const breakSecret = (of: TestSubgraph) =>
    of.database.query('UPDATE microsoft_apps SET credential_ciphertext = $1', [
      new KeyRing(keys).encrypt('<gone>', 'tenant-a'),
    ]);

  const SAVE_ORGANIZER =
    'mutation { updateTeamsSettings(input: { organizerUserPrincipalName: "someone@acme.example" }) { userErrors { code } } }';

  it('is INTERNAL_SERVER_ERROR with its message outside production, and in the log', async () => {
    await breakSecret(subgraph);
    const { status, answer } = await ask(SAVE_ORGANIZER);
    expect(status).toBe(200);
    expect(codesOf(answer)).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(answer.errors?.[0]?.message).toContain('is not valid JSON');
    expect(answer.errors?.[0]?.path).toEqual(['updateTeamsSettings']);
    expect(answer.errors?.[0]?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
  });

  it('keeps its message to itself in production, and is in the log all the same', async () => {
    await breakSecret(production);
    const { errors } = await production.send(await production.tokens.token('admin'), SAVE_ORGANIZER);
    expect(errors).toMatchObject([
      {
        message: 'Something went wrong on our side.',
        path: ['updateTeamsSettings'],
        extensions: { code: 'INTERNAL_SERVER_ERROR' },
      },
    ]);
    expect(JSON.stringify(errors)).not.toContain('gone');
    expect(production.logs.some((line) => line.level === 50 && JSON.stringify(line).includes('SyntaxError'))).toBe(
      true,
    );
  });

  it('leaves refusals their message in production', async () => {
    const { errors } = await production.send(
      await production.tokens.token('client'),
      '{ teamsSettings { installStatus } }',
    );
    expect(errors).toMatchObject([
      { message: 'The permission teams_settings:read is needed.', extensions: { code: 'FORBIDDEN' } },
    ]);
  });
});

describe('health and unknown addresses', () => {
  it.each(['/health/live', '/health/ready'])('%s is ok', async (path) => {
    const response = await fetch(`${subgraph.url}${path}`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it.each(['/', '/nothing', '/graphql/', '/recordings', '/recordings/', '/health', '/../etc/passwd', '/%00'])(
    '%s says no more than a 4xx',
    async (path) => {
      const response = await fetch(`${subgraph.url}${path}`);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
    },
  );

  it('bytes that are no HTTP end the connection and nothing else', async () => {
    const { hostname, port } = new URL(subgraph.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.write('\u0000\u0001 nonsense\r\n\r\n'));
      socket.resume().on('close', () => resolve());
    });
    expect((await fetch(`${subgraph.url}/health/live`)).status).toBe(200);
  });
});
