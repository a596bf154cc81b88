import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { storeMeeting, vttOf } from '../access/rows.ts';

const TENANT = 'tenant-search';
const SEARCH = `query ($query: String!, $filter: TeamsMeetingFilter, $first: Int, $after: String) { searchTranscripts(query: $query, filter: $filter, first: $first, after: $after) {
  edges { cursor node { excerpt cue { index startSeconds endSeconds speaker text } transcript { id meeting { subject } } } } pageInfo { hasNextPage hasPreviousPage endCursor } } }`;

interface Matches {
  edges: {
    cursor: string;
    node: {
      excerpt: string;
      cue: { index: number; startSeconds: number; endSeconds: number; speaker: string | null; text: string };
      transcript: { id: string; meeting: { subject: string } };
    };
  }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
}

let subgraph: TestSubgraph;
let token: string;

async function search(variables: Record<string, unknown>, by = token): Promise<Matches> {
  const { data, errors } = await subgraph.send<{ searchTranscripts: Matches }>(by, SEARCH, variables);
  expect(errors).toEqual([]);
  if (data === null) throw new Error('no data');
  return data.searchTranscripts;
}

async function codes(variables: Record<string, unknown>): Promise<string[]> {
  return (await subgraph.send(token, SEARCH, variables)).errors.map((error) => error.extensions.code);
}

const excerpts = ({ edges }: Matches) => edges.map(({ node }) => node.excerpt);
const base64 = (text: string) => Buffer.from(text).toString('base64url');

/** Passages of their own: what is said in one meeting in so many words is never joined with another's. */
const said = (appointmentId: string, lines: string[], over: object = {}) =>
  storeMeeting(subgraph, TENANT, { appointmentId, transcripts: [vttOf(lines)], ...over });

beforeAll(async () => {
  subgraph = await startTestSubgraph();
  token = await subgraph.tokens.token('technician', { tenant_id: TENANT });
  await said(
    's-1',
    [
      'The quarterly budget is approved',
      'José drinks café crème',
      'Straße und Größe',
      'We talk about the BUDGET again',
      '100% sure_thing',
      'Łódź, Søren, İstanbul and Ærø',
      'Иван сказал привет',
      'The price is in the **contract** at acme.example/prices',
      '“Quoted” words—and dashes',
      '会议记录很重要',
      'ガラスとカラス',
    ],
    { subject: 'Sales', clientId: 'client-acme' },
  );
  await said('s-2', ['Your budget &amp; your printer', 'approved'], {
    subject: 'Support',
    clientId: 'client-initech',
    status: 'CANCELLED',
  });
  await said('s-3', ['x &lt;script&gt;alert(1)&lt;/script&gt; injected'], { clientId: 'client-html' });
  for (let i = 0; i < 45; i += 1)
    await said(`s-many-${i}`, [`zebra number ${i}`, 'nothing here'], { clientId: 'client-many' });
});
afterAll(() => subgraph.close());

describe('a search without a language', () => {
  it.each([
    ['budget', ['The quarterly **budget** is approved', 'Your **budget** & your printer']],
    [
      '  Budget  approved ',
      ['The quarterly **budget** is **approved**', 'Your **budget** & your printer\n**approved**'],
    ],
    ['approved budget -printer', ['The quarterly **budget** is **approved**']],
    ['budget -quarterly', ['Your **budget** & your printer']],
    ['"budget is approved"', ['The quarterly **budget** **is** **approved**']],
    ['"approved budget"', []],
    ['printer or crème', ['José drinks café **crème**', 'Your budget & your **printer**']],
    ['budg', []],
    ['jose', ['**José** drinks café crème']],
    ['JOSÉ CREME', ['**José** drinks café **crème**']],
    ['caf\u0065\u0301', ['José drinks **café** crème']],
    ['grosse', ['Straße und **Größe**']],
    ['strasse', ['**Straße** und Größe']],
    ['größe', ['Straße und **Größe**']],
    ['lodz soren istanbul aero', ['**Łódź**, **Søren**, **İstanbul** and **Ærø**']],
    ['ПРИВЕТ', ['Иван сказал **привет**']],
    ['100%', ['**100**% sure_thing']],
    ['sure_thing', ['100% **sure**_**thing**']],
    ['quoted', ['“**Quoted**” words—and dashes']],
    ['“and dashes”', ['“Quoted” words—**and** **dashes**']],
    ['prices', ['The price is in the ∗∗contract∗∗ at acme.example/**prices**']],
    ['contract', ['The price is in the ∗∗**contract**∗∗ at acme.example/prices']],
    ['重要', ['会议记录很**重要**']],
    ['ガ', ['**ガ**ラスとカラス']],
    ['script', ['x <**script**>alert(1)</**script**> injected']],
    ['amp', []],
    ['WEBVTT', []],
    ['nowhere', []],
    ["budget' OR 2=2 --", ['The quarterly **budget** is approved', 'Your **budget** & your printer']],
    ['((budget', ['The quarterly **budget** is approved', 'Your **budget** & your printer']],
    ['"budget', ['The quarterly **budget** is approved', 'Your **budget** & your printer']],
    ['budget & | ! <-> :* \\ \0', ['The quarterly **budget** is approved', 'Your **budget** & your printer']],
    ["'; DROP TABLE transcript_passages; --", []],
  ])('for %j finds %j', async (query, expected) => {
    const found = await search({ query, filter: { status: ['SCHEDULED', 'CANCELLED'] } });
    expect(
      excerpts(found)
        .filter((excerpt) => !excerpt.includes('zebra'))
        .toSorted(),
    ).toEqual(expected.toSorted());
  });

  it('tells where and by whom it was said', async () => {
    const { edges } = await search({ query: 'again' });
    expect(edges[0]?.node).toMatchObject({
      cue: { index: 3, startSeconds: 9, endSeconds: 12, speaker: 'Jane', text: 'We talk about the BUDGET again' },
      transcript: { meeting: { subject: 'Sales' } },
    });
  });

  it.each([
    ['an empty query', { query: '' }],
    ['a blank query', { query: ' \t\n ' }],
    ['nothing but an accent', { query: '\u0301' }],
    ['nothing but signs', { query: '% & /' }],
    ['nothing but what must not be there', { query: '-budget' }],
    ['a choice of which one half is not there', { query: 'budget or -approved' }],
    ['too many words', { query: 'a '.repeat(17) }],
    ['too many words without a space between them', { query: 'of:the.'.repeat(9) }],
    ['a word of 501 characters', { query: 'a'.repeat(501) }],
    ['a sign that unfolds to many', { query: '\uFDFA'.repeat(100) }],
    ['first 0', { query: 'a', first: 0 }],
    ['first 101', { query: 'a', first: 101 }],
    ['a cursor of nonsense', { query: 'a', after: 'nonsense' }],
    ['a cursor of dashes', { query: 'a', after: base64(`1:${'-'.repeat(36)}:0:${'-'.repeat(36)}`) }],
    ['a cursor without a place', { query: 'a', after: base64('0190a0a0-0000-7000-8000-000000000000') }],
    ['no query at all', {}],
  ])('is refused with BAD_USER_INPUT for %s', async (_what, variables) => {
    expect(await codes(variables)).toEqual(['BAD_USER_INPUT']);
  });

  it('never fails, whatever signs it is made of', async () => {
    const signs = [
      '"',
      '-',
      "'",
      '(',
      ')',
      '&',
      '|',
      '!',
      ':',
      '*',
      '<',
      '>',
      '\\',
      '\0',
      '\u0002',
      '\uD800',
      'or',
      'a',
    ];
    for (let i = 0; i < 60; i += 1) {
      const query = Array.from({ length: 8 }, (_, j) => signs[(i * 7 + j * (i + 3)) % signs.length]).join(
        i % 2 ? ' ' : '',
      );
      expect([[], ['BAD_USER_INPUT']]).toContainEqual(await codes({ query }));
    }
  });
});

describe('the filter of a search', () => {
  it.each([
    [{ clientId: 'client-initech' }, 1],
    [{ clientId: 'client-acme' }, 1],
    [{ clientId: 'client-none' }, 0],
    [{ clientId: 'nul\0' }, 0],
    [{ status: ['CANCELLED'] }, 1],
    [{ status: ['SCHEDULED'] }, 1],
    [{ status: ['ENDED'] }, 0],
    [{ status: [] }, 0],
    [{ hasRecordings: true }, 0],
    [{ hasRecordings: false }, 2],
    [{ mine: true }, 0],
    [{ startsFrom: '2036-12-01T00:00:00Z', startsBefore: '2036-12-02T00:00:00Z' }, 2],
    [{ startsFrom: '2036-12-02T00:00:00Z' }, 0],
  ])('%j leaves %i', async (filter, count) => {
    expect((await search({ query: 'budget', filter })).edges).toHaveLength(count);
  });
});

describe('the order of what is found', () => {
  it('is by how well it matches, then newest first', async () => {
    await said('o-1', ['otter']);
    await said('o-2', ['otter otter otter']);
    await said('o-3', ['otter']);
    await said('o-4', ['nothing']);
    const [o1, o2, o3] = ['otter', 'otter otter otter', 'otter'].map((text) => text.replaceAll('otter', '**otter**'));
    expect(excerpts(await search({ query: 'otter' }))).toEqual([o2, o3, o1]);
  });

  it.each([1, 7, 40, 100])('in pages of %i has every passage once', async (first) => {
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const { edges, pageInfo }: Matches = await search({ query: 'zebra', first, after });
      expect(pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...edges.map(({ node }) => node.transcript.id));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    expect(new Set(seen).size).toBe(45);
    expect(seen).toEqual(seen.toSorted().toReversed());
  });

  it('is not moved by what is stored while somebody turns pages', async () => {
    for (const n of [1, 2, 3]) await said(`w-${n}`, [`walrus ${n}`]);
    const one = await search({ query: 'walrus', first: 1 });
    await said('w-4', ['walrus walrus walrus 4']);
    const rest = await search({ query: 'walrus', first: 10, after: one.pageInfo.endCursor });
    expect([...excerpts(one), ...excerpts(rest)]).toEqual(['**walrus** 3', '**walrus** 2', '**walrus** 1']);
  });
});
