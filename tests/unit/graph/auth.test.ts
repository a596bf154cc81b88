import { createHash, X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphRequestError } from '../../../src/graph/errors.ts';
import { selfSignedCertificate } from './certificate.ts';
import {
  APP,
  entraError,
  type FakeMicrosoft,
  graphError,
  issueToken,
  json,
  reset,
  serviceFor,
  silence,
  startFakeMicrosoft,
} from './fake-microsoft.ts';

const USER = { id: 'u1', userPrincipalName: 'u1@acme.example', displayName: 'U', mail: null, accountEnabled: true };

const pair = selfSignedCertificate();

let fake: FakeMicrosoft;
beforeEach(async () => {
  fake = await startFakeMicrosoft();
  fake.answerGraph(json(200, USER));
});
afterEach(() => fake.close());

async function failureOf(work: Promise<unknown>): Promise<GraphRequestError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof GraphRequestError) return error;
  throw new Error(`expected a GraphRequestError, got ${String(error)}`);
}

describe('tokens', () => {
  it('are asked for with the client credentials grant and the scope of Graph', async () => {
    const { client } = serviceFor(fake);
    await client.users.get('u1');
    const [request] = fake.tokenRequests;
    expect(request?.url).toMatch(new RegExp(`^/${APP.directoryId}/oauth2/v2.0/token`));
    const form = new URLSearchParams(request?.body);
    expect(form.get('client_id')).toBe(APP.clientId);
    expect(form.get('grant_type')).toBe('client_credentials');
    expect(form.get('scope')).toBe('https://graph.microsoft.com/.default');
    expect(form.get('client_secret')).toBe('the-secret-value');
  });

  it('are fetched once for concurrent and later callers', async () => {
    const { client } = serviceFor(fake);
    await Promise.all([client.users.get('u1'), client.users.get('u2'), client.grantedRoles()]);
    await client.users.get('u3');
    expect(fake.tokenRequests).toHaveLength(1);
    expect(new Set(fake.graphRequests.map((request) => request.headers.authorization)).size).toBe(1);
  });

  it('tell the granted roles', async () => {
    fake.answerTokens(issueToken(['Calendars.ReadWrite', 'User.Read.All']));
    expect([...(await serviceFor(fake).client.grantedRoles())]).toEqual(['Calendars.ReadWrite', 'User.Read.All']);
  });

  it.each([
    ['without a roles claim', issueToken()],
    ['that is no JWT', json(200, { token_type: 'Bearer', expires_in: 3599, access_token: 'opaque' })],
    ['with a payload that is no object', json(200, { token_type: 'Bearer', expires_in: 3599, access_token: 'a.MQ.c' })],
  ])('%s grant no role', async (_name, answer) => {
    fake.answerTokens(answer);
    expect((await serviceFor(fake).client.grantedRoles()).size).toBe(0);
  });

  it('of a certificate are asked for with a signed assertion', async () => {
    const { service } = serviceFor(fake);
    const credential = { kind: 'CERTIFICATE', ...pair } as const;
    await service.forApp({ ...APP, credential }).grantedRoles();
    const assertion = new URLSearchParams(fake.tokenRequests[0]?.body).get('client_assertion') ?? '';
    const header = JSON.parse(Buffer.from(assertion.split('.')[0] ?? '', 'base64url').toString('utf8'));
    const der = new X509Certificate(pair.certificatePem).raw;
    expect(header['x5t#S256']).toBe(createHash('sha256').update(der).digest('base64url'));
  });

  it.each([
    ['no certificate', 'garbage', 'garbage'],
    ['no key', pair.certificatePem, 'garbage'],
    ['an empty key', pair.certificatePem, ''],
  ])('cannot be had with %s', async (_name, certificatePem, privateKeyPem) => {
    const { service } = serviceFor(fake);
    const client = service.forApp({ ...APP, credential: { kind: 'CERTIFICATE', certificatePem, privateKeyPem } });
    const failure = await failureOf(client.grantedRoles());
    expect(failure.kind).toBe('CREDENTIALS_REJECTED');
    expect(fake.tokenRequests).toHaveLength(0);
  });
});

describe('a 401 of Graph', () => {
  const refused = graphError(401, 'InvalidAuthenticationToken', 'Access token has expired or is not yet valid.');

  it('makes one new token and one new try', async () => {
    fake.answerGraph(refused, json(200, USER));
    const { client } = serviceFor(fake);
    expect((await client.users.get('u1')).id).toBe('u1');
    const bearers = fake.graphRequests.map((request) => request.headers.authorization);
    expect(fake.tokenRequests).toHaveLength(2);
    expect(bearers[0]).not.toBe(bearers[1]);
  });

  it('is final the second time', async () => {
    fake.answerGraph(refused);
    const failure = await failureOf(serviceFor(fake).client.users.get('u1'));
    expect(failure).toMatchObject({ kind: 'UNAUTHORIZED', status: 401, innermostCode: 'InvalidAuthenticationToken' });
    expect(fake.graphRequests).toHaveLength(2);
  });

  it('in two calls at once makes one new token', async () => {
    let refusals = 0;
    const { client } = serviceFor(fake);
    await client.grantedRoles();
    const first = new Set<string>();
    fake.answerGraph((request, response) => {
      const bearer = request.headers.authorization ?? '';
      if (first.size === 0) first.add(bearer);
      if (first.has(bearer)) refusals += 1;
      return (first.has(bearer) ? refused : json(200, USER))(request, response);
    });
    await Promise.all([client.users.get('u1'), client.users.get('u2')]);
    expect(refusals).toBe(2);
    expect(fake.tokenRequests).toHaveLength(2);
  });
});

describe('a refusal by Entra', () => {
  it.each([
    [401, 'invalid_client', 7000215, 'CREDENTIALS_REJECTED'],
    [400, 'unauthorized_client', 700016, 'APP_NOT_FOUND'],
    [400, 'invalid_request', 90002, 'DIRECTORY_NOT_FOUND'],
  ] as const)('%i %s %i is %s, without retries', async (status, code, aadsts, kind) => {
    fake.answerTokens(entraError(status, code, aadsts));
    const failure = await failureOf(serviceFor(fake).client.users.get('u1'));
    expect(failure).toMatchObject({ kind, status, code, innermostCode: `AADSTS${aadsts}` });
    expect(fake.tokenRequests).toHaveLength(1);
    expect(fake.graphRequests).toHaveLength(0);
  });

  it('does not last: the next call asks again', async () => {
    fake.answerTokens(entraError(401, 'invalid_client', 7000215), issueToken());
    const { client } = serviceFor(fake);
    await failureOf(client.users.get('u1'));
    expect((await client.users.get('u1')).id).toBe('u1');
  });

  it('never shows the secret, in the error or in the log', async () => {
    fake.answerTokens((request, response) =>
      json(401, { error: 'invalid_client', error_description: request.body })(request, response),
    );
    const { client, log } = serviceFor(fake);
    const failure = await failureOf(client.users.get('u1'));
    expect(failure.cause).toBeUndefined();
    expect(JSON.stringify([failure, failure.message, failure.stack, log])).not.toContain('the-secret-value');
  });
});

describe('trouble of Entra', () => {
  it('is survived: 503, then a token', async () => {
    fake.answerTokens(entraError(503, 'temporarily_unavailable', 90033), issueToken());
    const { client, waits } = serviceFor(fake);
    expect((await client.users.get('u1')).id).toBe('u1');
    expect(waits).toEqual([1_000]);
  });

  it('waits as long as a 429 says', async () => {
    fake.answerTokens(entraError(429, 'temporarily_unavailable', 90055, { 'retry-after': '7' }), issueToken(['A']));
    const { client, waits, log } = serviceFor(fake);
    expect((await client.grantedRoles()).has('A')).toBe(true);
    expect(waits).toEqual([7_000]);
    expect(log.filter((entry) => entry.level === 'warn')).toHaveLength(1);
  });

  it('is told with the wait when that is too long, and a later call is not held back by msal', async () => {
    fake.answerTokens(entraError(429, 'temporarily_unavailable', 90055, { 'retry-after': '600' }), issueToken());
    const { client } = serviceFor(fake);
    expect(await failureOf(client.users.get('u1'))).toMatchObject({ kind: 'THROTTLED', retryAfterMs: 600_000 });
    expect((await client.users.get('u1')).id).toBe('u1');
  });

  it.each([
    ['an empty body', 503, undefined, 'UNAVAILABLE'],
    ['a 200 without a token', 200, {}, 'UNKNOWN'],
  ] as const)('with %s is classified', async (_name, status, body, kind) => {
    fake.answerTokens(json(status, body));
    expect((await failureOf(serviceFor(fake, { maxTries: 1 }).client.grantedRoles())).kind).toBe(kind);
  });

  it('that is a reset connection is NETWORK', async () => {
    fake.answerTokens(reset);
    const failure = await failureOf(serviceFor(fake).client.grantedRoles());
    expect(failure.kind).toBe('NETWORK');
    expect(fake.tokenRequests).toHaveLength(4);
  });

  it('that is silence is TIMEOUT', async () => {
    fake.answerTokens(silence);
    const failure = await failureOf(serviceFor(fake, { perTryTimeoutMs: 40, maxTries: 1 }).client.grantedRoles());
    expect(failure.kind).toBe('TIMEOUT');
  });

  it('lets a caller leave who aborts, and does not end the request of the others', async () => {
    let answer: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      fake.answerTokens(async (request, response) => {
        resolve();
        await new Promise<void>((go) => {
          answer = go;
        });
        await issueToken(['A'])(request, response);
      });
    });
    const { client } = serviceFor(fake);
    const controller = new AbortController();
    const leaving = client.grantedRoles({ signal: controller.signal });
    const staying = client.grantedRoles();
    await asked;
    controller.abort();
    await expect(leaving).rejects.toMatchObject({ name: 'AbortError' });
    answer();
    expect((await staying).has('A')).toBe(true);
    expect(fake.tokenRequests).toHaveLength(1);
  });
});

describe('forApp and forget', () => {
  it('share one client per app and credential, whatever the case of the ids', () => {
    const { service, client } = serviceFor(fake);
    expect(service.forApp({ ...APP, clientId: APP.clientId.toUpperCase() })).toBe(client);
    expect(service.forApp({ ...APP, credential: { kind: 'CLIENT_SECRET', clientSecret: 'other' } })).not.toBe(client);
    expect(service.forApp({ ...APP, cloud: 'US_GOV_L4' })).not.toBe(client);
    expect(service.forApp({ ...APP, directoryId: 'other' })).not.toBe(client);
  });

  it('a forgotten client is made anew, and who still holds it gets a new token', async () => {
    const { service, client } = serviceFor(fake);
    await client.grantedRoles();
    service.forget({ ...APP, credential: { kind: 'CLIENT_SECRET', clientSecret: 'the new one' } });
    fake.answerTokens(issueToken(['New.Role']));
    expect(service.forApp(APP)).not.toBe(client);
    expect((await client.grantedRoles()).has('New.Role')).toBe(true);
  });

  it('forgetting one app leaves the others', () => {
    const { service } = serviceFor(fake);
    const other = service.forApp({ ...APP, clientId: 'other' });
    service.forget(APP);
    expect(service.forApp({ ...APP, clientId: 'other' })).toBe(other);
  });

  it('drop the least recently used client beyond 500', () => {
    const { service, client } = serviceFor(fake);
    const stale = service.forApp({ ...APP, clientId: 'stale' });
    service.forApp(APP);
    for (let index = 0; index < 499; index += 1) service.forApp({ ...APP, clientId: `app-${index}` });
    expect(service.forApp(APP)).toBe(client);
    expect(service.forApp({ ...APP, clientId: 'stale' })).not.toBe(stale);
  });
});
