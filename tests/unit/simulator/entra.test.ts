import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCertificate } from './certificate.ts';
import { clientAssertion, createCertificate } from './certificate.ts';
import { CLIENT_ID, DIRECTORY, GUID, ORGANIZER, OTHER, reply, useSimulator } from './support.ts';

const sim = useSimulator();

describe('token endpoint', () => {
  it('issues an app-only token with the claims of the app', async () => {
    const answer = await sim.askToken();
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      token_type: 'Bearer',
      expires_in: 3599,
      ext_expires_in: 3599,
      access_token: expect.any(String),
    });
    const claims = decodeJwt(answer.json.access_token);
    expect(claims).toMatchObject({
      aud: 'https://graph.microsoft.com',
      appid: CLIENT_ID,
      tid: DIRECTORY,
      idtyp: 'app',
      oid: expect.stringMatching(GUID),
      roles: expect.arrayContaining(['Calendars.ReadWrite', 'OnlineMeetingRecording.Read.All']),
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3599);
    expect(answer.headers.get('cache-control')).toContain('no-store');
  });

  it('leaves out the roles claim when the app has none', async () => {
    const claims = decodeJwt(await sim.tokenWithRoles());
    expect('roles' in claims).toBe(false);
  });

  it('follows the configured lifetime and the clock', async () => {
    await sim.control.updateApp(DIRECTORY, CLIENT_ID, { tokenLifetimeSeconds: 600 });
    await sim.control.setClock(new Date('2031-05-01T00:00:00Z'));
    const answer = await sim.askToken();
    expect(answer.json.expires_in).toBe(600);
    expect(decodeJwt(answer.json.access_token).exp).toBeCloseTo(Date.parse('2031-05-01T00:10:00Z') / 1000, -1);
  });

  it('finds the directory by its domain too', async () => {
    expect((await sim.askToken({}, 'acme.example')).status).toBe(200);
  });

  it('ignores the tracking fields and query that client libraries add', async () => {
    const form = { 'x-client-SKU': 'msal.js.node', 'x-ms-lib-capability': 'retry-after, h429' };
    expect((await sim.askToken(form)).status).toBe(200);
  });

  it.each([
    ['a wrong secret', { client_secret: 'wrong' }, DIRECTORY, 401, 'invalid_client', 7000215],
    ['no credential', { client_secret: null }, DIRECTORY, 401, 'invalid_client', 7000218],
    ['an unknown app', { client_id: OTHER.clientId }, DIRECTORY, 400, 'unauthorized_client', 700016],
    ['an unknown tenant', {}, '99999999-9999-4999-8999-999999999999', 400, 'invalid_request', 90002],
    [
      'a scope without .default',
      { scope: 'https://graph.microsoft.com/User.Read' },
      DIRECTORY,
      400,
      'invalid_scope',
      1002012,
    ],
    [
      'an unknown resource',
      { scope: 'https://elsewhere.example/.default' },
      DIRECTORY,
      400,
      'invalid_resource',
      500011,
    ],
    ['another grant', { grant_type: 'password' }, DIRECTORY, 400, 'unsupported_grant_type', 70003],
    ['no client_id', { client_id: null }, DIRECTORY, 400, 'invalid_request', 900144],
  ])('refuses %s with the whole error body', async (_case, form, directory, status, error, code) => {
    const answer = await sim.askToken(form as Record<string, string | null>, directory);
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({
      error,
      error_description: expect.stringMatching(
        new RegExp(
          `^AADSTS${code}: .* Trace ID: .+ Correlation ID: .+ Timestamp: \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ$`,
        ),
      ),
      error_codes: [code],
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
      trace_id: expect.stringMatching(GUID),
      correlation_id: expect.stringMatching(GUID),
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    });
  });

  it('refuses a secret from the moment it expires', async () => {
    await sim.control.updateApp(DIRECTORY, CLIENT_ID, {
      secrets: [{ value: 'short-lived', expiresAt: new Date(Date.now() + 60_000).toISOString() }],
    });
    expect((await sim.askToken({ client_secret: 'short-lived' })).status).toBe(200);
    await sim.control.advanceClock(61_000);
    const answer = await sim.askToken({ client_secret: 'short-lived' });
    expect([answer.status, answer.json.error, answer.json.error_codes]).toEqual([401, 'invalid_client', [7000222]]);
  });

  it('refuses a disabled service principal', async () => {
    await sim.control.updateApp(DIRECTORY, CLIENT_ID, { disabled: true });
    expect((await sim.askToken()).json.error_codes).toEqual([7000112]);
  });
});

describe('openid-configuration', () => {
  it('names the token endpoint of the directory', async () => {
    const answer = await reply(await fetch(`${sim.url}/acme.example/v2.0/.well-known/openid-configuration`));
    expect(answer.status).toBe(200);
    expect(answer.json.token_endpoint).toBe(`${sim.url}/${DIRECTORY}/oauth2/v2.0/token`);
    const keys = await reply(await fetch(answer.json.jwks_uri));
    expect(keys.json.keys[0]).toMatchObject({ kty: 'RSA', use: 'sig' });
  });

  it('refuses an unknown tenant as invalid_tenant', async () => {
    const answer = await reply(await fetch(`${sim.url}/nowhere.example/v2.0/.well-known/openid-configuration`));
    expect([answer.status, answer.json.error, answer.json.error_codes]).toEqual([400, 'invalid_tenant', [90002]]);
    expect(answer.json.error_description).toContain("Tenant 'nowhere.example' not found.");
  });
});

describe('client assertion', () => {
  let registered: TestCertificate;
  let stranger: TestCertificate;
  beforeAll(() => {
    registered = createCertificate();
    stranger = createCertificate();
  });

  async function ask(change: Partial<Parameters<typeof clientAssertion>[0]> = {}) {
    await sim.control.updateApp(DIRECTORY, CLIENT_ID, { certificates: [registered.pem] });
    const assertion = await clientAssertion({
      clientId: CLIENT_ID,
      audience: `https://login.microsoftonline.com/${DIRECTORY}/oauth2/v2.0/token`,
      key: registered.privateKey,
      header: { 'x5t#S256': registered.x5tS256 },
      ...change,
    });
    return sim.askToken({
      client_secret: null,
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
  }

  it('is accepted under either thumbprint', async () => {
    expect((await ask()).status).toBe(200);
    expect((await ask({ header: { x5t: registered.x5t } })).status).toBe(200);
  });

  it('is judged by real time, as the client knows no other', async () => {
    await sim.control.advanceClock(7_200_000);
    expect((await ask()).status).toBe(200);
  });

  it.each([
    ['of an unregistered certificate', () => ({ key: stranger.privateKey, header: { x5t: stranger.x5t } }), 700027],
    ['signed with another key', () => ({ key: stranger.privateKey }), 700027],
    ['without thumbprint', () => ({ header: {} }), 700027],
    ['in the name of another app', () => ({ clientId: ORGANIZER }), 700027],
    ['that has expired', () => ({ expiresAt: new Date(Date.now() - 60_000) }), 700024],
    ['for another audience', () => ({ audience: 'https://elsewhere.example/token' }), 700023],
  ])('is refused %s', async (_case, change, code) => {
    const answer = await ask(change());
    expect([answer.status, answer.json.error, answer.json.error_codes]).toEqual([401, 'invalid_client', [code]]);
  });

  it('is refused when it is no token at all', async () => {
    const answer = await sim.askToken({
      client_secret: null,
      client_assertion: 'garbage',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expect(answer.json.error_codes).toEqual([700027]);
  });
});
