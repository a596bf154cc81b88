import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GraphServiceOptions } from '../../../src/graph/service.ts';
import type { GraphMeetingArtifacts } from '../../../src/graph/types.ts';
import {
  type Answerer,
  type FakeMicrosoft,
  graphError,
  issueToken,
  json,
  reset,
  type SeenRequest,
  type ServiceUnderTest,
  serviceFor,
  silence,
  startFakeMicrosoft,
} from './fake-microsoft.ts';

const USER = 'aaaaaaaa-0000-4000-8000-00000000000a';
const EMPTY = { status: 200, body: { value: [] } };
const THROTTLED = { error: { code: 'TooManyRequests', message: 'Please retry again later.' } };

interface ItemRequest {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string>;
}

type ItemAnswer = Record<string, unknown> | null;

let fake: FakeMicrosoft;

beforeAll(async () => {
  fake = await startFakeMicrosoft();
});
afterAll(() => fake.close());
beforeEach(() => {
  fake.graphRequests.length = 0;
  fake.tokenRequests.length = 0;
  fake.answerTokens(issueToken());
});

function itemsOf(request: SeenRequest | undefined): ItemRequest[] {
  return JSON.parse(request?.body ?? '{"requests":[]}').requests;
}

/** Answers each item by the function; null leaves it out. */
function batch(answer: (item: ItemRequest) => ItemAnswer): Answerer {
  return (request, response) => {
    const responses = itemsOf(request).flatMap((item) => {
      const given = answer(item);
      return given === null ? [] : [{ id: item.id, ...given }];
    });
    return json(200, { responses: responses.reverse() })(request, response);
  };
}

const allEmpty = batch(() => EMPTY);

function on(part: string, answer: ItemAnswer): Answerer {
  return batch(({ url }) => (url.includes(part) ? answer : EMPTY));
}

function artifact(id: string): Record<string, unknown> {
  return { id, meetingId: 'm', callId: 'c', createdDateTime: '2036-12-01T09:00:00.0000000Z' };
}

/** Lists the artifacts of meetings `m0`, `m1`… */
async function list(count = 1, options: Partial<GraphServiceOptions> = {}) {
  const tested: ServiceUnderTest = serviceFor(fake, options);
  const names = Array.from({ length: count }, (_, index) => `m${index}`);
  const found = await tested.client.artifacts.listOfMeetings(USER, names);
  return { ...tested, found, of: (index: number): GraphMeetingArtifacts | undefined => found.get(names[index] ?? '') };
}

describe('the request', () => {
  it('has relative addresses, unique ids, 20 items at most and the headers of single calls', async () => {
    fake.answerGraph(allEmpty);
    await list(25);
    expect(fake.graphRequests.map((request) => [request.method, request.url])).toEqual(
      Array(3).fill(['POST', '/v1.0/$batch']),
    );
    const batches = fake.graphRequests.map(itemsOf);
    expect(batches.map(({ length }) => length).sort()).toEqual([10, 20, 20]);
    expect(new Set(batches.flat().map(({ id }) => id)).size).toBe(50);
    expect(batches.flat().find(({ id }) => id === '0')).toMatchObject({
      method: 'GET',
      url: `/users/${USER}/onlineMeetings/m0/recordings`,
      headers: { accept: 'application/json', prefer: 'IdType="ImmutableId"' },
    });
  });

  it('percent-encodes ids and links exactly once', async () => {
    fake.answerGraph(allEmpty);
    const { client } = serviceFor(fake);
    await client.artifacts.listOfMeetings(USER, ['MSo+/a=']);
    const link = "https://teams.microsoft.com/l/meetup-join/19%3ait's%40thread.v2/0?context=%7b%22";
    await client.onlineMeetings.findManyByJoinUrl(USER, [link]);
    const [first, second] = fake.graphRequests.map((request) => itemsOf(request)[0]?.url ?? '');
    expect(first).toBe(`/users/${USER}/onlineMeetings/MSo%2B%2Fa%3D/recordings`);
    const filter = new URLSearchParams(second?.split('?')[1]).get('$filter');
    expect(filter).toBe(`JoinWebUrl eq '${link.replace("'", "''")}'`);
  });

  it('leaves a place of the mailbox to others', async () => {
    let active = 0;
    let most = 0;
    fake.answerGraph(async (request, response) => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => setTimeout(resolve, 5));
      active -= 1;
      return allEmpty(request, response);
    });
    await list(100);
    expect(most).toBe(3);
  });
});

describe('the answers', () => {
  it('are told apart by id, in whatever order and however the id is written', async () => {
    fake.answerGraph(
      batch(({ id, url }) => ({ id: Number(id), status: 200, body: { value: [artifact(url.split('/')[4] ?? '')] } })),
    );
    const { of } = await list(10);
    expect(of(7)?.recordings.value).toMatchObject([{ id: 'm7' }]);
    expect(of(9)?.transcripts.value).toMatchObject([{ id: 'm9' }]);
  });

  it.each<[string, unknown]>([
    ['missing', null],
    ['no object', 'nothing'],
    ['without a status', { body: { value: [] } }],
    ['in another shape', { status: 200, body: { values: [] } }],
    ['without a body', { status: 200 }],
    ['text that is no JSON', { status: 200, body: '<html>' }],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example' } }],
  ])('that are %s are the failure of that read alone', async (_what, given) => {
    fake.answerGraph((request, response) => {
      const responses = itemsOf(request).map(({ id, url }) =>
        url.includes('recordings')
          ? typeof given === 'object' && given !== null
            ? { id, ...given }
            : given
          : { id, ...EMPTY },
      );
      return json(200, { responses })(request, response);
    });
    const { of } = await list();
    expect(of(0)?.recordings.error?.kind).toBe('UNKNOWN');
    expect(of(0)?.transcripts).toEqual({ value: [] });
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('that come twice count once', async () => {
    fake.answerGraph((request, response) => {
      const first = itemsOf(request).map(({ id }) => ({ id, ...EMPTY }));
      const second = itemsOf(request).map(({ id }) => ({ id, status: 403, body: {} }));
      return json(200, { responses: [...first, ...second] })(request, response);
    });
    const { of } = await list();
    expect(of(0)).toEqual({ recordings: { value: [] }, transcripts: { value: [] } });
  });

  it.each([
    [
      403,
      { code: 'Forbidden', message: 'Graph API', innerError: { code: 'GraphAccessToTranscriptsDisabled' } },
      'TRANSCRIPT_ACCESS_DISABLED',
    ],
    [403, { code: 'Forbidden', innererror: { code: 'SpeakerAttributionNotAllowed' } }, 'SPEAKER_ATTRIBUTION_DISABLED'],
    [403, { code: 'Forbidden', message: 'No application access policy found for this app.' }, 'TEAMS_POLICY_MISSING'],
    [403, { code: 'Forbidden', message: '3003: User does not have access to lookup meeting' }, 'TEAMS_POLICY_MISSING'],
    [403, { code: 'Forbidden', message: 'An error has occurred.' }, 'ROLE_MISSING'],
    [404, { code: 'NotFound', message: 'Organizer Id mismatch User Id: x' }, 'NOT_FOUND'],
    [404, { code: 'Request_ResourceNotFound', message: 'x' }, 'USER_NOT_FOUND'],
    [410, { code: 'Gone', message: 'x' }, 'NOT_FOUND'],
    [400, { code: 'BadRequest', message: '1026: An error has occurred.' }, 'INVALID_REQUEST'],
    [500, { code: 'UnknownError', message: '' }, 'UNAVAILABLE'],
  ] as const)('%i %o is %s, as of a single call', async (status, error, kind) => {
    fake.answerGraph(on('recordings', { status, body: { error } }));
    const { of } = await list();
    expect(of(0)?.recordings.error).toMatchObject({ kind, status, code: error.code });
    expect(of(0)?.transcripts.error).toBeUndefined();
  });

  it('tell a missing role from a refusal for another reason', async () => {
    fake.answerTokens(issueToken(['OnlineMeetingRecording.Read.All']));
    fake.answerGraph(batch(() => ({ status: 403, body: { error: { code: 'Forbidden', message: 'x' } } })));
    const { of } = await list();
    expect([of(0)?.recordings.error?.kind, of(0)?.transcripts.error?.kind]).toEqual(['FORBIDDEN', 'ROLE_MISSING']);
  });

  it('are logged with their request id when they failed, and without what is secret', async () => {
    fake.answerGraph(
      batch(({ url }) =>
        url.includes('recordings')
          ? {
              status: 403,
              body: { error: { code: 'Forbidden', message: 'x', innerError: { 'request-id': 'inner-1' } } },
            }
          : { status: 404, headers: { 'Request-Id': 'header-1' }, body: '' },
      ),
    );
    const { log, of } = await list();
    const warnings = log.filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([
      {
        fields: {
          operation: 'artifacts.listOfMeetings',
          requestId: 'request-1',
          failed: [
            { path: '/users/{user}/onlineMeetings/{meeting}/recordings', status: 403, requestId: 'inner-1' },
            { path: '/users/{user}/onlineMeetings/{meeting}/transcripts', status: 404, requestId: 'header-1' },
          ],
        },
      },
    ]);
    expect(of(0)?.recordings.error?.requestId).toBe('inner-1');
    expect(JSON.stringify(log)).not.toMatch(/m0|Bearer|header\./);
  });

  it('without a request id are known by that of their batch', async () => {
    fake.answerGraph(on('recordings', { status: 404 }));
    expect((await list()).of(0)?.recordings.error?.requestId).toBe('request-1');
  });

  it('with headers that are none are read all the same', async () => {
    const headers = { 'Retry-After': 'a\r\nb', 'request-id': { x: 1 }, 'x-other': null };
    fake.answerGraph(on('recordings', { status: 404, headers }));
    expect((await list()).of(0)?.recordings.error?.kind).toBe('NOT_FOUND');
  });
});

describe('throttling inside a batch', () => {
  const throttled = (retryAfter?: string) => ({
    status: 429,
    headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    body: THROTTLED,
  });

  it('sends those again that were throttled, after the longest wait, seconds or date', async () => {
    const date = new Date('2036-12-01T09:00:12Z').toUTCString();
    fake.answerGraph(
      batch(({ url }) => {
        if (url.includes('/m0/recordings')) return throttled('3');
        if (url.includes('/m1/')) return throttled(date);
        return EMPTY;
      }),
      allEmpty,
    );
    const { waits, of } = await list(3, { clock: () => new Date('2036-12-01T09:00:00Z') });
    expect(waits).toEqual([12_000]);
    expect(itemsOf(fake.graphRequests[1]).map(({ url }) => url.split('/').slice(4).join('/'))).toEqual([
      'm0/recordings',
      'm1/recordings',
      'm1/transcripts',
    ]);
    expect(of(1)?.transcripts.error).toBeUndefined();
  });

  it.each([503, 504])('treats %i alike, and backs off where no wait is asked for', async (status) => {
    fake.answerGraph(on('recordings', { status, body: '' }), on('recordings', { status }), allEmpty);
    const { waits, of } = await list();
    expect(waits).toEqual([1_000, 2_000]);
    expect(of(0)?.recordings.value).toEqual([]);
  });

  it('ends after the tries of a single call', async () => {
    fake.answerGraph(on('recordings', throttled('1')));
    const { of, log } = await list();
    expect(fake.graphRequests).toHaveLength(4);
    expect(of(0)?.recordings.error).toMatchObject({ kind: 'THROTTLED', retryAfterMs: 1_000 });
    expect(of(0)?.transcripts.value).toEqual([]);
    const willBeTriedAgain = log.filter(({ level }) => level === 'warn').map(({ fields }) => fields.failed);
    expect(willBeTriedAgain).toMatchObject([true, true, true, false].map((again) => [{ willBeTriedAgain: again }]));
  });

  it('is final at once for a wait that is too long, while the others are tried again', async () => {
    fake.answerGraph(
      batch(({ url }) => throttled(url.includes('recordings') ? '600' : '2')),
      allEmpty,
    );
    const { of, waits } = await list();
    expect(waits).toEqual([2_000]);
    expect(of(0)?.recordings.error).toMatchObject({ kind: 'THROTTLED', retryAfterMs: 600_000 });
    expect(of(0)?.transcripts.value).toEqual([]);
    expect(itemsOf(fake.graphRequests[1])).toHaveLength(1);
  });

  it('stays within the time of a single call', async () => {
    fake.answerGraph(on('recordings', throttled('14')));
    const { waits, of } = await list();
    expect(waits).toEqual([14_000, 14_000]);
    expect(of(0)?.recordings.error?.kind).toBe('THROTTLED');
  });

  it('is not waited for when the caller wants one try', async () => {
    fake.answerGraph(batch(() => throttled('1')));
    const { client, waits } = serviceFor(fake);
    const found = await client.artifacts.listOfMeetings(USER, ['m0'], { maxTries: 1 });
    expect(found.get('m0')?.recordings.error?.kind).toBe('THROTTLED');
    expect([fake.graphRequests.length, waits]).toEqual([1, []]);
  });

  it('holds up what was not sent yet', async () => {
    let sentBeforeWait = 0;
    fake.answerGraph(
      batch(({ url }) => (url.includes('/m0/recordings') && sentBeforeWait === 0 ? throttled('5') : EMPTY)),
    );
    await list(100, {
      sleep: async () => {
        sentBeforeWait = fake.graphRequests.length;
      },
    });
    expect(sentBeforeWait).toBe(3);
    expect(fake.graphRequests).toHaveLength(11);
  });
});

describe('a 401 inside a batch', () => {
  const refused = { status: 401, body: { error: { code: 'InvalidAuthenticationToken', message: 'expired' } } };

  it('renews the token once and is tried again without a wait', async () => {
    fake.answerGraph(
      batch(() => refused),
      allEmpty,
    );
    const { of, waits } = await list();
    expect([of(0)?.recordings.value, waits, fake.tokenRequests.length]).toEqual([[], [], 2]);
    const [first, second] = fake.graphRequests.map(({ headers }) => headers.authorization);
    expect(second).not.toBe(first);
  });

  it('is final the second time', async () => {
    fake.answerGraph(on('recordings', refused));
    const { of } = await list();
    expect(of(0)?.recordings.error?.kind).toBe('UNAUTHORIZED');
    expect([fake.graphRequests.length, fake.tokenRequests.length]).toEqual([2, 2]);
  });
});

describe('a batch that fails as a whole', () => {
  it.each<[string, Answerer, string]>([
    ['is unavailable', graphError(503, 'ServiceUnavailable'), 'UNAVAILABLE'],
    ['is throttled', graphError(429, 'TooManyRequests', '', { headers: { 'retry-after': '1' } }), 'THROTTLED'],
    ['is cut', reset, 'NETWORK'],
    ['is refused', graphError(400, 'BadRequest'), 'INVALID_REQUEST'],
    ['is no JSON', (_request, response) => void response.end('<html>'), 'UNKNOWN'],
    ['has no responses', json(200, {}), 'UNKNOWN'],
  ])('because it %s is the failure of each read in it', async (_what, answer, kind) => {
    fake.answerGraph(answer);
    const { of } = await list(2);
    expect([of(0), of(1)].flatMap((one) => [one?.recordings.error?.kind, one?.transcripts.error?.kind])).toEqual(
      Array(4).fill(kind),
    );
    const isTriedAgain = ['UNAVAILABLE', 'THROTTLED', 'NETWORK'].includes(kind);
    expect(fake.graphRequests).toHaveLength(isTriedAgain ? 4 : 1);
  });

  it('because it is silent is given twice the time of a single call', async () => {
    fake.answerGraph(silence);
    const startedAt = performance.now();
    const { of } = await list(1, { perTryTimeoutMs: 50, maxTries: 1 });
    expect(of(0)?.recordings.error?.kind).toBe('TIMEOUT');
    expect(performance.now() - startedAt).toBeGreaterThan(95);
  });

  it('is tried again and then is like any other', async () => {
    fake.answerGraph(graphError(503, 'ServiceUnavailable', '', { headers: { 'retry-after': '4' } }), reset, allEmpty);
    const { of, waits } = await list();
    expect(of(0)).toEqual({ recordings: { value: [] }, transcripts: { value: [] } });
    expect(waits).toEqual([4_000, 2_000]);
  });

  it('leaves the other batches alone', async () => {
    fake.answerGraph(graphError(400, 'BadRequest'), allEmpty);
    const { found } = await list(100);
    const failed = [...found.values()].filter(({ recordings }) => recordings.error !== undefined);
    expect(failed).toHaveLength(10);
    expect(fake.graphRequests).toHaveLength(10);
  });

  it('spares what was not sent yet when all others fail too', async () => {
    fake.answerGraph(graphError(503, 'ServiceUnavailable'));
    const { found } = await list(1_000, { maxTries: 2 });
    expect(fake.graphRequests).toHaveLength(6);
    expect([...found.values()].every(({ transcripts }) => transcripts.error?.kind === 'UNAVAILABLE')).toBe(true);
  });

  it('because there is no token is told as of a single call', async () => {
    fake.answerTokens(
      json(401, { error: 'invalid_client', error_description: 'AADSTS7000215: x', error_codes: [7000215] }),
    );
    const { of } = await list();
    expect(of(0)?.recordings.error?.kind).toBe('CREDENTIALS_REJECTED');
    expect(fake.graphRequests).toHaveLength(0);
  });
});

describe('pages', () => {
  const page = (value: unknown[], nextLink?: string) => ({
    status: 200,
    body: { value, '@odata.nextLink': nextLink },
  });

  it('are followed as they are linked, and items that come again are left out', async () => {
    const link = (token: string) => `${fake.url}/v1.0/users('x')/onlineMeetings('y')/recordings?$skiptoken=${token}`;
    fake.answerGraph(
      on('recordings', page([artifact('a'), artifact('b')], link('a%2Bb'))),
      on('recordings', page([], link('c'))),
      on('recordings', page([artifact('a'), artifact('c')], link('c'))),
    );
    const { of } = await list();
    expect(of(0)?.recordings.value?.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(fake.graphRequests.slice(1).map((request) => itemsOf(request)[0]?.url)).toEqual([
      "/users('x')/onlineMeetings('y')/recordings?$skiptoken=a%2Bb",
      "/users('x')/onlineMeetings('y')/recordings?$skiptoken=c",
    ]);
  });

  it.each([
    'https://evil.example/v1.0/users',
    'http://127.0.0.1:1/v1.0/users',
    '/users/relative',
    'javascript:alert(1)',
  ])('that lead to %s are not followed', async (nextLink) => {
    fake.answerGraph(on('recordings', page([], nextLink)));
    const { of } = await list();
    expect(of(0)?.recordings.error?.kind).toBe('UNKNOWN');
    expect(of(0)?.transcripts.value).toEqual([]);
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('of another version of Graph are not followed inside a batch', async () => {
    fake.answerGraph(on('recordings', page([], `${fake.url}/beta/users`)));
    expect((await list()).of(0)?.recordings.error?.kind).toBe('UNKNOWN');
  });

  it('do not go on for ever', async () => {
    let token = 0;
    fake.answerGraph(
      batch(({ url }) => {
        token += 1;
        return url.includes('recordings') ? page([], `${fake.url}/v1.0/recordings?$skiptoken=${token}`) : EMPTY;
      }),
    );
    expect((await list()).of(0)?.recordings.error?.kind).toBe('UNKNOWN');
    expect(fake.graphRequests.length).toBe(500);
  });
});
