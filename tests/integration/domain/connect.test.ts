import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  activate,
  CONNECT,
  CREATE,
  meetingInput,
  mutate,
  succeed,
  UPDATE_SETTINGS,
  type UserErrorAnswer,
} from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { selfSignedCertificate } from '../../unit/graph/certificate.ts';
import {
  ACME,
  ALWAYS,
  ANY_TOKEN,
  auditOf,
  branches,
  everythingStored,
  mendMicrosoft,
  newTenant,
  TOKEN_ENDPOINT,
  WITHOUT_WAITS,
} from './support.ts';

interface ConnectAnswer {
  settings: {
    installStatus: string;
    microsoftApp: {
      clientId: string;
      directoryId: string;
      cloud: string;
      credentialKind: string;
      credentialHint: string;
      credentialExpiresAt: string | null;
    } | null;
    organizer: { userPrincipalName: string; objectId: string | null } | null;
  } | null;
  userErrors: UserErrorAnswer[];
}

const WRONG_SECRET = 'not-the-secret-at-all';
const UNKNOWN_ID = '99999999-9999-4999-8999-999999999999';

let subgraph: TestSubgraph;
let tenants = 0;

/** Connects an app for a tenant that nobody used before; a field of `over` that is undefined is left out. */
async function connectAnew(over: object = {}) {
  tenants += 1;
  const tenant = await newTenant(subgraph, `tenant-connect-${tenants}`);
  const answer = await connect(tenant.admin, over);
  return { ...tenant, ...answer };
}

function connect(admin: string, over: object = {}): Promise<ConnectAnswer> {
  return mutate<ConnectAnswer>(subgraph, admin, CONNECT, {
    clientId: ACME.clientId,
    directoryId: ACME.directoryId,
    clientSecret: ACME.secret,
    ...over,
  });
}

async function storedApps(tenantId: string): Promise<{ credential_ciphertext: string; credential_hint: string }[]> {
  return subgraph.database.query('SELECT * FROM microsoft_apps WHERE tenant_id = $1', [tenantId]);
}

async function expectNothingStored(tenantId: string): Promise<void> {
  expect(await storedApps(tenantId)).toEqual([]);
  expect(await auditOf(subgraph, tenantId, 'connect-microsoft-app')).toEqual([]);
}

beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: { ...WITHOUT_WAITS, perTryTimeoutMs: 2_500, maxTries: 2 } });
});
afterEach(() => mendMicrosoft(subgraph));
afterAll(() => subgraph.close());

describe('connecting with a client secret', () => {
  it('connects, leaves the install pending and shows only a hint of the secret', async () => {
    const { tenantId, settings, userErrors } = await connectAnew();
    expect(userErrors).toEqual([]);
    expect(settings).toEqual({
      installStatus: 'INSTALL_PENDING',
      microsoftApp: {
        clientId: ACME.clientId,
        directoryId: ACME.directoryId,
        cloud: 'GLOBAL',
        credentialKind: 'CLIENT_SECRET',
        credentialHint: 'sim…',
        credentialExpiresAt: null,
      },
      organizer: null,
    });
    expect(await auditOf(subgraph, tenantId, 'connect-microsoft-app')).toMatchObject([
      {
        outcome: 'success',
        detail: {
          clientId: ACME.clientId,
          directoryId: ACME.directoryId,
          cloud: 'GLOBAL',
          credentialKind: 'CLIENT_SECRET',
          replaced: false,
        },
      },
    ]);
  });

  it('takes ids in capitals', async () => {
    const { settings, userErrors } = await connectAnew({
      clientId: ACME.clientId.toUpperCase(),
      directoryId: ACME.directoryId.toUpperCase(),
    });
    expect(userErrors).toEqual([]);
    expect(settings?.microsoftApp).toMatchObject({ clientId: ACME.clientId, directoryId: ACME.directoryId });
  });

  it('takes a domain name of the directory in place of its id', async () => {
    const { userErrors } = await connectAnew({ directoryId: 'acme.example' });
    expect(userErrors).toEqual([]);
  });

  it.each([
    ['a wrong secret', { clientSecret: WRONG_SECRET }, 'input.clientSecret', /rejected the credential/],
    ['an unknown app', { clientId: UNKNOWN_ID }, 'input.clientId', /does not know this app registration/],
    ['an unknown directory', { directoryId: UNKNOWN_ID }, 'input.directoryId', /does not know this directory/],
    ['an unknown domain', { directoryId: 'nobody.example' }, 'input.directoryId', /does not know this directory/],
  ])('tells %s from the other mistakes, and stores nothing', async (_name, over, path, message) => {
    const { tenantId, settings, userErrors } = await connectAnew(over);
    expect(branches(userErrors)).toEqual([{ code: 'CREDENTIALS_REJECTED', path }]);
    expect(userErrors[0]?.message).toMatch(message);
    expect(userErrors[0]?.remedy).toEqual(expect.stringMatching(/\S/));
    expect(settings).toBeNull();
    await expectNothingStored(tenantId);
  });

  it('refuses an expired secret and says to make a new one', async () => {
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, {
      secrets: [{ value: ACME.secret, expiresAt: '2020-01-01T00:00:00Z' }],
    });
    const { tenantId, userErrors } = await connectAnew();
    expect(branches(userErrors)).toEqual([{ code: 'CREDENTIALS_REJECTED', path: 'input.clientSecret' }]);
    expect(userErrors[0]?.message).toMatch(/expired/);
    expect(userErrors[0]?.remedy).toMatch(/new client secret/);
    await expectNothingStored(tenantId);
  });

  it('refuses an app that is disabled in the directory', async () => {
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { disabled: true });
    const { tenantId, userErrors } = await connectAnew();
    expect(userErrors).toMatchObject([{ code: 'CREDENTIALS_REJECTED' }]);
    await expectNothingStored(tenantId);
  });
});

describe('input that is wrong in itself', () => {
  const { certificatePem, privateKeyPem } = selfSignedCertificate();
  it.each([
    [
      'the id of a secret instead of its value',
      { clientSecret: UNKNOWN_ID },
      ['input.clientSecret'],
      /id of a client secret/,
    ],
    ['a secret and a certificate', { certificatePem, privateKeyPem }, ['input.clientSecret'], /either/],
    ['no credential', { clientSecret: undefined }, ['input.clientSecret'], /either/],
    ['an empty secret', { clientSecret: '' }, ['input.clientSecret'], /either/],
    ['a client id that is no GUID', { clientId: 'my app' }, ['input.clientId'], /not a GUID/],
    [
      'a directory id that is neither GUID nor domain',
      { directoryId: 'my directory' },
      ['input.directoryId'],
      /neither/,
    ],
    ['a directory id that climbs out of its path', { directoryId: '../common' }, ['input.directoryId'], /neither/],
    ['a certificate without its key', { clientSecret: undefined, certificatePem }, ['input.privateKeyPem'], /missing/],
    ['a key without its certificate', { clientSecret: undefined, privateKeyPem }, ['input.certificatePem'], /missing/],
    [
      'everything at once',
      { clientId: '1', directoryId: '2', clientSecret: undefined },
      ['input.clientId', 'input.directoryId', 'input.clientSecret'],
      /not a GUID/,
    ],
  ])('refuses %s without asking Microsoft', async (_name, over, paths, message) => {
    await subgraph.simulator.clearRequests();
    const { tenantId, userErrors } = await connectAnew(over);
    expect(branches(userErrors)).toEqual(paths.map((path) => ({ code: 'INVALID_INPUT', path })));
    expect(userErrors[0]?.message).toMatch(message);
    expect(await subgraph.simulator.requests()).toEqual([]);
    await expectNothingStored(tenantId);
  });
});

describe('connecting with a certificate', () => {
  const good = selfSignedCertificate();
  const other = selfSignedCertificate();
  const expired = selfSignedCertificate({ notAfter: '210101000000Z' });
  const withCertificate = (certificatePem: string, privateKeyPem: string) => ({
    clientSecret: undefined,
    certificatePem,
    privateKeyPem,
  });

  it('connects, and shows the thumbprint and the expiry', async () => {
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { certificates: [good.certificatePem] });
    const { settings, userErrors } = await connectAnew(withCertificate(good.certificatePem, good.privateKeyPem));
    expect(userErrors).toEqual([]);
    expect(settings?.microsoftApp).toMatchObject({
      credentialKind: 'CERTIFICATE',
      credentialExpiresAt: '2049-12-31T23:59:59.000Z',
    });
    expect(settings?.microsoftApp?.credentialHint).toMatch(/^([0-9A-F]{2}:){3}[0-9A-F]{2}$/);
  });

  it('refuses a certificate that is not registered with the app, at the certificate', async () => {
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { certificates: [good.certificatePem] });
    const { tenantId, userErrors } = await connectAnew(withCertificate(other.certificatePem, other.privateKeyPem));
    expect(branches(userErrors)).toEqual([{ code: 'CREDENTIALS_REJECTED', path: 'input.certificatePem' }]);
    await expectNothingStored(tenantId);
  });

  it.each([
    [
      'an expired certificate',
      withCertificate(expired.certificatePem, expired.privateKeyPem),
      'input.certificatePem',
      /expired on 2021-01-01/,
    ],
    [
      'a key of another certificate',
      withCertificate(good.certificatePem, other.privateKeyPem),
      'input.privateKeyPem',
      /does not belong/,
    ],
    [
      'garbage as certificate',
      withCertificate('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', good.privateKeyPem),
      'input.certificatePem',
      /not a PEM certificate/,
    ],
    [
      'garbage as key',
      withCertificate(good.certificatePem, 'not a key'),
      'input.privateKeyPem',
      /not an unencrypted PEM/,
    ],
  ])('refuses %s', async (_name, over, path, message) => {
    const { tenantId, userErrors } = await connectAnew(over);
    expect(branches(userErrors)).toEqual([{ code: 'INVALID_INPUT', path }]);
    expect(userErrors[0]?.message).toMatch(message);
    await expectNothingStored(tenantId);
  });
});

describe('while Microsoft Entra is in trouble', () => {
  it.each([
    ['answers 503', { status: 503 }, 'GRAPH_UNAVAILABLE'],
    ['answers 500 with HTML', { status: 500, body: '<html>oops</html>' }, 'GRAPH_UNAVAILABLE'],
    ['answers 429', { status: 429, headers: { 'retry-after': '30' } }, 'GRAPH_THROTTLED'],
    ['cuts the connection', { cut: 'before' as const }, 'GRAPH_UNAVAILABLE'],
    ['does not answer in time', { delayMs: 60_000 }, 'GRAPH_UNAVAILABLE'],
  ])('when it %s, nothing is stored and the next try goes through', async (_name, fault, code) => {
    await subgraph.simulator.addFault({ ...fault, match: { path: TOKEN_ENDPOINT }, times: ALWAYS });
    const { tenantId, admin, userErrors } = await connectAnew();
    expect(userErrors).toMatchObject([{ code, path: null }]);
    expect(userErrors[0]?.remedy).toEqual(expect.stringMatching(/\S/));
    await expectNothingStored(tenantId);
    await subgraph.simulator.clearFaults();
    expect((await connect(admin)).userErrors).toEqual([]);
  });
});

describe('replacing the app', () => {
  it('keeps the old app working when the new credential is rejected', async () => {
    const { tenantId, admin } = await connectAnew();
    await succeed(subgraph, admin, UPDATE_SETTINGS, {
      organizerUserPrincipalName: ACME.organizer,
      installStatus: 'ACTIVE',
    });
    const before = await storedApps(tenantId);
    expect(await connect(admin, { clientSecret: WRONG_SECRET })).toMatchObject({
      settings: null,
      userErrors: [{ code: 'CREDENTIALS_REJECTED' }],
    });
    expect(await storedApps(tenantId)).toEqual(before);
    const { meeting } = await succeed<{ meeting: { status: string }; userErrors: UserErrorAnswer[] }>(
      subgraph,
      admin,
      CREATE,
      meetingInput({ appointmentId: 'still-working' }),
    );
    expect(meeting.status).toBe('SCHEDULED');
  });

  it('a new secret of the same app changes nothing but the credential', async () => {
    const { admin } = await connectAnew();
    await succeed(subgraph, admin, UPDATE_SETTINGS, {
      organizerUserPrincipalName: ACME.organizer,
      installStatus: 'ACTIVE',
    });
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, {
      secrets: [{ value: 'rotated-secret-value' }],
    });
    const { settings, userErrors } = await connect(admin, { clientSecret: 'rotated-secret-value' });
    expect(userErrors).toEqual([]);
    expect(settings).toMatchObject({
      installStatus: 'ACTIVE',
      microsoftApp: { credentialHint: 'rot…' },
      organizer: { objectId: ACME.organizerId },
    });
  });

  it.each([
    ['another app', { clientId: 'aaaaaaaa-0000-4000-8000-000000000002', clientSecret: 'second-app-secret' }],
    [
      'another directory',
      {
        directoryId: '22222222-2222-4222-8222-222222222222',
        clientId: 'bbbbbbbb-0000-4000-8000-000000000001',
        clientSecret: 'simulator-secret-tenant-b',
      },
    ],
  ])('%s makes the install pending and the organizer unresolved', async (_name, over) => {
    await subgraph.simulator.putApp({
      directoryId: ACME.directoryId,
      clientId: 'aaaaaaaa-0000-4000-8000-000000000002',
      secrets: [{ value: 'second-app-secret' }],
    });
    const { tenantId, admin } = await connectAnew();
    await succeed(subgraph, admin, UPDATE_SETTINGS, {
      organizerUserPrincipalName: ACME.organizer,
      installStatus: 'ACTIVE',
    });
    const { settings, userErrors } = await connect(admin, over);
    expect(userErrors).toEqual([]);
    expect(settings).toMatchObject({
      installStatus: 'INSTALL_PENDING',
      organizer: { userPrincipalName: ACME.organizer, objectId: null },
    });
    expect(await auditOf(subgraph, tenantId, 'connect-microsoft-app')).toMatchObject([
      { detail: { replaced: false } },
      { detail: { replaced: true } },
    ]);
    const refused = await mutate<{ meeting: null; userErrors: UserErrorAnswer[] }>(
      subgraph,
      admin,
      CREATE,
      meetingInput(),
    );
    expect(refused).toMatchObject({ meeting: null, userErrors: [{ code: 'NOT_CONFIGURED' }] });
  });
});

describe('secrets', () => {
  it('are stored as ciphertext only', async () => {
    const { tenantId } = await connectAnew();
    const [row] = await storedApps(tenantId);
    expect(row?.credential_ciphertext).toMatch(/^v1:test:[\w-]{16}:[\w-]+$/);
    const [again] = await storedApps((await connectAnew()).tenantId);
    expect(again?.credential_ciphertext).not.toBe(row?.credential_ciphertext);
  });

  it('stand in no table, no log line and no answer, whether they were right or wrong', async () => {
    const certificate = selfSignedCertificate();
    await activate(subgraph);
    await connectAnew({ clientSecret: WRONG_SECRET });
    const { userErrors } = await connectAnew({ clientSecret: undefined, ...certificate });
    expect(JSON.stringify(userErrors)).not.toContain('PRIVATE KEY');
    await subgraph.simulator.addFault({ match: { path: TOKEN_ENDPOINT }, cut: 'before', times: ALWAYS });
    await connectAnew();
    const places = { tables: await everythingStored(subgraph), logs: JSON.stringify(subgraph.logs) };
    expect(places.logs.length).toBeGreaterThan(1000);
    const keyLine = certificate.privateKeyPem.split('\n')[2] ?? 'no key';
    for (const [place, text] of Object.entries(places)) {
      for (const secret of [ACME.secret, WRONG_SECRET, keyLine, 'PRIVATE KEY', 'client_assertion']) {
        expect(text.includes(secret), `${secret.slice(0, 12)}… in ${place}`).toBe(false);
      }
      expect(text.match(ANY_TOKEN), `a token in ${place}`).toBeNull();
    }
  });
});
