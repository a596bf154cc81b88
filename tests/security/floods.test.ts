import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attempts } from './attempts.ts';
import { sendRaw, statusOf } from './raw-http.ts';
import { type Stage, setTheStage, tokenOfA } from './stage.ts';

let stage: Stage;
let token: string;
beforeAll(async () => {
  stage = await setTheStage({ arrivalLimits: { headersMs: 500, requestMs: 700, checkEveryMs: 50 } });
  token = await tokenOfA(stage);
});
afterAll(() => stage.subgraph.close());

const repeat = (count: number, make: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => make(n)).join(' ');

async function expectAlive(): Promise<void> {
  expect((await fetch(`${stage.subgraph.url}/health/live`)).status).toBe(200);
}

describe('an operation that asks for too much', () => {
  const floods = attempts('a flood in an operation');
  const deep = (n: number): string => (n === 0 ? 'id' : `recordings { meeting { ${deep(n - 1)} } }`);
  const doubled = (depth: number) =>
    `{ ...F0 } ${repeat(depth, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`)} fragment F${depth} on Query { __typename }`;
  const operations: [string, string][] = [
    ['a thousand aliases', `{ ${repeat(1_000, (n) => `a${n}: teamsMeetings(first: 100) { totalCount }`)} }`],
    ['a thousand aliases of a leaf', `{ teamsMeeting(id: "x") { ${repeat(1_000, (n) => `a${n}: id`)} } }`],
    [
      'a thousand aliases of entities',
      `{ ${repeat(1_000, (n) => `a${n}: _entities(representations: []) { __typename }`)} }`,
    ],
    ['a thousand aliases of __typename', `{ ${repeat(1_000, (n) => `a${n}: __typename`)} }`],
    [
      'a thousand aliases of __typename in each of many entities',
      `{ _entities(representations: [${repeat(500, (n) => `{ __typename: "Appointment", id: "${n}" }`)}]) { ${repeat(1_000, (n) => `a${n}: __typename`)} } }`,
    ],
    [
      'a thousand aliases in a mutation',
      `mutation { ${repeat(1_000, (n) => `a${n}: runTeamsDiagnostics { userErrors { code } }`)} }`,
    ],
    [
      'aliases in fragments',
      `{ ${repeat(40, (n) => `...F${n}`)} } ${repeat(40, (n) => `fragment F${n} on Query { a${n}: teamsSettings { installStatus } }`)}`,
    ],
    ['a selection without end', `{ teamsMeeting(id: "x") { ${deep(50)} } }`],
    [
      'a selection without end by inline fragments',
      `{ ${'... on Query { '.repeat(200)}__typename${' }'.repeat(200)} }`,
    ],
    ['a fragment within itself', '{ ...A } fragment A on Query { ...A }'],
    [
      'a circle of fragments',
      '{ ...A } fragment A on Query { ...B } fragment B on Query { ...C } fragment C on Query { ...A }',
    ],
    [
      'a circle of fragments below a field',
      '{ teamsMeeting(id: "x") { ...A } } fragment A on TeamsMeeting { recordings { meeting { ...A } } }',
    ],
    ['fragments that double twenty times', doubled(20)],
    ['fragments that double sixty times', doubled(60)],
    [
      'a chain of five thousand fragments',
      `{ ...F0 } ${repeat(5_000, (n) => `fragment F${n} on Query { ...F${n + 1} }`)} fragment F5000 on Query { __typename }`,
    ],
    ['a thousand unused fragments', `{ __typename } ${repeat(1_000, (n) => `fragment F${n} on Query { __typename }`)}`],
    ['a thousand operations without a name', repeat(1_000, (n) => `query Q${n} { __typename }`)],
    ['a thousand directives at one place', `{ __typename ${'@skip(if: false) '.repeat(1_000)} }`],
    ['a thousand unknown directives', `{ __typename ${'@a '.repeat(1_000)} }`],
    ['a thousand variables', `query (${repeat(1_000, (n) => `$a${n}: Int`)}) { __typename }`],
    ['ten thousand times the same field', `{ teamsMeeting(id: "x") { ${'id '.repeat(10_000)} } }`],
    [
      'a thousand arguments that contradict each other',
      `{ ${repeat(1_000, (n) => `teamsMeeting(id: "${n}") { id }`)} }`,
    ],
    ['ten thousand unknown fields', `{ ${repeat(10_000, (n) => `f${n}`)} }`],
    ['lists in each other', `{ teamsMeetings(filter: ${'['.repeat(20_000)}${']'.repeat(20_000)}) { totalCount } }`],
    ['braces in each other', `${'{ a '.repeat(20_000)}${'}'.repeat(20_000)}`],
    ['a string of half a mebibyte', `{ teamsMeeting(id: "${'x'.repeat(500_000)}" id: "y") { id } }`],
    ['a block string that never ends', `{ teamsMeeting(id: """${'x'.repeat(100_000)}) { id } }`],
    [
      'an introspection in itself',
      `{ __schema { types { ${'fields { type { '.repeat(20)}name${' } }'.repeat(20)} } } }`,
    ],
    ['introspection under a thousand aliases', `{ ${repeat(1_000, (n) => `a${n}: __schema { types { name } }`)} }`],
    ['more pages than there can be', '{ teamsMeetings(first: 2147483647) { totalCount } }'],
    ['a page of less than nothing', '{ teamsMeetings(first: -1) { totalCount } }'],
    ['a number beyond numbers', `{ teamsMeetings(first: ${'9'.repeat(1_000)}) { totalCount } }`],
    [
      'a search of ten thousand words',
      `{ searchTranscripts(query: "${'word '.repeat(10_000)}") { edges { cursor } } }`,
    ],
    ['a search of operators', `{ searchTranscripts(query: "${'-x or '.repeat(60)}") { edges { cursor } } }`],
  ];
  for (const [what, query] of operations)
    floods(`is refused: ${what}`, async () => {
      const { status, data, errors } = await stage.withoutEffect(() => stage.subgraph.send(token, query));
      expect(status).toBeLessThan(500);
      expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
      const codes = [...new Set(errors.map(({ extensions }) => extensions.code))];
      expect(codes).not.toEqual([]);
      expect(codes).not.toContain('INTERNAL_SERVER_ERROR');
      // A refusal is not to be a flood of its own.
      expect(errors.length).toBeLessThanOrEqual(101);
    });

  const values = attempts('a flood in variables');
  values('is refused: more representations than a gateway sends', async () => {
    const { data, errors } = await stage.withoutEffect(() =>
      stage.subgraph.send(token, 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }', {
        r: Array.from({ length: 2_001 }, (_, n) => ({ __typename: 'Appointment', id: `${n}` })),
      }),
    );
    expect(data).toBeNull();
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['OPERATION_TOO_COMPLEX']);
  });
  values('costs no more than once: a filter that says the same ten thousand times', async () => {
    const { data, errors } = await stage.withoutEffect(() =>
      stage.subgraph.send<{ teamsMeetings: { totalCount: number } }>(
        token,
        'query ($s: [TeamsMeetingStatus!]) { teamsMeetings(filter: { status: $s }) { totalCount } }',
        { s: Array.from({ length: 10_000 }, () => 'CANCELLED') },
      ),
    );
    expect(errors).toEqual([]);
    expect(data?.teamsMeetings.totalCount).toBe(0);
  });

  it('a useful one is not', async () => {
    const { errors } = await stage.subgraph.send(
      token,
      '{ teamsMeetings(first: 100) { totalCount edges { node { id subject attendees { name } } } } }',
    );
    expect(errors).toEqual([]);
  });
});

describe('a request that is too much', () => {
  const bodies = attempts('a flood of bytes');
  const headers = { 'content-type': 'application/json' };
  const post = (path: string, body: string, over: Record<string, string> = {}) =>
    fetch(`${stage.subgraph.url}${path}`, { method: 'POST', headers: { ...headers, ...over }, body });
  const LIMITS = {
    '/graphql': 1_048_576,
    '/webhooks/psa': 65_536,
    '/webhooks/graph/notifications': 2_097_152,
    '/webhooks/graph/lifecycle': 2_097_152,
  };
  for (const [path, limit] of Object.entries(LIMITS)) {
    bodies(`of one byte more than ${path} takes is refused`, async () => {
      expect((await stage.withoutEffect(() => post(path, ' '.repeat(limit + 1)))).status).toBe(413);
    });
    bodies(`that says it is of a gibibyte is refused by ${path} before it is sent`, async () => {
      const answer = await stage.withoutEffect(() =>
        sendRaw(
          stage.subgraph.url,
          `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1073741824\r\n\r\n`,
        ),
      );
      expect(statusOf(answer)).toBe(413);
    });
    bodies(`that grows in chunks beyond what ${path} takes is broken off`, async () => {
      const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
      const answer = await stage.withoutEffect(() =>
        sendRaw(
          stage.subgraph.url,
          `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
          ...Array.from({ length: 40 }, () => chunk),
        ),
      );
      expect([0, 413]).toContain(statusOf(answer));
    });
  }
  for (const [what, body] of [
    ['a gzip bomb that nobody unpacks', '\x1f\x8b'],
    ['lists in each other', `{"query":"{__typename}","variables":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    [
      'ten thousand operations at once',
      JSON.stringify(Array.from({ length: 10_000 }, () => ({ query: '{ __typename }' }))),
    ],
  ] as const)
    bodies(`of ${what} is refused`, async () => {
      const { status } = await stage.withoutEffect(() => post('/graphql', body, { 'content-encoding': 'gzip' }));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    });

  const smuggled = attempts('a request that two servers read differently');
  const lines = (...of: string[]) => [...of, '', ''].join('\r\n');
  const requests: [string, string][] = [
    ['two lengths', lines('POST /graphql HTTP/1.1', 'host: x', 'content-length: 5', 'content-length: 6')],
    [
      'a length and chunks',
      lines('POST /graphql HTTP/1.1', 'host: x', 'content-length: 5', 'transfer-encoding: chunked'),
    ],
    ['chunks by another name', lines('POST /graphql HTTP/1.1', 'host: x', 'transfer-encoding: xchunked')],
    ['chunks and something else', lines('POST /graphql HTTP/1.1', 'host: x', 'transfer-encoding: chunked, identity')],
    [
      'a chunk whose length is no number',
      `${lines('POST /graphql HTTP/1.1', 'host: x', 'content-type: application/json', 'transfer-encoding: chunked')}zz\r\n`,
    ],
    ['a length less than nothing', lines('POST /graphql HTTP/1.1', 'host: x', 'content-length: -1')],
    ['a line that ends in LF', 'GET /health/live HTTP/1.1\nhost: x\nx: y\r\rz\n\n'],
    ['a folded header', lines('GET /health/live HTTP/1.1', 'host: x', 'x: a', ' b: c')],
    ['a space before the colon', lines('GET /health/live HTTP/1.1', 'host : x')],
    ['a NUL in a header', lines('GET /health/live HTTP/1.1', 'host: x', 'x: a\0b')],
    ['no host', lines('GET /health/live HTTP/1.1')],
    ['an absurd version', lines('GET /health/live HTTP/9.9', 'host: x')],
    ['bytes of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ];
  for (const [what, request] of requests)
    smuggled(`is refused: ${what}`, async () => {
      // What comes behind it must not be taken for a request of its own.
      const answer = await stage.withoutEffect(() =>
        sendRaw(stage.subgraph.url, request, lines('GET /metrics HTTP/1.1', 'host: x')),
      );
      expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
      expect(statusOf(answer)).toBeLessThan(500);
      expect(answer).not.toContain('HTTP/1.1 200');
      await expectAlive();
    });

  const floods = attempts('a flood of headers');
  for (const [what, header] of [
    ['one header of 64 KiB', `x: ${'a'.repeat(65_536)}`],
    ['ten thousand headers', Array.from({ length: 10_000 }, (_, n) => `x${n}: y`).join('\r\n')],
    ['a token of 64 KiB', `authorization: Bearer ${'a.'.repeat(32_768)}`],
    ['a cookie of 64 KiB', `cookie: ${'a=b;'.repeat(16_384)}`],
  ] as const)
    floods(`${what} is refused`, async () => {
      const answer = await stage.withoutEffect(() =>
        sendRaw(stage.subgraph.url, `GET /health/live HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`),
      );
      expect([0, 431]).toContain(statusOf(answer));
      await expectAlive();
    });
  floods('an address of 64 KiB is refused', async () => {
    const answer = await stage.withoutEffect(() =>
      sendRaw(stage.subgraph.url, `GET /${'a'.repeat(65_536)} HTTP/1.1\r\nhost: x\r\n\r\n`),
    );
    expect([0, 431]).toContain(statusOf(answer));
    await expectAlive();
  });
});

describe('a request that never ends', () => {
  const slow = attempts('a request that never ends');
  const BEGUN: [string, string][] = [
    ['nothing but a line', 'GET /health/live HTTP/1.1\r\n'],
    ['headers without an end', 'GET /health/live HTTP/1.1\r\nhost: x\r\nx: y\r\n'],
    ['half a header', 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-ty'],
    [
      'a body of which nothing comes',
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n',
    ],
    ['a body that stops half-way', 'POST /webhooks/psa HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"type":'],
    [
      'chunks without an end',
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n',
    ],
    [
      'a form that stops half-way',
      'POST /status HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\ntoken=',
    ],
  ];
  for (const [what, begun] of BEGUN)
    slow(`is ended by us: ${what}`, async () => {
      expect(statusOf(await stage.withoutEffect(() => sendRaw(stage.subgraph.url, begun)))).toBe(408);
      await expectAlive();
    });
  slow('holds nobody up, however many there are', async () => {
    const [, body = ''] = BEGUN[3] ?? [];
    const held = Array.from({ length: 200 }, () => sendRaw(stage.subgraph.url, body));
    await expectAlive();
    expect((await stage.subgraph.send(token, '{ teamsMeetings { totalCount } }')).errors).toEqual([]);
    expect(new Set((await Promise.all(held)).map(statusOf))).toEqual(new Set([408]));
  });
});
