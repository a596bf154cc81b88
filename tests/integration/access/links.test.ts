import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activate, captureMeeting, createMeeting } from '../../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

interface Captured {
  recordings: { id: string; contentUrl: string; contentUrlExpiresAt: string }[];
  transcripts: { id: string; vttUrl: string; textUrl: string }[];
  invitation: { icsUrl: string };
}

const KINDS = ['recording', 'transcript', 'transcript text', 'invitation'] as const;
type Kind = (typeof KINDS)[number];

let subgraph: TestSubgraph;
let first: Record<Kind, URL>;
let second: Record<Kind, URL>;

/** A captured meeting's four links, as addresses that can be fetched. */
async function linksOf(appointmentId: string): Promise<Record<Kind, URL>> {
  const token = await subgraph.tokens.token('technician');
  const meeting = await createMeeting(subgraph, token, { appointmentId });
  await captureMeeting(subgraph, token, meeting);
  return readLinks(meeting.id);
}

async function readLinks(id: string): Promise<Record<Kind, URL>> {
  const { data } = await subgraph.send<{ teamsMeeting: Captured }>(
    await subgraph.tokens.token('technician'),
    'query ($id: ID!) { teamsMeeting(id: $id) { recordings { id contentUrl contentUrlExpiresAt } transcripts { id vttUrl textUrl } invitation { icsUrl } } }',
    { id },
  );
  const url = (link: string | undefined) => new URL(reachable(subgraph, link ?? ''));
  const { recordings, transcripts, invitation } = data?.teamsMeeting ?? {
    recordings: [],
    transcripts: [],
    invitation: { icsUrl: '' },
  };
  return {
    recording: url(recordings[0]?.contentUrl),
    transcript: url(transcripts[0]?.vttUrl),
    'transcript text': url(transcripts[0]?.textUrl),
    invitation: url(invitation.icsUrl),
  };
}

beforeAll(async () => {
  subgraph = await startTestSubgraph();
  await activate(subgraph);
  first = await linksOf('links-1');
  second = await linksOf('links-2');
});
afterAll(() => subgraph.close());

const tokenOf = (link: URL) => link.searchParams.get('token') ?? '';
const withToken = (link: URL, token: string) => `${link.origin}${link.pathname}?token=${token}`;

async function expectNothingSaid(address: string, method = 'GET'): Promise<void> {
  const response = await fetch(address, { method });
  expect({
    address,
    status: response.status,
    body: await response.text(),
    cache: response.headers.get('cache-control'),
  }).toEqual({
    address,
    status: 403,
    body: '',
    cache: 'private, no-store',
  });
}

describe.each(KINDS)('the link of a %s', (kind) => {
  it('works as it was given, and is kept in no shared cache', async () => {
    const response = await fetch(first[kind]);
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'private, no-store']);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(0);
  });

  it('fails with any one character changed, at every place of the token', async () => {
    const token = tokenOf(first[kind]);
    expect(token.split('.')).toHaveLength(3);
    for (let at = 0; at < token.length; at += 1) {
      const changed = token[at] === 'A' ? 'B' : 'A';
      await expectNothingSaid(withToken(first[kind], token.slice(0, at) + changed + token.slice(at + 1)));
    }
  });

  it('fails with a character left out or added, at every part of the token', async () => {
    const token = tokenOf(first[kind]);
    const ends = [
      0,
      token.indexOf('.'),
      token.indexOf('.') + 1,
      token.lastIndexOf('.'),
      token.lastIndexOf('.') + 1,
      token.length,
    ];
    for (const at of ends) {
      await expectNothingSaid(withToken(first[kind], `${token.slice(0, at)}A${token.slice(at)}`));
      await expectNothingSaid(
        withToken(first[kind], token.slice(0, at) + token.slice(at + 1) + (at === token.length ? '.' : '')),
      );
    }
  });

  it.each([
    ['no token', () => ''],
    ['an empty token', () => '?token='],
    ['the token twice', () => `?token=${tokenOf(first[kind])}&token=${tokenOf(first[kind])}`],
    ['the token as a list', () => `?token[]=${tokenOf(first[kind])}`],
    ['the token under another name', () => `?Token=${tokenOf(first[kind])}`],
    ['a fourth part', () => `?token=${tokenOf(first[kind])}.x`],
    ['only the payload', () => `?token=${tokenOf(first[kind]).split('.')[1]}`],
    ['no signature', () => `?token=${tokenOf(first[kind]).split('.').slice(0, 2).join('.')}.`],
    ['an unknown key id', () => `?token=${['unknown', ...tokenOf(first[kind]).split('.').slice(1)].join('.')}`],
    [
      'a key id of an object’s prototype',
      () => `?token=${['__proto__', ...tokenOf(first[kind]).split('.').slice(1)].join('.')}`,
    ],
    ['something that is no token', () => '?token=%00%ff..'],
    ['a very long token', () => `?token=${'A'.repeat(8000)}`],
  ])('fails with %s', async (_what, query) => {
    await expectNothingSaid(`${first[kind].origin}${first[kind].pathname}${query()}`);
  });

  it('opens no other of its kind, and no unknown one', async () => {
    await expectNothingSaid(withToken(second[kind], tokenOf(first[kind])));
    await expectNothingSaid(withToken(first[kind], tokenOf(second[kind])));
    const id = /[0-9a-f-]{36}/.exec(first[kind].pathname)?.[0] ?? '';
    await expectNothingSaid(`${first[kind].href.replace(id, randomUUID())}`);
  });

  it.each(KINDS.filter((other) => other !== kind))('opens no %s', async (other) => {
    await expectNothingSaid(withToken(first[other], tokenOf(first[kind])));
  });

  it('says nothing to HEAD either', async () => {
    await expectNothingSaid(withToken(first[kind], 'x'), 'HEAD');
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('cannot be used with %s', async (method) => {
    expect((await fetch(first[kind], { method })).status).toBe(404);
  });

  it('shows no address, no secret and no token of Microsoft', () => {
    const payload = Buffer.from(tokenOf(first[kind]).split('.')[1] ?? '', 'base64url').toString();
    expect(payload + first[kind].href).not.toMatch(/graph|microsoft|simulator|secret/i);
  });
});

// Last, as the clock does not go back.
describe('after its time', () => {
  it('a link says when it expires, and then opens nothing; a new one does', async () => {
    subgraph.advanceClock(14 * 60_000);
    for (const kind of KINDS) expect((await fetch(first[kind])).status).toBe(200);
    subgraph.advanceClock(2 * 60_000 + 1);
    for (const kind of KINDS) await expectNothingSaid(first[kind].href);
    const { data } = await subgraph.send<{ teamsMeetings: { edges: { node: { id: string } }[] } }>(
      await subgraph.tokens.token('technician'),
      '{ teamsMeetings { edges { node { id } } } }',
    );
    const fresh = await readLinks(data?.teamsMeetings.edges[0]?.node.id ?? '');
    for (const kind of KINDS) expect((await fetch(fresh[kind])).status).toBe(200);
  });
});
