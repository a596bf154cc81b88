import { describe, expect, it } from 'vitest';
import { allEmpty, artifact, batch, EMPTY, fake, itemsOf, list, on, THROTTLED, USER, useBatches } from './batching.ts';
import { type Answerer, graphError, json, reset, serviceFor, silence } from './fake-microsoft.ts';

useBatches();

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
