import { describe, expect, it } from 'vitest';
import type { MicrosoftAppService } from '../../../src/services/microsoft-app/microsoft-app.ts';
import type { Scope } from '../../../src/services/scope.ts';
import type { SettingsService } from '../../../src/services/settings/settings.ts';
import { createSetupGuideService, quotePowerShell } from '../../../src/services/setup-guide/setup-guide.ts';
import type { Verification } from '../../../src/services/verification/checklist.ts';

describe('text in a PowerShell command', () => {
  it.each([
    ['meetings@msp.example', "'meetings@msp.example'"],
    ["o'neil@msp.example", "'o''neil@msp.example'"],
    ['a‘b’c‚d‛e', "'a‘‘b’’c‚‚d‛‛e'"],
    ['$(Remove-Item *)', "'$(Remove-Item *)'"],
    ['`"; Remove-Item *', "'`\"; Remove-Item *'"],
    ["x'; Remove-Item *; '", "'x''; Remove-Item *; '''"],
    ['line\r\nRemove-Item *', "'lineRemove-Item *'"],
    ['\u0000\u0085', "''"],
    ['', "''"],
  ])('%j stays the text %s', (text, quoted) => {
    expect(quotePowerShell(text)).toBe(quoted);
  });
});

const scope = {} as Scope;

function guide(organizerUpn: string | null, verification: Verification | null = null) {
  const app = { find: async () => ({ clientId: 'app-id' }) } as unknown as MicrosoftAppService;
  const settings = {
    find: async () => ({ organizerUpn, installStatus: 'ACTIVE' }),
    latestVerification: async () => verification,
  } as unknown as SettingsService;
  return createSetupGuideService(app, settings).get(scope);
}

describe('the setup guide', () => {
  it('numbers its steps and puts the tenant’s values into the scripts', async () => {
    const steps = await guide('meetings@msp.example');
    expect(steps.map((step) => step.number)).toEqual(steps.map((_, index) => index + 1));
    const scripts = steps.map((step) => step.script ?? '').join('\n');
    expect(scripts).toContain("-AppIds 'app-id'");
    expect(scripts).toContain("-Identity 'meetings@msp.example'");
    expect(scripts).toContain(`-RecipientRestrictionFilter "UserPrincipalName -eq 'meetings@msp.example'"`);
  });

  it('shows a place to fill in before an organizer is saved', async () => {
    expect((await guide(null)).map((step) => step.script).join('\n')).toContain(
      "'<user principal name of the organizer>'",
    );
  });

  it.each([
    'a"b@x.example',
    'a“b@x.example',
    'a”b@x.example',
    'a„b@x.example',
    'a$(calc)@x.example',
    'a`b@x.example',
    "a'b@x.example",
  ])('lets the organizer %s end no string of a script', async (upn) => {
    const scripts = (await guide(upn)).map((step) => step.script ?? '').join('\n');
    const filter = /-RecipientRestrictionFilter "(.*)"$/m.exec(scripts)?.[1] ?? '';
    expect(filter).toContain('UserPrincipalName -eq');
    expect(filter.replace(/`./gu, '')).not.toMatch(/["“”„$`]/u);
    for (const [, content = ''] of scripts.matchAll(/-PolicyName 'Teams-Meetings' -Identity '(.*)'$/gm))
      expect(content.replaceAll("''", '')).not.toMatch(/['‘’‚‛]/u);
  });

  it.each([
    ['VERIFIED', 'PASS'],
    ['POLICY_MISSING', 'FAIL'],
  ] as const)('shows the verification %s as %s, and each check at its step', async (outcome, status) => {
    const check = (name: string) => ({ name, status, detail: '', remedy: null, durationMs: 0, graphRequestId: null });
    const steps = await guide('meetings@msp.example', {
      outcome,
      checks: [check('roles'), check('policy')],
      ranAt: new Date(),
    });
    const statusOf = (title: RegExp) => steps.find((step) => title.test(step.title))?.status;
    expect([statusOf(/^Verify/), statusOf(/permissions$/), statusOf(/in Teams$/), statusOf(/^Limit/)]).toEqual([
      status,
      status,
      status,
      'SKIP',
    ]);
  });
});
