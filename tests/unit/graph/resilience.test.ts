import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sleep } from '../../../src/graph/abort.ts';
import {
  type Answerer,
  EVENT_DRAFT,
  type FakeMicrosoft,
  graphError,
  json,
  reset,
  serviceFor,
  silence,
  startFakeMicrosoft,
} from './fake-microsoft.ts';

const USER = { id: 'u1', userPrincipalName: 'u1@acme.example' };
const EVENT = {
  id: 'AAMk=',
  subject: 'Review',
  start: { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' },
  end: { dateTime: '2026-12-01T10:00:00.0000000', timeZone: 'UTC' },
  isOnlineMeeting: true,
  onlineMeetingProvider: 'teamsForBusiness',
  onlineMeeting: { joinUrl: 'https://teams.example/join' },
};

let fake: FakeMicrosoft;
beforeEach(async () => {
  fake = await startFakeMicrosoft();
});
afterEach(() => fake.close());

describe('the headers of a call', () => {
  it('ask for JSON and immutable ids and carry a request id that stays over the tries', async () => {
    fake.answerGraph(graphError(503, 'ServiceUnavailable'), json(200, USER));
    await serviceFor(fake).client.users.get('u1');
    const [first, second] = fake.graphRequests;
    expect(first?.headers.accept).toBe('application/json');
    expect(first?.headers.prefer).toContain('IdType="ImmutableId"');
    expect(first?.headers['client-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.headers['client-request-id']).toBe(first?.headers['client-request-id']);
  });

  it('have another request id for another call', async () => {
    fake.answerGraph(json(200, USER));
    const { client } = serviceFor(fake);
    await client.users.get('u1');
    await client.users.get('u1');
    expect(new Set(fake.graphRequests.map((request) => request.headers['client-request-id'])).size).toBe(2);
  });
});

describe('retries', () => {
  it.each([429, 503, 504])('a %i is tried again, with growing waits', async (status) => {
    fake.answerGraph(graphError(status, 'X'), json(status), graphError(status, 'X'), json(200, USER));
    const { client, waits, log } = serviceFor(fake, { totalTimeoutMs: 60_000 });
    expect((await client.users.get('u1')).id).toBe('u1');
    expect(waits).toEqual([1_000, 2_000, 4_000]);
    const warnings = log.filter((entry) => entry.level === 'warn');
    expect(warnings.map((entry) => entry.fields.nextTry)).toEqual([2, 3, 4]);
  });

  it('jitter takes up to half of a wait away', async () => {
    fake.answerGraph(json(503), json(200, USER));
    const { client, waits } = serviceFor(fake, { random: () => 0 });
    await client.users.get('u1');
    expect(waits).toEqual([500]);
  });

  it.each([400, 403, 404, 500, 502])('a %i is not tried again', async (status) => {
    fake.answerGraph(json(status));
    await expect(serviceFor(fake).client.users.get('u1')).rejects.toMatchObject({ status });
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('end after the last try with its failure', async () => {
    fake.answerGraph(graphError(429, 'ApplicationThrottled', 'over', { headers: { 'retry-after': '2' } }));
    await expect(serviceFor(fake).client.users.get('u1')).rejects.toMatchObject({
      kind: 'THROTTLED',
      retryAfterMs: 2_000,
      requestId: 'request-1',
    });
    expect(fake.graphRequests).toHaveLength(4);
  });

  it('wait as long as Retry-After says in seconds', async () => {
    fake.answerGraph(json(429, undefined, { 'retry-after': '11' }), json(200, USER));
    const { client, waits } = serviceFor(fake);
    await client.users.get('u1');
    expect(waits).toEqual([11_000]);
  });

  it('wait until the date that Retry-After names', async () => {
    fake.answerGraph(json(503, undefined, { 'retry-after': 'Mon, 23 Nov 2026 12:00:09 GMT' }), json(200, USER));
    const { client, waits } = serviceFor(fake, { clock: () => new Date('2026-11-23T12:00:00Z') });
    await client.users.get('u1');
    expect(waits).toEqual([9_000]);
  });

  it('are not begun when the wait does not fit', async () => {
    fake.answerGraph(json(429, undefined, { 'retry-after': '31' }));
    const { client, waits } = serviceFor(fake);
    await expect(client.users.get('u1')).rejects.toMatchObject({ kind: 'THROTTLED', retryAfterMs: 31_000 });
    expect(waits).toEqual([]);
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('add up: waits that fit one by one do not fit together', async () => {
    fake.answerGraph(json(429, undefined, { 'retry-after': '20' }));
    const { client, waits } = serviceFor(fake);
    await expect(client.users.get('u1')).rejects.toMatchObject({ kind: 'THROTTLED' });
    expect(waits).toEqual([20_000]);
  });

  it('follow a reset connection', async () => {
    fake.answerGraph(reset, json(200, USER));
    expect((await serviceFor(fake).client.users.get('u1')).id).toBe('u1');
  });

  it('follow a body that breaks off', async () => {
    const cut: Answerer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"id":');
      setImmediate(() => response.socket?.resetAndDestroy());
    };
    fake.answerGraph(cut, json(200, USER));
    const { client, log } = serviceFor(fake);
    expect((await client.users.get('u1')).id).toBe('u1');
    const tries = log.filter((entry) => entry.fields.operation === 'users.get' && entry.level === 'debug');
    expect(tries.map((entry) => entry.fields.status)).toEqual([null, 200]);
  });

  it('give up a server that is gone with NETWORK', async () => {
    const { client } = serviceFor(fake, { maxTries: 2 });
    await client.grantedRoles();
    await fake.close();
    await expect(client.users.get('u1')).rejects.toMatchObject({ kind: 'NETWORK', status: null });
  });

  it('create one event with the same transaction id', async () => {
    fake.answerGraph(json(504), json(201, EVENT));
    const event = await serviceFor(fake).client.events.create('u1', EVENT_DRAFT);
    expect(event.joinUrl).toBe('https://teams.example/join');
    expect(fake.graphRequests.map((request) => JSON.parse(request.body).transactionId)).toEqual([
      'transaction-1',
      'transaction-1',
    ]);
  });

  it('do not create an event without a transaction id', async () => {
    fake.answerGraph(json(504), json(201, EVENT));
    const create = serviceFor(fake).client.events.create('u1', { ...EVENT_DRAFT, transactionId: '' });
    await expect(create).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
    expect(fake.graphRequests).toHaveLength(1);
  });
});

describe('time-outs', () => {
  it('end a try that gets no answer', async () => {
    fake.answerGraph(silence, json(200, USER));
    const { client, log } = serviceFor(fake, { perTryTimeoutMs: 400 });
    expect((await client.users.get('u1')).id).toBe('u1');
    expect(log.find((entry) => entry.level === 'warn')?.fields).toMatchObject({ kind: 'TIMEOUT', status: null });
  });

  it('end a try whose body does not come', async () => {
    const stuck: Answerer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{');
    };
    fake.answerGraph(stuck);
    const { client } = serviceFor(fake, { perTryTimeoutMs: 60, maxTries: 1 });
    await expect(client.users.get('u1')).rejects.toMatchObject({ kind: 'TIMEOUT', isTransient: true });
  });

  it('leave the waits to the clock when nothing else is given', async () => {
    fake.answerGraph(json(503, undefined, { 'retry-after': '0.02' }), json(200, USER));
    expect((await serviceFor(fake, { sleep: undefined }).client.users.get('u1')).id).toBe('u1');
  });

  it('end the whole call', async () => {
    fake.answerGraph(silence);
    const { client } = serviceFor(fake, { perTryTimeoutMs: 5_000, totalTimeoutMs: 80 });
    await expect(client.users.get('u1')).rejects.toMatchObject({ kind: 'TIMEOUT' });
  });

  it('end a wait for the next try', async () => {
    fake.answerGraph(json(503, undefined, { 'retry-after': '0' }));
    const { client } = serviceFor(fake, {
      totalTimeoutMs: 500,
      sleep: (_milliseconds, signal) => sleep(60_000, signal),
    });
    await expect(client.users.get('u1')).rejects.toMatchObject({ kind: 'TIMEOUT' });
    expect(fake.graphRequests).toHaveLength(1);
  });
});

describe("the caller's signal", () => {
  it('ends a call under way with the AbortError', async () => {
    const controller = new AbortController();
    fake.answerGraph(() => controller.abort());
    await expect(serviceFor(fake).client.users.get('u1', { signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('ends a wait between tries', async () => {
    const controller = new AbortController();
    fake.answerGraph(json(503, undefined, { 'retry-after': '20' }));
    const { client } = serviceFor(fake, {
      sleep: async (_milliseconds, signal) => {
        controller.abort();
        signal?.throwIfAborted();
      },
    });
    await expect(client.users.get('u1', { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('that is aborted before sends nothing', async () => {
    await expect(serviceFor(fake).client.users.get('u1', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(fake.graphRequests).toHaveLength(0);
    expect(fake.tokenRequests).toHaveLength(0);
  });
});

describe('the log', () => {
  it('has one line per try with what support needs, and no ids, links or tokens', async () => {
    fake.answerGraph(json(503), json(200, { value: [] }));
    const { client, log } = serviceFor(fake);
    await client.onlineMeetings.findByJoinUrl('user-1', 'https://teams.example/l/join-me');
    const tries = log.filter((entry) => entry.message === 'Microsoft Graph call');
    expect(tries).toHaveLength(2);
    expect(tries[1]).toMatchObject({
      level: 'debug',
      fields: {
        operation: 'onlineMeetings.findByJoinUrl',
        method: 'GET',
        path: '/users/{user}/onlineMeetings',
        status: 200,
        requestId: 'request-1',
        clientRequestId: fake.graphRequests[1]?.headers['client-request-id'],
        try: 2,
      },
    });
    expect(tries[1]?.fields.durationMs).toBeTypeOf('number');
    expect(JSON.stringify(log)).not.toMatch(/Bearer|signature|join-me|user-1|the-secret-value/);
  });
});
