import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cloudHosts } from '../../../src/graph/clouds.ts';
import { createGraphService } from '../../../src/graph/service.ts';
import type { GraphClient, MicrosoftCloudName } from '../../../src/graph/types.ts';
import { APP } from './fake-microsoft.ts';

const CLOUDS: MicrosoftCloudName[] = ['GLOBAL', 'US_GOV_L4', 'US_GOV_L5', 'CHINA'];
const PAIRS = CLOUDS.flatMap((home) => CLOUDS.filter((other) => other !== home).map((other) => [home, other] as const));

interface Sent {
  host: string;
  path: string;
  authorization: string | null;
  body: string;
}

/** Every request that left, whatever became of it; Microsoft's real hosts answer from here. */
let sent: Sent[];
/** What Graph answers to the calls in turn; then an empty list. */
let answers: Response[];

/** A token tells of which cloud it is by its own text. */
const tokenOf = (cloud: MicrosoftCloudName) => `token-of.${cloudHosts(cloud).graph}.x`;

const json = (body: unknown, init: ResponseInit = {}) =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' }, ...init });

function answerToken(body: string): Response {
  const resource = new URL(new URLSearchParams(body).get('scope')?.split(' ')[0] ?? '').hostname;
  return json({ token_type: 'Bearer', expires_in: 3599, access_token: `token-of.${resource}.x` });
}

function clientOf(cloud: MicrosoftCloudName, credential = APP.credential): GraphClient {
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  return createGraphService({ logger, maxTries: 1 }).forApp({ ...APP, cloud, credential });
}

/** Streamed content is fetched otherwise; here it goes the way that is watched. */
vi.mock('undici', () => ({
  async request(url: URL, { headers }: { headers: Record<string, string> }) {
    const answer = await fetch(url, { headers });
    const body = Readable.from([Buffer.from(await answer.arrayBuffer())]);
    return {
      statusCode: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Object.assign(body, { text: () => text(body) }),
    };
  },
}));

beforeEach(() => {
  sent = [];
  answers = [];
  vi.stubGlobal('fetch', async (input: string | URL, init: RequestInit = {}) => {
    const url = new URL(input);
    const body = typeof init.body === 'string' ? init.body : '';
    sent.push({
      host: url.host,
      path: `${url.pathname}${url.search}`,
      authorization: new Headers(init.headers).get('authorization'),
      body,
    });
    return url.pathname.endsWith('/token') ? answerToken(body) : (answers.shift() ?? json({ value: [] }));
  });
});
afterEach(() => vi.unstubAllGlobals());

/** Nothing left for any host but the cloud's own two, and its token only for its own Graph. */
function expectOnlyIn(cloud: MicrosoftCloudName): void {
  const { login, graph } = cloudHosts(cloud);
  expect(sent.length).toBeGreaterThan(0);
  for (const { host, path, authorization, body } of sent) {
    expect([login, graph]).toContain(host);
    if (host === login && path.includes('/token')) {
      expect(authorization).toBeNull();
      expect(new URLSearchParams(body).get('scope')).toContain(`https://${graph}/.default`);
    } else expect(authorization).toBe(`Bearer ${tokenOf(cloud)}`);
  }
}

const DELTA = (host: string) =>
  `https://${host}/v1.0/users/u1/calendarView/delta?$deltatoken=of-another-cloud-or-nobody`;
const WINDOW = { from: new Date('2026-12-01T00:00:00Z'), until: new Date('2026-12-02T00:00:00Z') };

describe.each(CLOUDS)('an app in %s', (cloud) => {
  it('asks its own login host for a token of its own Graph, and sends it there', async () => {
    answers = [json({ id: 'u1', userPrincipalName: 'a@b.example' })];
    await clientOf(cloud).users.get('u1');
    expect(sent.map(({ host }) => host)).toEqual([cloudHosts(cloud).login, cloudHosts(cloud).graph]);
    expectOnlyIn(cloud);
  });
});

it('two clients of one service, in two clouds, with the same ids and secret, have each its own token', async () => {
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const service = createGraphService({ logger, maxTries: 1 });
  for (const cloud of CLOUDS) {
    sent = [];
    answers = [json({ id: 'u1', userPrincipalName: 'a@b.example' })];
    await service.forApp({ ...APP, cloud }).users.get('u1');
    expectOnlyIn(cloud);
  }
});

describe.each(PAIRS)('from %s nothing goes to %s', (home, other) => {
  const away = () => cloudHosts(other).graph;

  it('by the nextLink of a list', async () => {
    answers = [json({ value: [], '@odata.nextLink': `https://${away()}/v1.0/subscriptions?$skiptoken=x` })];
    await expect(clientOf(home).subscriptions.list()).rejects.toMatchObject({ kind: 'UNKNOWN' });
    expectOnlyIn(home);
  });

  it('by the nextLink of a list in a batch', async () => {
    const body = { value: [], '@odata.nextLink': `https://${away()}/v1.0/users/u1/onlineMeetings?$skip=1` };
    answers = [json({ responses: [{ id: '0', status: 200, headers: {}, body }] })];
    const found = await clientOf(home).onlineMeetings.findManyByJoinUrl('u1', ['https://teams.example/meet/1']);
    expect([...found.values()]).toMatchObject([{ error: { kind: 'UNKNOWN' } }]);
    expectOnlyIn(home);
  });

  it('by a stored deltaLink: everything is read anew at home', async () => {
    answers = [json({ value: [], '@odata.deltaLink': DELTA(cloudHosts(home).graph) })];
    const changes = await clientOf(home).events.changes('u1', { ...WINDOW, deltaLink: DELTA(away()) });
    expect(changes).toMatchObject({ isFullRead: true, deltaLink: DELTA(cloudHosts(home).graph) });
    expectOnlyIn(home);
  });

  it('by a stored deltaLink of artifacts', async () => {
    const read = clientOf(home).artifacts.changes('recordings', 'u1', { deltaLink: DELTA(away()) });
    await expect(read).rejects.toMatchObject({ kind: 'NOT_FOUND' });
    expect(sent).toEqual([]);
  });

  it('by a nextLink within a round of changes', async () => {
    answers = [json({ value: [], '@odata.nextLink': DELTA(away()) })];
    const read = clientOf(home).events.changes('u1', { ...WINDOW, deltaLink: null });
    await expect(read).rejects.toMatchObject({ kind: 'UNKNOWN' });
    expectOnlyIn(home);
  });

  it.each(['GET', 'content'])('by a redirect of a %s', async (kind) => {
    answers = [new Response(null, { status: 302, headers: { location: `https://${away()}/v1.0/users/u1` } })];
    const client = clientOf(home);
    const call = kind === 'GET' ? client.users.get('u1') : client.recordings.openContent('u1', 'm1', 'r1');
    await expect(call).rejects.toMatchObject({ kind: 'UNKNOWN' });
    expectOnlyIn(home);
  });

  it('by a redirect of content to where the other one signs in or meets', async () => {
    const { login, teams } = cloudHosts(other);
    for (const host of [login, teams].filter((name) => name !== cloudHosts(home).login)) {
      sent = [];
      answers = [new Response(null, { status: 302, headers: { location: `https://${host}/x` } })];
      await expect(clientOf(home).transcripts.content('u1', 'm1', 't1')).rejects.toMatchObject({ kind: 'UNKNOWN' });
      expectOnlyIn(home);
    }
  });
});

describe('links to anybody else', () => {
  const HOSTILE = [
    'https://graph.microsoft.com.attacker.example/v1.0/subscriptions',
    'https://graph.microsoft.com@attacker.example/v1.0/subscriptions',
    'https://attacker.example/https://graph.microsoft.com/v1.0/subscriptions',
    'https://graph.microsoft.com:8443/v1.0/subscriptions',
    'http://graph.microsoft.com/v1.0/subscriptions',
    '//attacker.example/v1.0/subscriptions',
    'https://graph.microsoft.com\\@attacker.example/v1.0/subscriptions',
    'javascript:alert(1)',
  ];

  it.each(HOSTILE)('%s as nextLink brings nobody a token', async (nextLink) => {
    answers = [json({ value: [], '@odata.nextLink': nextLink })];
    await clientOf('GLOBAL')
      .subscriptions.list()
      .catch((error: unknown) => expect(error).toMatchObject({ kind: 'UNKNOWN' }));
    expectOnlyIn('GLOBAL');
  });

  it.each(HOSTILE)('%s as stored deltaLink brings nobody a token', async (deltaLink) => {
    answers = [json({ value: [], '@odata.deltaLink': DELTA('graph.microsoft.com') })];
    await clientOf('GLOBAL').events.changes('u1', { ...WINDOW, deltaLink });
    expectOnlyIn('GLOBAL');
  });

  it.each(HOSTILE)('%s as redirect of a read is not taken for an answer of Graph', async (location) => {
    answers = [new Response(null, { status: 302, headers: { location } })];
    await clientOf('GLOBAL')
      .users.get('u1')
      .catch((error: unknown) => expect(error).toMatchObject({ kind: 'UNKNOWN' }));
    expectOnlyIn('GLOBAL');
  });
});

it('a token request that is redirected is not followed: it would carry the credential along', async () => {
  const options: RequestInit[] = [];
  vi.stubGlobal('fetch', async (_input: string | URL, init: RequestInit = {}) => {
    options.push(init);
    throw new TypeError('unexpected redirect');
  });
  await expect(clientOf('US_GOV_L4').grantedRoles()).rejects.toMatchObject({ kind: 'NETWORK' });
  expect(options.map(({ redirect }) => redirect)).toEqual(['error']);
});
