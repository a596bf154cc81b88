import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GraphFailureKind } from '../../../src/graph/types.ts';
import { type FakeMicrosoft, graphError, issueToken, json, serviceFor, startFakeMicrosoft } from './fake-microsoft.ts';

const RESOURCE = 'users/u1/onlineMeetings/getAllTranscripts';
const WIRE = {
  id: 'aaaa1111-0000-4000-8000-000000000001',
  resource: RESOURCE,
  notificationUrl: 'https://psa.example/n',
  lifecycleNotificationUrl: 'https://psa.example/l',
  clientState: null,
  expirationDateTime: '2026-12-01T09:00:00.1234567Z',
};
const READ = {
  id: WIRE.id,
  resource: RESOURCE,
  notificationUrl: WIRE.notificationUrl,
  lifecycleNotificationUrl: WIRE.lifecycleNotificationUrl,
  clientState: null,
  expiresAt: new Date('2026-12-01T09:00:00.123Z'),
};
const DRAFT = {
  resource: RESOURCE,
  notificationUrl: 'https://psa.example/n',
  lifecycleNotificationUrl: 'https://psa.example/l',
  clientState: 'state',
  expiresAt: new Date('2026-12-02T09:00:00Z'),
};

let fake: FakeMicrosoft;
beforeEach(async () => {
  fake = await startFakeMicrosoft();
});
afterEach(() => fake.close());

const subscriptions = () => serviceFor(fake).client.subscriptions;
const lastBody = () => JSON.parse(fake.graphRequests.at(-1)?.body ?? 'null');

describe('subscriptions', () => {
  it('create waits for Graph while that waits for the addresses, longer than for other answers', async () => {
    fake.answerGraph(async (request, response) => {
      await setTimeout(300);
      json(201, WIRE)(request, response);
    });
    const { client } = serviceFor(fake, { perTryTimeoutMs: 200 });
    expect((await client.subscriptions.create(DRAFT)).id).toBe(WIRE.id);
  });

  it('create asks for what is created, and gives back what Graph granted', async () => {
    fake.answerGraph(json(201, WIRE));
    expect(await subscriptions().create(DRAFT)).toEqual(READ);
    expect(lastBody()).toEqual({
      changeType: 'created',
      resource: RESOURCE,
      notificationUrl: DRAFT.notificationUrl,
      lifecycleNotificationUrl: DRAFT.lifecycleNotificationUrl,
      clientState: 'state',
      expirationDateTime: '2026-12-02T09:00:00.000Z',
    });
  });

  it('create is not repeated when nobody knows what became of it', async () => {
    fake.answerGraph(json(504));
    await expect(subscriptions().create(DRAFT)).rejects.toMatchObject({ kind: 'UNAVAILABLE', mayHaveWorked: true });
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('list reads all pages', async () => {
    const next = `${fake.url}/v1.0/subscriptions?$skiptoken=x`;
    fake.answerGraph(json(200, { value: [], '@odata.nextLink': next }), json(200, { value: [WIRE] }));
    expect(await subscriptions().list()).toEqual([READ]);
  });

  it('renew, reauthorize and get name it in the path', async () => {
    fake.answerGraph(json(200, WIRE));
    const { get, renew, reauthorize } = subscriptions();
    expect(await get('a/b')).toEqual(READ);
    await renew('a/b', { expiresAt: DRAFT.expiresAt, notificationUrl: 'https://psa.example/m' });
    expect(lastBody()).toEqual({
      expirationDateTime: '2026-12-02T09:00:00.000Z',
      notificationUrl: 'https://psa.example/m',
    });
    fake.answerGraph(json(204));
    await reauthorize('a/b');
    expect(fake.graphRequests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1.0/subscriptions/a%2Fb',
      'PATCH /v1.0/subscriptions/a%2Fb',
      'POST /v1.0/subscriptions/a%2Fb/reauthorize',
    ]);
  });

  it.each(['ResourceNotFound', 'ExtensionError'])('remove succeeds when it is gone already (%s)', async (code) => {
    fake.answerGraph(graphError(404, code));
    await subscriptions().remove('x');
    fake.answerGraph(graphError(403, 'Forbidden'));
    await expect(subscriptions().remove('x')).rejects.toMatchObject({ kind: 'ROLE_MISSING' });
  });

  it.each<[string, number, string, string, GraphFailureKind, string | null]>([
    [
      'a duplicate that is named',
      409,
      'ObjectIdentifierInUse',
      `Subscription Id <${WIRE.id}> already exists for the requested combination`,
      'SUBSCRIPTION_EXISTS',
      WIRE.id,
    ],
    [
      'the same without brackets',
      409,
      '',
      `Subscription Id ${WIRE.id} already exists for the requested combination`,
      'SUBSCRIPTION_EXISTS',
      WIRE.id,
    ],
    ['a duplicate without a name', 409, 'Conflict', 'It exists already.', 'SUBSCRIPTION_EXISTS', null],
    ['the quota', 403, 'Forbidden', 'The maximum number of subscriptions was reached.', 'SUBSCRIPTION_LIMIT', null],
    [
      'an address that does not answer',
      400,
      'ValidationError',
      'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.',
      'NOTIFICATION_URL_REFUSED',
      null,
    ],
    [
      'an address that is too slow',
      400,
      'InvalidRequest',
      'Subscription validation request timed out.',
      'NOTIFICATION_URL_REFUSED',
      null,
    ],
    ['a Teams policy', 403, 'Forbidden', 'No application access policy found', 'TEAMS_POLICY_MISSING', null],
    ['anything else', 400, 'InvalidRequest', 'changeType is not supported.', 'INVALID_REQUEST', null],
  ])('create tells %s', async (_case, status, code, message, kind, existingSubscriptionId) => {
    fake.answerTokens(issueToken(['OnlineMeetingTranscript.Read.All']));
    fake.answerGraph(graphError(status, code, message));
    await expect(subscriptions().create(DRAFT)).rejects.toMatchObject({ kind, existingSubscriptionId });
  });

  it('the role is that of the resource', async () => {
    fake.answerTokens(issueToken(['OnlineMeetingRecording.Read.All']));
    fake.answerGraph(graphError(403, 'Forbidden', 'An error has occurred.'));
    await expect(subscriptions().create(DRAFT)).rejects.toMatchObject({ kind: 'ROLE_MISSING' });
  });
});

describe('the directory of an app', () => {
  it('is told by its token, and by nothing where the token does not say', async () => {
    const claims = Buffer.from(JSON.stringify({ tid: 'ABCD', roles: [] })).toString('base64url');
    fake.answerTokens(json(200, { token_type: 'Bearer', expires_in: 3599, access_token: `h.${claims}.s` }));
    expect(await serviceFor(fake).client.directoryId()).toBe('abcd');
    fake.answerTokens(issueToken());
    expect(await serviceFor(fake).client.directoryId()).toBeNull();
  });
});
