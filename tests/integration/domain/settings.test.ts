import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { UNUSED_BLOBS } from '../../support/no-blobs.ts';
import { CONNECT, CREATE, meetingInput, mutate, succeed, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, ALWAYS, auditOf, branches, forgetTokens, mendMicrosoft, newTenant, WITHOUT_WAITS } from './support.ts';

const SETTINGS = `installStatus organizer { userPrincipalName objectId displayName } organizerResolvedAt sendMeetingInvites downloadRecordings showArtifactsInClientPortal artifactRetentionDays meetingDefaults { recordAutomatically lobbyBypass allowedPresenters }`;
const READ = `{ teamsSettings { ${SETTINGS} } teamsMeetingCapability { available reason } }`;
const UPDATE = `mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { settings { ${SETTINGS} } userErrors { code message path remedy } } }`;

interface Settings {
  installStatus: string;
  organizer: { userPrincipalName: string; objectId: string | null; displayName: string | null } | null;
  organizerResolvedAt: string | null;
  sendMeetingInvites: boolean;
  downloadRecordings: boolean;
  showArtifactsInClientPortal: boolean;
  artifactRetentionDays: number | null;
  meetingDefaults: { recordAutomatically: boolean; lobbyBypass: string; allowedPresenters: string };
}

interface UpdateAnswer {
  settings: Settings | null;
  userErrors: UserErrorAnswer[];
}

/** Every switch away from its default, so that a value that is reset by accident shows. */
const CHOSEN = {
  sendMeetingInvites: false,
  downloadRecordings: true,
  showArtifactsInClientPortal: true,
  artifactRetentionDays: 30,
  meetingDefaults: { recordAutomatically: true, lobbyBypass: 'INVITED', allowedPresenters: 'ORGANIZER' },
};

let subgraph: TestSubgraph;
let tenants = 0;

async function tenantWithoutApp(): Promise<{ tenantId: string; admin: string }> {
  tenants += 1;
  return newTenant(subgraph, `tenant-settings-${tenants}`);
}

async function tenantWithApp(): Promise<{ tenantId: string; admin: string }> {
  const tenant = await tenantWithoutApp();
  await succeed(subgraph, tenant.admin, CONNECT, {
    clientId: ACME.clientId,
    directoryId: ACME.directoryId,
    clientSecret: ACME.secret,
  });
  return tenant;
}

/** A tenant in use, with every switch away from its default. */
async function activeTenant(): Promise<{ tenantId: string; admin: string }> {
  const tenant = await tenantWithApp();
  await succeed(subgraph, tenant.admin, UPDATE, {
    ...CHOSEN,
    organizerUserPrincipalName: ACME.organizer,
    installStatus: 'ACTIVE',
  });
  return tenant;
}

const update = (admin: string, input: object) => mutate<UpdateAnswer>(subgraph, admin, UPDATE, input);

async function read(admin: string) {
  const { data, errors } = await subgraph.send<{
    teamsSettings: Settings | null;
    teamsMeetingCapability: { available: boolean; reason: string | null };
  }>(admin, READ);
  expect(errors).toEqual([]);
  return { settings: data?.teamsSettings ?? null, capability: data?.teamsMeetingCapability };
}

beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS, services: { blobs: UNUSED_BLOBS } });
});
afterEach(() => mendMicrosoft(subgraph));
afterAll(() => subgraph.close());

describe('a partial update', () => {
  it('of a tenant that never set anything keeps the defaults for the rest', async () => {
    const { admin } = await tenantWithoutApp();
    expect((await read(admin)).settings).toBeNull();
    const { settings, userErrors } = await update(admin, { downloadRecordings: true });
    expect(userErrors).toEqual([]);
    expect(settings).toEqual({
      installStatus: 'NOT_CONFIGURED',
      organizer: null,
      organizerResolvedAt: null,
      sendMeetingInvites: true,
      downloadRecordings: true,
      showArtifactsInClientPortal: false,
      artifactRetentionDays: null,
      meetingDefaults: { recordAutomatically: false, lobbyBypass: 'ORGANIZATION', allowedPresenters: 'EVERYONE' },
    });
  });

  it.each([
    [{ sendMeetingInvites: true }, { sendMeetingInvites: true }],
    [{ downloadRecordings: false }, { downloadRecordings: false }],
    [{ showArtifactsInClientPortal: false }, { showArtifactsInClientPortal: false }],
    [{ artifactRetentionDays: 90 }, { artifactRetentionDays: 90 }],
    [{ artifactRetentionDays: null }, { artifactRetentionDays: null }],
    [
      { meetingDefaults: { lobbyBypass: 'EVERYONE' } },
      { meetingDefaults: { ...CHOSEN.meetingDefaults, lobbyBypass: 'EVERYONE' } },
    ],
    [
      { meetingDefaults: { allowedPresenters: 'ORGANIZATION' } },
      { meetingDefaults: { ...CHOSEN.meetingDefaults, allowedPresenters: 'ORGANIZATION' } },
    ],
    [
      { meetingDefaults: { recordAutomatically: false } },
      { meetingDefaults: { ...CHOSEN.meetingDefaults, recordAutomatically: false } },
    ],
    [{ installStatus: 'INSTALL_PENDING' }, { installStatus: 'INSTALL_PENDING' }],
    [
      {
        sendMeetingInvites: null,
        downloadRecordings: null,
        showArtifactsInClientPortal: null,
        installStatus: null,
        meetingDefaults: null,
      },
      {},
    ],
    [{}, {}],
  ])('of %j leaves everything else alone', async (input, changed) => {
    const { admin } = await activeTenant();
    const before = (await read(admin)).settings;
    expect(before).toMatchObject({ ...CHOSEN, installStatus: 'ACTIVE' });
    const { settings, userErrors } = await update(admin, input);
    expect(userErrors).toEqual([]);
    expect(settings).toEqual({ ...before, ...changed });
    expect((await read(admin)).settings).toEqual(settings);
  });
});

describe('the organizer', () => {
  it('is looked up at once and saved with object id and name', async () => {
    const { admin } = await tenantWithApp();
    const { settings, userErrors } = await update(admin, {
      organizerUserPrincipalName: `  ${ACME.organizer.toUpperCase()} `,
    });
    expect(userErrors).toEqual([]);
    expect(settings?.organizer).toEqual({
      userPrincipalName: ACME.organizer,
      objectId: ACME.organizerId,
      displayName: 'Acme scheduling',
    });
    expect(settings?.organizerResolvedAt).toMatch(/Z$/);
  });

  it.each([
    ['no address', 'scheduling'],
    ['two at signs', 'a@b@acme.example'],
    ['a space inside', 'meeting room@acme.example'],
    ['far too long', `${'a'.repeat(320)}@acme.example`],
  ])('that is %s is refused without asking Microsoft', async (_name, organizerUserPrincipalName) => {
    const { admin } = await tenantWithApp();
    await subgraph.simulator.clearRequests();
    const { userErrors } = await update(admin, { organizerUserPrincipalName });
    expect(branches(userErrors)).toEqual([{ code: 'INVALID_INPUT', path: 'input.organizerUserPrincipalName' }]);
    expect(await subgraph.simulator.requests()).toEqual([]);
  });

  it('that nobody in the directory is, is refused and the old one stays', async () => {
    const { admin } = await activeTenant();
    const before = (await read(admin)).settings;
    const { settings, userErrors } = await update(admin, {
      organizerUserPrincipalName: 'nobody@acme.example',
      downloadRecordings: false,
    });
    expect(branches(userErrors)).toEqual([{ code: 'ORGANIZER_NOT_FOUND', path: 'input.organizerUserPrincipalName' }]);
    expect(userErrors[0]?.remedy).toMatch(/user principal name/);
    expect(settings).toBeNull();
    expect((await read(admin)).settings).toEqual(before);
  });

  it('cannot be looked up without User.Read.All, and the remedy says so', async () => {
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { roles: ['Calendars.ReadWrite'] });
    const { tenantId, admin } = await tenantWithApp();
    await forgetTokens(subgraph, tenantId);
    const { userErrors } = await update(admin, { organizerUserPrincipalName: ACME.organizer });
    expect(branches(userErrors)).toEqual([{ code: 'PERMISSION_MISSING', path: 'input.organizerUserPrincipalName' }]);
    expect(userErrors[0]?.message).toMatch(/look users up/);
    expect(userErrors[0]?.remedy).toMatch(/User\.Read\.All.*grant admin consent/);
    expect((await read(admin)).settings?.organizer).toBeNull();
  });

  it('cannot be looked up with a credential that Microsoft rejects by now', async () => {
    const { tenantId, admin } = await tenantWithApp();
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { secrets: [{ value: 'rotated-at-entra' }] });
    await forgetTokens(subgraph, tenantId);
    const { userErrors } = await update(admin, { organizerUserPrincipalName: ACME.organizer });
    expect(branches(userErrors)).toEqual([{ code: 'CREDENTIALS_REJECTED', path: 'input.organizerUserPrincipalName' }]);
    expect(userErrors[0]?.remedy).toMatch(/new client secret/);
    expect((await read(admin)).settings?.organizer).toBeNull();
  });

  it('is not saved while nothing answers at all', async () => {
    const { admin } = await tenantWithApp();
    await subgraph.simulator.addFault({ match: { path: '/users/' }, cut: 'before', times: ALWAYS });
    const { userErrors } = await update(admin, { organizerUserPrincipalName: ACME.organizer });
    expect(branches(userErrors)).toEqual([{ code: 'GRAPH_UNAVAILABLE', path: 'input.organizerUserPrincipalName' }]);
    expect(userErrors[0]?.remedy).toMatch(/network/);
  });

  it('cannot be looked up before an app is connected', async () => {
    const { admin } = await tenantWithoutApp();
    const { userErrors } = await update(admin, { organizerUserPrincipalName: ACME.organizer });
    expect(branches(userErrors)).toEqual([{ code: 'NOT_CONFIGURED', path: 'input.organizerUserPrincipalName' }]);
    expect((await read(admin)).settings).toBeNull();
  });

  it.each([
    [503, 'GRAPH_UNAVAILABLE'],
    [500, 'GRAPH_UNAVAILABLE'],
    [429, 'GRAPH_THROTTLED'],
  ])('is not saved while Graph answers %i', async (status, code) => {
    const { admin } = await tenantWithApp();
    await subgraph.simulator.addFault({ match: { path: '/users/' }, status, times: ALWAYS });
    const { userErrors } = await update(admin, { organizerUserPrincipalName: ACME.organizer });
    expect(branches(userErrors)).toEqual([{ code, path: 'input.organizerUserPrincipalName' }]);
    expect((await read(admin)).settings?.organizer).toBeNull();
  });

  it('is removed by null, which also stops an active installation', async () => {
    const { admin } = await activeTenant();
    const { settings, userErrors } = await update(admin, { organizerUserPrincipalName: null });
    expect(userErrors).toEqual([]);
    expect(settings).toMatchObject({
      installStatus: 'INSTALL_PENDING',
      organizer: null,
      organizerResolvedAt: null,
      ...CHOSEN,
    });
    expect((await read(admin)).capability).toEqual({ available: false, reason: expect.any(String) });
  });
});

describe('activation', () => {
  it('is refused with everything that is missing named at once', async () => {
    const { admin } = await tenantWithoutApp();
    const { userErrors } = await update(admin, { installStatus: 'ACTIVE' });
    expect(branches(userErrors)).toEqual([
      { code: 'NOT_CONFIGURED', path: 'input.installStatus' },
      { code: 'NOT_CONFIGURED', path: 'input.installStatus' },
    ]);
    expect(userErrors.map(({ message }) => message).join(' ')).toMatch(/Microsoft app.*organizer/);
  });

  it('is refused without an organizer, and works in the same call that names one', async () => {
    const { admin } = await tenantWithApp();
    expect(branches((await update(admin, { installStatus: 'ACTIVE' })).userErrors)).toEqual([
      { code: 'NOT_CONFIGURED', path: 'input.installStatus' },
    ]);
    expect(
      (await update(admin, { installStatus: 'ACTIVE', organizerUserPrincipalName: ACME.organizer })).settings
        ?.installStatus,
    ).toBe('ACTIVE');
    expect((await read(admin)).capability).toEqual({ available: true, reason: null });
  });

  it('is refused while the organizer belongs to an app of before, and says to save it again', async () => {
    const { admin } = await activeTenant();
    await succeed(subgraph, admin, CONNECT, {
      clientId: ACME.clientId,
      directoryId: 'acme.example',
      clientSecret: ACME.secret,
    });
    const { userErrors } = await update(admin, { installStatus: 'ACTIVE' });
    expect(userErrors).toMatchObject([
      {
        code: 'NOT_CONFIGURED',
        message: expect.stringMatching(/not been found/),
        remedy: expect.stringMatching(/again/),
      },
    ]);
  });

  it('is refused in the same call that removes the organizer', async () => {
    const { admin } = await activeTenant();
    const { userErrors } = await update(admin, { installStatus: 'ACTIVE', organizerUserPrincipalName: null });
    expect(branches(userErrors)).toEqual([{ code: 'NOT_CONFIGURED', path: 'input.installStatus' }]);
    expect((await read(admin)).settings).toMatchObject({
      installStatus: 'ACTIVE',
      organizer: { objectId: ACME.organizerId },
    });
  });

  it.each(['NOT_CONFIGURED', 'ERROR'])('status %s is told by the product and cannot be set', async (installStatus) => {
    const { admin } = await activeTenant();
    const { userErrors } = await update(admin, { installStatus });
    expect(branches(userErrors)).toEqual([{ code: 'INVALID_INPUT', path: 'input.installStatus' }]);
    expect((await read(admin)).settings?.installStatus).toBe('ACTIVE');
  });

  it('can be paused, and no meeting is made meanwhile', async () => {
    const { admin } = await activeTenant();
    await succeed(subgraph, admin, UPDATE, { installStatus: 'INSTALL_PENDING' });
    expect((await read(admin)).capability).toEqual({ available: false, reason: 'NOT_ACTIVE' });
    const { userErrors } = await mutate<UpdateAnswer>(subgraph, admin, CREATE, meetingInput());
    expect(userErrors).toMatchObject([{ code: 'NOT_ACTIVE' }]);
    await succeed(subgraph, admin, UPDATE, { installStatus: 'ACTIVE' });
    expect((await read(admin)).capability).toEqual({ available: true, reason: null });
  });
});

describe('the retention', () => {
  it.each([0, 1, 36_500])('of %i days is taken', async (artifactRetentionDays) => {
    const { admin } = await tenantWithoutApp();
    expect((await update(admin, { artifactRetentionDays })).settings?.artifactRetentionDays).toBe(
      artifactRetentionDays,
    );
  });

  it.each([-1, 36_501, -2_147_483_648])('of %i days is refused', async (artifactRetentionDays) => {
    const { admin } = await tenantWithoutApp();
    expect(branches((await update(admin, { artifactRetentionDays })).userErrors)).toEqual([
      { code: 'INVALID_INPUT', path: 'input.artifactRetentionDays' },
    ]);
    expect((await read(admin)).settings).toBeNull();
  });
});

it('every error of an update is told at once, and then nothing of it is stored', async () => {
  const { admin } = await activeTenant();
  const before = (await read(admin)).settings;
  const { userErrors } = await update(admin, {
    artifactRetentionDays: -1,
    organizerUserPrincipalName: 'nonsense',
    installStatus: 'ERROR',
    downloadRecordings: false,
  });
  expect(branches(userErrors)).toEqual([
    { code: 'INVALID_INPUT', path: 'input.artifactRetentionDays' },
    { code: 'INVALID_INPUT', path: 'input.organizerUserPrincipalName' },
    { code: 'INVALID_INPUT', path: 'input.installStatus' },
  ]);
  expect((await read(admin)).settings).toEqual(before);
});

it('who changed which settings stands in the audit trail, a refused change does not', async () => {
  const { tenantId, admin } = await tenantWithApp();
  await succeed(subgraph, admin, UPDATE, { organizerUserPrincipalName: ACME.organizer, downloadRecordings: true });
  await update(admin, { artifactRetentionDays: -1 });
  const rows = await auditOf(subgraph, tenantId, 'update-settings');
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ actor: expect.stringMatching(/^msp:.+/), outcome: 'success', meeting_id: null });
  expect(rows[0]?.detail.changed).toEqual(
    expect.arrayContaining(['organizerUpn', 'organizerObjectId', 'downloadRecordings']),
  );
  expect(rows[0]?.detail.changed).not.toContain('sendMeetingInvites');
});
