import { describe, expect, it } from 'vitest';
import type { MicrosoftCloudName } from '../../../src/graph/types.ts';
import type { DiagnosticsReport } from '../../../src/services/diagnostics/report.ts';
import type { ConnectedMicrosoftApp } from '../../../src/services/microsoft-app/microsoft-app.ts';
import type { Settings } from '../../../src/services/settings/settings.ts';
import { createSetupGuideService, type SetupStep } from '../../../src/services/setup-guide/setup-guide.ts';
import type { CheckStatus, Verification } from '../../../src/services/verification/checklist.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';

const APP: ConnectedMicrosoftApp = {
  clientId: '11111111-1111-4111-8111-111111111111',
  directoryId: 'msp.example',
  cloud: 'GLOBAL',
  credentialKind: 'CLIENT_SECRET',
  credentialHint: 'abc…',
  credentialExpiresAt: null,
  servicePrincipalId: '22222222-2222-4222-8222-222222222222',
};
const SETTINGS: Settings = {
  installStatus: 'ACTIVE',
  organizerUpn: 'meetings@msp.example',
  organizerObjectId: 'object',
  organizerDisplayName: null,
  organizerResolvedAt: null,
  sendMeetingInvites: true,
  downloadRecordings: false,
  showArtifactsInClientPortal: false,
  artifactRetentionDays: null,
  transcriptLanguage: null,
  recordAutomatically: false,
  lobbyBypass: 'ORGANIZATION',
  meetingDefaultsChosen: [],
  allowedPresenters: 'EVERYONE',
  updatedAt: new Date(0),
};
const EARLIER = new Date('2026-11-01T00:00:00Z');
const LATER = new Date('2026-11-02T00:00:00Z');

interface Known {
  app?: ConnectedMicrosoftApp | null;
  settings?: Settings | null;
  verification?: Verification | null;
  diagnosis?: DiagnosticsReport | null;
}

function guide({ app = APP, settings = SETTINGS, verification = null, diagnosis = null }: Known = {}) {
  const scope = { viewer: backgroundViewer('tenant-a'), db: null as never };
  return createSetupGuideService(
    { find: async () => app },
    { find: async () => settings, latestVerification: async () => verification },
    { latest: async () => diagnosis },
  ).get(scope);
}

const check = (name: string, status: CheckStatus) => ({
  name,
  status,
  detail: '',
  remedy: null,
  durationMs: 0,
  graphRequestId: null,
});

function verificationOf(checks: Record<string, CheckStatus>, ranAt = EARLIER): Verification {
  const outcome = Object.values(checks).includes('FAIL') ? 'GRAPH_ERROR' : 'VERIFIED';
  return { outcome, checks: Object.entries(checks).map(([name, status]) => check(name, status)), ranAt };
}

function diagnosisOf(steps: Record<string, CheckStatus>, ranAt = LATER): DiagnosticsReport {
  return {
    overall: 'WARN',
    steps: Object.entries(steps).map(([name, status]) => ({ ...check(name, status), title: name })),
    permissions: [],
    recommendations: [],
    ranAt,
  };
}

const statusOf = (steps: SetupStep[], title: RegExp) => steps.find((step) => title.test(step.title))?.status;

describe('the setup guide', () => {
  it('numbers its steps and puts the tenant’s values into the scripts', async () => {
    const steps = await guide();
    expect(steps.map((step) => step.number)).toEqual(steps.map((_, index) => index + 1));
    const scripts = steps.map((step) => step.script ?? '').join('\n');
    expect(scripts).toContain(`-AppIds '${APP.clientId}'`);
    expect(scripts).toContain(`-ObjectId '${APP.servicePrincipalId}'`);
    expect(scripts).toContain("-Identity 'meetings@msp.example'");
    expect(scripts).toContain(`-RecipientRestrictionFilter "UserPrincipalName -eq 'meetings@msp.example'"`);
    expect(scripts).toContain("-PolicyScopeGroupId 'teams-meeting-organizers@msp.example'");
    expect(scripts).not.toContain('<');
  });

  it('shows places to fill in before anything is known', async () => {
    const steps = await guide({ app: null, settings: null });
    const scripts = steps.map((step) => step.script ?? '').join('\n');
    expect(scripts).toContain("'<client id of the app registration>'");
    expect(scripts).toContain("'<user principal name of the organizer>'");
    expect(scripts).toContain("'<object id of the enterprise application>'");
    expect(steps.map(({ status }) => status)).toEqual(steps.map(() => 'SKIP'));
  });

  it('has both ways to limit the mailbox, the old one marked so and after the other', async () => {
    const titles = (await guide()).map(({ title }) => title);
    expect(titles.findIndex((title) => /legacy/.test(title))).toBe(
      titles.findIndex((title) => /^Limit/.test(title)) + 1,
    );
  });

  it.each<[MicrosoftCloudName, string]>([
    ['GLOBAL', 'https://login.microsoftonline.com/msp.example/adminconsent?client_id='],
    ['US_GOV_L4', 'https://login.microsoftonline.us/msp.example/adminconsent?client_id='],
    ['US_GOV_L5', 'https://login.microsoftonline.us/msp.example/adminconsent?client_id='],
    ['CHINA', 'https://login.partner.microsoftonline.cn/msp.example/adminconsent?client_id='],
  ])('in %s asks for consent where the cloud signs in', async (cloud, link) => {
    const steps = await guide({ app: { ...APP, cloud } });
    expect(steps.find(({ title }) => /permissions$/.test(title))?.instructions).toContain(`${link}${APP.clientId}`);
    const all = steps.map(({ instructions, script }) => `${instructions}${script}`).join('\n');
    if (cloud !== 'GLOBAL') expect(all).not.toMatch(/microsoft\.com|microsoftonline\.com/);
  });
});

describe('the status of a step', () => {
  it('comes from the verification', async () => {
    const verification = verificationOf({ secret: 'PASS', roles: 'WARN', 'exchange-scope': 'PASS', policy: 'FAIL' });
    const steps = await guide({ verification });
    expect(
      [/^Connect/, /permissions$/, /^Limit/, /legacy/, /in Teams$/, /^Verify/, /^Diagnose/].map((title) =>
        statusOf(steps, title),
      ),
    ).toEqual(['PASS', 'WARN', 'PASS', 'PASS', 'FAIL', 'FAIL', 'SKIP']);
  });

  it.each([
    ['diagnosis', EARLIER, LATER, 'FAIL'],
    ['verification', LATER, EARLIER, 'PASS'],
  ] as const)('is the newer one’s, here the %s’s', async (_which, verified, diagnosed, status) => {
    const steps = await guide({
      verification: verificationOf({ policy: 'PASS' }, verified),
      diagnosis: diagnosisOf({ 'microsoft-policy': 'FAIL' }, diagnosed),
    });
    expect(statusOf(steps, /in Teams$/)).toBe(status);
  });

  it('is the older one’s where the newer did not look', async () => {
    const steps = await guide({
      verification: verificationOf({ 'transcript-access': 'FAIL' }, EARLIER),
      diagnosis: diagnosisOf({ queue: 'PASS' }, LATER),
    });
    expect(statusOf(steps, /transcripts$/)).toBe('FAIL');
  });

  it('is the worst of those that concern it', async () => {
    const steps = await guide({
      diagnosis: diagnosisOf({ 'microsoft-transcript-access': 'PASS', 'microsoft-transcript-attribution': 'WARN' }),
    });
    expect(statusOf(steps, /transcripts$/)).toBe('WARN');
  });

  it.each([
    [true, 'PASS'],
    [false, 'FAIL'],
    [null, 'SKIP'],
  ] as const)('of the permissions comes from a diagnosis that lists them: %s', async (grantedInToken, status) => {
    const diagnosis = {
      ...diagnosisOf({}),
      permissions: [{ name: 'User.Read.All', grantedInToken, usedFor: 'x', required: true }],
    };
    expect(statusOf(await guide({ diagnosis }), /permissions$/)).toBe(status);
  });

  it('of an app whose credential fails is not PASS because it is connected', async () => {
    expect(statusOf(await guide({ verification: verificationOf({ secret: 'FAIL' }) }), /^Connect/)).toBe('FAIL');
  });
});
