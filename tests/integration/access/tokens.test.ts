import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAuthenticator, IdentityProviderUnavailableError, viewerOf } from '../../../src/server/authenticator.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { AUDIENCE, ISSUER } from '../../support/tokens.ts';

const ENTITIES = `{ _entities(representations: [{ __typename: "Appointment", id: "appt-1" }, { __typename: "Interaction", id: "int-1" }]) {
  ... on Appointment { id teamsMeeting { id } recordings { id } transcripts { id } }
  ... on Interaction { id teamsMeeting { id } recordings { id } transcripts { id } suggestedAttendees { emailAddress } }
} }`;

const ALL = [
  'teams_settings:read',
  'teams_settings:update',
  'teams_meeting:read',
  'teams_meeting:write',
  'teams_artifact:read',
  'teams_artifact:refresh',
];
const GOOD = { sub: 'user-1', tenant_id: 'tenant-a', kind: 'msp', permissions: ALL };
const seconds = () => Math.floor(Date.now() / 1000);
const encode = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await startTestSubgraph();
});
afterAll(() => subgraph.close());

interface Answer {
  data: { _entities?: Record<string, unknown>[]; teamsMeetingCapability?: unknown } | null;
  errors?: { path?: unknown[]; extensions: { code: string } }[];
}

async function ask(query: string, authorization: string | null): Promise<{ status: number; body: Answer }> {
  const response = await fetch(`${subgraph.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization === null ? {} : { authorization }) },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

async function expectUnauthenticated(authorization: string | null): Promise<void> {
  const root = await ask('{ teamsMeetingCapability { available } }', authorization);
  expect(root.status).toBe(200);
  expect(root.body.data).toBeNull();
  expect(root.body.errors?.map((error) => error.extensions.code)).toEqual(['UNAUTHENTICATED']);

  const entities = await ask(ENTITIES, authorization);
  expect(entities.status).toBe(200);
  expect(entities.body.data?._entities).toEqual([
    { id: 'appt-1', teamsMeeting: null, recordings: null, transcripts: null },
    { id: 'int-1', teamsMeeting: null, recordings: null, transcripts: null, suggestedAttendees: null },
  ]);
  expect(new Set(entities.body.errors?.map((error) => error.extensions.code))).toEqual(new Set(['UNAUTHENTICATED']));
  expect(entities.body.errors).toHaveLength(7);
}

const bearer = (token: string) => `Bearer ${token}`;
const good = (claims: JWTPayload = {}, options: Parameters<TestSubgraph['tokens']['sign']>[1] = {}) =>
  subgraph.tokens.sign({ ...GOOD, ...claims }, options);
/** The good token with some claims left out. */
const without = (...names: string[]) =>
  subgraph.tokens.sign(Object.fromEntries(Object.entries(GOOD).filter(([name]) => !names.includes(name))));
const publicJwk = () => subgraph.tokens.jwks.keys[0] ?? {};

/** A token that a public key, taken as a shared secret, has signed. */
function hs256(secret: Buffer): string {
  const signed = `${encode({ alg: 'HS256', kid: 'test' })}.${encode({ ...GOOD, iss: ISSUER, aud: AUDIENCE, exp: seconds() + 600 })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** A token of somebody else's key, with any header. */
async function foreign(header: { alg: string; kid?: string; jwk?: object; jku?: string }): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = header.jwk === undefined ? {} : { jwk: await exportJWK(publicKey) };
  return new SignJWT(GOOD)
    .setProtectedHeader({ ...header, ...jwk })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime('1h')
    .sign(privateKey);
}

describe('a good token', () => {
  it.each([
    ['Bearer', (token: string) => `Bearer ${token}`],
    ['bearer', (token: string) => `bearer ${token}`],
    ['BEARER', (token: string) => `BEARER ${token}`],
  ])('is taken after %s', async (_scheme, write) => {
    const { body } = await ask('{ teamsMeetingCapability { available } }', write(await good()));
    expect(body).toMatchObject({ data: { teamsMeetingCapability: { available: false } } });
    expect(body.errors).toBeUndefined();
  });

  it('may carry claims and permissions that we do not know', async () => {
    const token = await good({ permissions: [...ALL, 'tickets:read'], name: 'Jane', roles: ['x'] });
    expect((await ask('{ teamsMeetingCapability { available } }', bearer(token))).body.errors).toBeUndefined();
  });
});

describe('UNAUTHENTICATED, and the entity itself not null, with', () => {
  const BAD: [string, () => string | null | Promise<string | null>][] = [
    ['no header', () => null],
    ['an empty header', () => ''],
    ['the scheme alone', () => 'Bearer'],
    ['the scheme and a blank', () => 'Bearer '],
    ['another scheme', async () => `Basic ${await good()}`],
    ['no scheme', () => good()],
    ['two tokens', async () => `Bearer ${await good()} ${await good()}`],
    ['two schemes', async () => `Bearer Bearer ${await good()}`],
    ['words', () => 'Bearer not a token'],
    ['two dots and nothing else', () => 'Bearer ..'],
    ['dots and characters', () => 'Bearer a.b.c'],
    ['JSON that is no object', () => bearer(`${encode('[]')}.${encode('null')}.${encode('x')}`)],
    ['a very long header', () => bearer('a'.repeat(6000))],
    ['four parts', async () => bearer(`${await good()}.x`)],
    ['an expired token', () => good({}, { expiresAt: seconds() - 1 }).then(bearer)],
    ['a token that is not valid yet', () => good({ nbf: seconds() + 600 }).then(bearer)],
    ['another issuer', () => good({}, { issuer: 'https://elsewhere.example/' }).then(bearer)],
    ['an issuer without its slash', () => good({}, { issuer: ISSUER.slice(0, -1) }).then(bearer)],
    ['another audience', () => good({}, { audience: 'another-subgraph' }).then(bearer)],
    [
      'alg none',
      () =>
        bearer(`${encode({ alg: 'none' })}.${encode({ ...GOOD, iss: ISSUER, aud: AUDIENCE, exp: seconds() + 600 })}.`),
    ],
    [
      'alg none with something for a signature',
      () =>
        bearer(
          `${encode({ alg: 'none', kid: 'test' })}.${encode({ ...GOOD, iss: ISSUER, aud: AUDIENCE, exp: seconds() + 600 })}.x`,
        ),
    ],
    [
      'HS256 by the public key as PEM',
      async () => bearer(hs256(Buffer.from(await exportSPKI((await importJWK(publicJwk(), 'ES256')) as CryptoKey)))),
    ],
    ['HS256 by the public key as JWK', () => bearer(hs256(Buffer.from(JSON.stringify(publicJwk()))))],
    ['HS256 by a coordinate of the public key', () => bearer(hs256(Buffer.from(publicJwk().x ?? '', 'base64url')))],
    ['an unknown key id', () => good({}, { kid: 'unknown' }).then(bearer)],
    ['another’s key under our key id', () => foreign({ alg: 'ES256', kid: 'test' }).then(bearer)],
    ['a key that the token brings along', () => foreign({ alg: 'ES256', jwk: {} }).then(bearer)],
    [
      'a key set that the token names',
      () => foreign({ alg: 'ES256', kid: 'evil', jku: 'http://127.0.0.1:1/jwks' }).then(bearer),
    ],
    [
      'a changed payload',
      async () => {
        const [header, , signature] = (await good()).split('.');
        return bearer(
          `${header}.${encode({ ...GOOD, tenant_id: 'tenant-b', iss: ISSUER, aud: AUDIENCE, exp: seconds() + 600 })}.${signature}`,
        );
      },
    ],
    ['a signature cut short', async () => bearer((await good()).slice(0, -4))],
    ['no sub', () => without('sub').then(bearer)],
    ['no tenant_id', () => without('tenant_id').then(bearer)],
    ['no kind', () => without('kind').then(bearer)],
    ['no permissions', () => without('permissions').then(bearer)],
    ['a client without client_id', () => good({ kind: 'client' }).then(bearer)],
    ['a client with an empty client_id', () => good({ kind: 'client', client_id: '' }).then(bearer)],
    ['a client with a list for client_id', () => good({ kind: 'client', client_id: ['client-acme'] }).then(bearer)],
    ['an empty sub', () => good({ sub: '' }).then(bearer)],
    ['an empty tenant_id', () => good({ tenant_id: '' }).then(bearer)],
    ['a number for tenant_id', () => good({ tenant_id: 1 }).then(bearer)],
    ['a list for tenant_id', () => good({ tenant_id: ['tenant-a', 'tenant-b'] }).then(bearer)],
    ['a tenant_id that is far too long', () => good({ tenant_id: 'x'.repeat(300) }).then(bearer)],
    ['an unknown kind', () => good({ kind: 'root' }).then(bearer)],
    ['the kind in capitals', () => good({ kind: 'MSP' }).then(bearer)],
    ['a text for permissions', () => good({ permissions: ALL.join(' ') }).then(bearer)],
    ['numbers for permissions', () => good({ permissions: [1] }).then(bearer)],
    ['an object for permissions', () => good({ permissions: { 'teams_meeting:read': true } }).then(bearer)],
  ];
  it.each(BAD)('%s', async (_what, make) => {
    await expectUnauthenticated(await make());
  });
});

describe('without a token', () => {
  it('the gateway reads the schema', async () => {
    const response = await ask('{ _service { sdl } }', null);
    expect(response.body.errors).toBeUndefined();
    expect(response.body.data).toMatchObject({ _service: { sdl: expect.stringContaining('type TeamsMeeting') } });
  });

  it('nothing is said of our own entities, whatever their id', async () => {
    const { body } = await ask(
      '{ _entities(representations: [{ __typename: "TeamsMeeting", id: "x" }]) { ... on TeamsMeeting { subject } } }',
      null,
    );
    expect(body.data).toEqual({ _entities: [null] });
    expect(body.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  it('health is told and no header of the answer tells more than it must', async () => {
    const response = await fetch(`${subgraph.url}/health/ready`);
    expect(response.status).toBe(200);
    expect(response.headers.get('x-powered-by')).toBeNull();
  });
});

describe('a token without an end is nobody’s, even when its key is known', () => {
  it('by a key set with that key', async () => {
    const issuer = await issuerWith('k1');
    const token = await new SignJWT(GOOD)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .sign(issuer.key);
    expect(await (await authenticatorFor(await serve(() => ({ keys: [issuer.jwk] }))))(bearer(token))).toBeNull();
  });
});

const servers: Server[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

interface Issuer {
  key: CryptoKey;
  jwk: object;
  token(): Promise<string>;
}

async function issuerWith(kid: string): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const token = () =>
    new SignJWT(GOOD)
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(seconds() + 3600)
      .sign(privateKey);
  return { key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' }, token };
}

/** A key set at an address; a null body is a failing server. */
async function serve(body: () => object | null): Promise<string> {
  const server = createServer((_request, response) => {
    const answer = body();
    response.writeHead(answer === null ? 503 : 200, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify(answer));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
}

const authenticatorFor = (url: string) =>
  createAuthenticator({ jwks: { url }, issuer: ISSUER, audience: AUDIENCE }, () => new Date());

describe('a key set by address', () => {
  it('picks up a new key when the issuer rotates, and forgets the old one', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const [old, young] = [await issuerWith('old'), await issuerWith('young')];
    let keys = [old.jwk];
    const authenticate = await authenticatorFor(await serve(() => ({ keys })));
    expect(await authenticate(bearer(await old.token()))).toMatchObject({ tenantId: 'tenant-a', kind: 'msp' });
    keys = [young.jwk];
    // The key set is asked for again no sooner than half a minute after the last time.
    vi.setSystemTime(Date.now() + 31_000);
    expect(await authenticate(bearer(await young.token()))).toMatchObject({ tenantId: 'tenant-a' });
    expect(await authenticate(bearer(await old.token()))).toBeNull();
  });

  it('that does not answer tells nobody’s token, and lets them in once it does', async () => {
    const issuer = await issuerWith('k1');
    let isUp = false;
    const authenticate = await authenticatorFor(await serve(() => (isUp ? { keys: [issuer.jwk] } : null)));
    await expect(authenticate(bearer(await issuer.token()))).rejects.toThrow(IdentityProviderUnavailableError);
    expect(await authenticate('Bearer no-token')).toBeNull();
    isUp = true;
    expect(await authenticate(bearer(await issuer.token()))).toMatchObject({ id: 'user-1' });
  });

  it('that does not answer is SERVICE_UNAVAILABLE for fields, and no reason to refuse the gateway the schema', async () => {
    const issuer = await issuerWith('k1');
    const alone = await startTestSubgraph({ jwksUrl: await serve(() => null) });
    try {
      const token = await issuer.token();
      const { data, errors } = await alone.send(token, ENTITIES);
      expect(data).toMatchObject({
        _entities: [
          { id: 'appt-1', teamsMeeting: null },
          { id: 'int-1', recordings: null },
        ],
      });
      expect(new Set(errors.map((error) => error.extensions.code))).toEqual(new Set(['SERVICE_UNAVAILABLE']));
      expect((await alone.send(token, '{ _service { sdl } }')).errors).toEqual([]);
    } finally {
      await alone.close();
    }
  });

  it('is asked once for many tokens', async () => {
    const issuer = await issuerWith('k1');
    let asked = 0;
    const authenticate = await authenticatorFor(
      await serve(() => {
        asked += 1;
        return { keys: [issuer.jwk] };
      }),
    );
    const token = bearer(await issuer.token());
    const viewers = await Promise.all(Array.from({ length: 20 }, () => authenticate(token)));
    expect(viewers.filter((viewer) => viewer !== null)).toHaveLength(20);
    expect(asked).toBe(1);
  });
});

describe('the viewer of verified claims', () => {
  it.each([
    ['msp', {}, { kind: 'msp' }],
    ['service', {}, { kind: 'service' }],
    ['msp', { client_id: 'client-acme' }, { kind: 'msp' }],
  ])('of the kind %s with %j', (kind, claims, viewer) => {
    expect(viewerOf({ ...GOOD, kind, ...claims })).toEqual({
      tenantId: 'tenant-a',
      id: 'user-1',
      permissions: new Set(ALL),
      ...viewer,
    });
  });

  it.each([
    [{ client_id: 'client-acme' }, undefined],
    [{ client_id: 'client-acme', contact_id: 'contact-jane' }, 'contact-jane'],
  ])('of the kind client with %j reads, whatever more the token grants', (claims, contactId) => {
    expect(viewerOf({ ...GOOD, kind: 'client', ...claims })).toEqual({
      tenantId: 'tenant-a',
      id: 'user-1',
      permissions: new Set(['teams_meeting:read', 'teams_artifact:read']),
      kind: 'client',
      clientId: 'client-acme',
      contactId,
    });
  });

  it('holds known permissions only', () => {
    expect(viewerOf({ ...GOOD, permissions: ['teams_meeting:read', 'other', ''] })?.permissions).toEqual(
      new Set(['teams_meeting:read']),
    );
  });
});
