import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sleep } from '../../../src/graph/abort.ts';
import { TokenSource } from '../../../src/graph/auth.ts';
import { createGraphClient } from '../../../src/graph/client.ts';
import { cloudEndpoints } from '../../../src/graph/clouds.ts';
import { GraphRequestError, havingMaybeWorked } from '../../../src/graph/errors.ts';
import { NO_OBSERVER } from '../../../src/graph/observer.ts';
import { MailboxQueues } from '../../../src/graph/throttle.ts';
import type { GraphClient } from '../../../src/graph/types.ts';
import {
  type Answerer,
  APP,
  EVENT_DRAFT,
  entraError,
  type FakeMicrosoft,
  graphError,
  json,
  reset,
  serviceFor,
  silence,
  startFakeMicrosoft,
} from './fake-microsoft.ts';

let fake: FakeMicrosoft;
beforeEach(async () => {
  fake = await startFakeMicrosoft();
});
afterEach(() => fake.close());

/** What a create that fails tells. */
async function failedCreate(options: Parameters<typeof serviceFor>[1] = {}): Promise<GraphRequestError> {
  const { client } = serviceFor(fake, options);
  return client.events.create('u1', EVENT_DRAFT).then(
    () => expect.fail('the create succeeded'),
    (error: GraphRequestError) => error,
  );
}

interface ClientOptions {
  queues?: MailboxQueues;
  perTryTimeoutMs?: number;
  totalTimeoutMs?: number;
  maxTries?: number;
  sleep?: typeof sleep;
}

/** A client of the app `app` that has its token already, so that short times are those of the call itself. */
async function clientWithToken(options: ClientOptions): Promise<GraphClient> {
  const { queues = new MailboxQueues(1), perTryTimeoutMs = 5_000, totalTimeoutMs = 5_000, maxTries = 1 } = options;
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const clock = () => new Date();
  const endpoints = cloudEndpoints('GLOBAL', { graphBaseUrl: fake.url, entraBaseUrl: fake.url });
  const tokens = new TokenSource(APP, endpoints, { logger, clock, timeoutMs: 5_000, observer: NO_OBSERVER });
  await tokens.token();
  return createGraphClient({
    cloud: 'GLOBAL',
    graphBaseUrl: fake.url,
    tokens,
    queues,
    appKey: 'app',
    limits: { maxTries, totalTimeoutMs, sleep: options.sleep ?? sleep, random: () => 1 },
    perTryTimeoutMs,
    observer: NO_OBSERVER,
    clock,
    logger,
  });
}

describe('a failed call may have worked', () => {
  it.each([
    ['a 500', graphError(500, 'UnknownError')],
    ['a gateway that gave up', json(504)],
    ['a gateway’s page', json(502)],
    ['a connection that was cut', reset],
    ['a success that cannot be read', json(201, { id: 7 })],
  ])('after %s', async (_name, answer) => {
    fake.answerGraph(answer);
    expect(await failedCreate({ maxTries: 1 })).toMatchObject({ name: 'GraphRequestError', mayHaveWorked: true });
  });

  it('when no answer came in the time of a try', async () => {
    fake.answerGraph(silence);
    const client = await clientWithToken({ perTryTimeoutMs: 50 });
    await expect(client.events.create('u1', EVENT_DRAFT)).rejects.toMatchObject({
      kind: 'TIMEOUT',
      mayHaveWorked: true,
    });
  });

  it('when no answer came in the time of all tries', async () => {
    fake.answerGraph(silence);
    const client = await clientWithToken({ totalTimeoutMs: 100 });
    await expect(client.events.create('u1', EVENT_DRAFT)).rejects.toMatchObject({
      kind: 'TIMEOUT',
      mayHaveWorked: true,
    });
  });

  it('when an earlier try may have, whatever the last one says', async () => {
    fake.answerGraph(json(504), graphError(429, 'ApplicationThrottled'));
    expect(await failedCreate({ maxTries: 2 })).toMatchObject({
      kind: 'THROTTLED',
      status: 429,
      code: 'ApplicationThrottled',
      requestId: 'request-1',
      mayHaveWorked: true,
    });
  });

  it('when an earlier try may have and then there is no token any more', async () => {
    fake.answerGraph((_request, response) => {
      fake.answerTokens(entraError(401, 'invalid_client', 7_000_215));
      // The next try finds its token refused, and the renewal refused too.
      fake.answerGraph(graphError(401, 'InvalidAuthenticationToken'));
      json(504)(_request, response);
    });
    expect(await failedCreate()).toMatchObject({ kind: 'CREDENTIALS_REJECTED', mayHaveWorked: true });
  });

  it('when the time ran out between two tries', async () => {
    fake.answerGraph(json(503, undefined, { 'retry-after': '0' }));
    const client = await clientWithToken({
      totalTimeoutMs: 300,
      maxTries: 2,
      sleep: (_wait, signal) => sleep(60_000, signal),
    });
    await expect(client.events.create('u1', EVENT_DRAFT)).rejects.toMatchObject({
      kind: 'TIMEOUT',
      mayHaveWorked: true,
    });
  });
});

describe('a failed call has not worked', () => {
  it.each([
    ['400', graphError(400, 'ErrorPropertyValidationFailure')],
    ['403', graphError(403, 'ErrorAccessDenied')],
    ['404', json(404)],
    ['412', graphError(412, 'ErrorIrresolvableConflict')],
    ['429', graphError(429, 'ApplicationThrottled')],
  ])('after a %s', async (_status, answer: Answerer) => {
    fake.answerGraph(answer);
    expect(await failedCreate({ maxTries: 2 })).toMatchObject({ mayHaveWorked: false });
  });

  it.each([
    ['refused', entraError(401, 'invalid_client', 7_000_215)],
    ['broken', json(503)],
    ['cut', reset],
  ])('when it got no token (%s)', async (_name, answer) => {
    fake.answerTokens(answer);
    expect(await failedCreate({ maxTries: 1 })).toMatchObject({ mayHaveWorked: false });
    expect(fake.graphRequests).toHaveLength(0);
  });

  it('when nobody listens', async () => {
    const { client } = serviceFor(fake, { maxTries: 1 });
    await client.grantedRoles();
    await fake.close();
    await expect(client.events.create('u1', EVENT_DRAFT)).rejects.toMatchObject({
      kind: 'NETWORK',
      mayHaveWorked: false,
    });
  });

  it('when it waited for its turn until the time was over', async () => {
    const queues = new MailboxQueues(1);
    const leave = Promise.withResolvers<void>();
    const held = queues.run('app/u1', new AbortController().signal, () => leave.promise);
    const client = await clientWithToken({ queues, totalTimeoutMs: 50 });
    const waiting = client.events.create('u1', EVENT_DRAFT);
    await expect(waiting).rejects.toMatchObject({ kind: 'TIMEOUT', mayHaveWorked: false });
    expect(fake.graphRequests).toHaveLength(0);
    leave.resolve();
    await held;
  });

  it('when its id cannot be sent', async () => {
    const failure = await serviceFor(fake)
      .client.events.delete('u1', '..')
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'INVALID_REQUEST', mayHaveWorked: false });
  });
});

it('keeps everything else of a failure that turns out to have maybe worked', () => {
  const failure = new GraphRequestError({
    kind: 'DUPLICATE_TRANSACTION',
    message: 'used',
    status: 400,
    code: 'outer',
    innermostCode: 'inner',
    requestId: 'request-1',
    retryAfterMs: 5,
    existingEventId: 'AAMk=',
    cause: 'why',
  });
  const { mayHaveWorked: before, stack: _stack, ...rest } = failure;
  const { mayHaveWorked: after, stack: _other, ...same } = havingMaybeWorked(failure);
  expect([before, after]).toEqual([false, true]);
  expect(same).toEqual(rest);
  expect(havingMaybeWorked(havingMaybeWorked(failure))).toMatchObject({ message: 'used', cause: 'why' });
});

describe('maxTries of a call', () => {
  it('1 means no repetition', async () => {
    fake.answerGraph(json(503));
    const { client, waits } = serviceFor(fake);
    await expect(client.events.get('u1', 'AAMk=', { maxTries: 1 })).rejects.toMatchObject({ status: 503 });
    expect(fake.graphRequests).toHaveLength(1);
    expect(waits).toEqual([]);
  });

  it('may be more than the service’s', async () => {
    fake.answerGraph(json(503), json(503), json(200, { id: 'u1', userPrincipalName: 'u1@acme.example' }));
    const { client } = serviceFor(fake, { maxTries: 1 });
    expect((await client.users.get('u1', { maxTries: 3 })).id).toBe('u1');
  });

  it('holds for a token as well', async () => {
    fake.answerTokens(json(503));
    await expect(serviceFor(fake).client.grantedRoles({ maxTries: 1 })).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
    expect(fake.tokenRequests).toHaveLength(1);
  });
});
