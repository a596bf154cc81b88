import { describe, expect, it } from 'vitest';
import { ACME, ALWAYS, auditOf, mendMicrosoft, TOKEN_ENDPOINT } from './support.ts';
import {
  breakApp,
  breakUser,
  calendar,
  read,
  subgraph,
  useVerifying,
  type Verification,
  verified,
  without,
} from './verifying.ts';

const ALL_PASS = {
  credentials: 'PASS',
  roles: 'PASS',
  organizer: 'PASS',
  mailbox: 'PASS',
  meeting: 'PASS',
  policy: 'PASS',
};

const statuses = ({ checks }: Verification) => Object.fromEntries(checks.map(({ name, status }) => [name, status]));

const failedChecks = ({ checks }: Verification) => checks.filter(({ status }) => status === 'FAIL');

const failing = (path: string, status: number) => async () => {
  await subgraph.simulator.addFault({ match: { path }, status, times: ALWAYS });
};

useVerifying();

describe('a set-up in order', () => {
  it('is verified by real calls, and nothing is left in the calendar', async () => {
    await subgraph.simulator.clearRequests();
    const verification = await verified();
    expect(verification.outcome).toBe('VERIFIED');
    expect(statuses(verification)).toEqual(ALL_PASS);
    expect(verification.checks.map(({ remedy }) => remedy)).toEqual(verification.checks.map(() => null));
    expect(await calendar()).toEqual([]);
    expect(await subgraph.simulator.sentMail()).toEqual([]);
    expect(await subgraph.simulator.requests({ method: 'POST', path: '/events$' })).toHaveLength(1);
    expect(await subgraph.simulator.requests({ method: 'DELETE', path: '/events/' })).toHaveLength(1);
  });

  it('is remembered in the settings and in the steps of the setup guide', async () => {
    const verification = await verified();
    const { teamsSettings, teamsSetupGuide } = await read();
    expect(teamsSettings?.lastVerification).toEqual(verification);
    expect(teamsSetupGuide.steps.map(({ status }) => status)).toEqual([
      'PASS',
      'PASS',
      'PASS',
      'PASS',
      'PASS',
      'SKIP',
      'PASS',
      'PASS',
      'SKIP',
    ]);
    expect(teamsSetupGuide.steps.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(teamsSetupGuide.steps[4]?.script).toContain(`'${ACME.clientId}'`);
    expect(teamsSetupGuide.steps[4]?.script).toContain(`'${ACME.organizer}'`);
    expect((await auditOf(subgraph, 'tenant-a', 'verify')).at(-1)).toMatchObject({
      outcome: 'VERIFIED',
      actor: expect.stringMatching(/^msp:/),
    });
  });

  it('is verified although a blocked account is worth a warning', async () => {
    await breakUser({ accountEnabled: false })();
    const verification = await verified();
    expect(verification.outcome).toBe('VERIFIED');
    expect(statuses(verification)).toEqual({ ...ALL_PASS, 'organizer-account': 'WARN' });
  });

  it.each(['empty', 'notFound'] as const)(
    'is verified whether Graph answers the policy probe with %s',
    async (answer) => {
      await subgraph.simulator.setJoinUrlMiss(answer);
      expect((await verified()).outcome).toBe('VERIFIED');
    },
  );

  it('is verified when the join link comes a moment late', async () => {
    await breakUser({ joinUrlDelayGets: 2 })();
    expect((await verified()).outcome).toBe('VERIFIED');
    expect(await calendar()).toEqual([]);
  });
});

describe('a broken set-up', () => {
  const AFTER_CREDENTIALS = { roles: 'SKIP', organizer: 'SKIP', mailbox: 'SKIP', meeting: 'SKIP', policy: 'SKIP' };
  const AFTER_ORGANIZER = { mailbox: 'SKIP', meeting: 'SKIP', policy: 'SKIP' };

  it.each<[string, () => Promise<void>, string, Record<string, string>, RegExp]>([
    [
      'a secret that was replaced in Entra',
      breakApp({ secrets: [{ value: 'another one' }] }),
      'CREDENTIALS_REJECTED',
      { credentials: 'FAIL', ...AFTER_CREDENTIALS },
      /new client secret/,
    ],
    [
      'an expired secret',
      breakApp({ secrets: [{ value: ACME.secret, expiresAt: '2020-01-01T00:00:00Z' }] }),
      'CREDENTIALS_REJECTED',
      { credentials: 'FAIL', ...AFTER_CREDENTIALS },
      /new client secret/,
    ],
    [
      'a disabled app',
      breakApp({ disabled: true }),
      'CREDENTIALS_REJECTED',
      { credentials: 'FAIL', ...AFTER_CREDENTIALS },
      /app registration/,
    ],
    [
      'Entra being down',
      failing(TOKEN_ENDPOINT, 503),
      'GRAPH_ERROR',
      { credentials: 'FAIL', ...AFTER_CREDENTIALS },
      /Try again/,
    ],
    [
      'User.Read.All missing',
      without('User.Read.All'),
      'PERMISSION_MISSING',
      { roles: 'FAIL', organizer: 'FAIL', ...AFTER_ORGANIZER },
      /User\.Read\.All/,
    ],
    [
      'Calendars.ReadWrite missing',
      without('Calendars.ReadWrite'),
      'PERMISSION_MISSING',
      { roles: 'WARN', mailbox: 'FAIL', meeting: 'SKIP' },
      /application permission/,
    ],
    [
      'OnlineMeetings.ReadWrite.All missing',
      without('OnlineMeetings.ReadWrite.All'),
      'PERMISSION_MISSING',
      { roles: 'FAIL', policy: 'FAIL' },
      /OnlineMeetings\.ReadWrite\.All/,
    ],
    [
      'OnlineMeetingRecording.Read.All missing',
      without('OnlineMeetingRecording.Read.All'),
      'PERMISSION_MISSING',
      { roles: 'FAIL' },
      /OnlineMeetingRecording\.Read\.All/,
    ],
    [
      'OnlineMeetingTranscript.Read.All missing',
      without('OnlineMeetingTranscript.Read.All'),
      'PERMISSION_MISSING',
      { roles: 'FAIL' },
      /OnlineMeetingTranscript\.Read\.All/,
    ],
    [
      'no role at all',
      breakApp({ roles: [] }),
      'PERMISSION_MISSING',
      { roles: 'FAIL', organizer: 'FAIL', ...AFTER_ORGANIZER },
      /Calendars\.ReadWrite.*User\.Read\.All/,
    ],
    [
      'the organizer being gone',
      () => subgraph.simulator.deleteUser(ACME.directoryId, ACME.organizer),
      'USER_NOT_FOUND',
      { organizer: 'FAIL', ...AFTER_ORGANIZER },
      /user principal name/,
    ],
    [
      'no mailbox',
      breakUser({ hasMailbox: false }),
      'MAILBOX_UNAVAILABLE',
      { mailbox: 'FAIL', meeting: 'SKIP' },
      /licence with Exchange Online/,
    ],
    [
      'Teams not being enabled',
      breakUser({ teamsEnabled: false }),
      'MAILBOX_UNAVAILABLE',
      { mailbox: 'FAIL', meeting: 'SKIP' },
      /Teams licence/,
    ],
    [
      'Exchange keeping the app out',
      breakUser({ exchangeScopeAppIds: [] }),
      'MAILBOX_SCOPE_DENIED',
      { mailbox: 'FAIL', meeting: 'SKIP' },
      /RBAC for Applications/,
    ],
    [
      'no Teams policy',
      breakUser({ teamsPolicyAppIds: [] }),
      'POLICY_MISSING',
      { policy: 'FAIL' },
      /Grant-CsApplicationAccessPolicy/,
    ],
    [
      'Graph answering 500 to everything',
      failing('^/v1.0/', 500),
      'GRAPH_ERROR',
      { organizer: 'FAIL', ...AFTER_ORGANIZER },
      /Try again/,
    ],
    [
      'Graph throttling everything',
      failing('^/v1.0/', 429),
      'GRAPH_ERROR',
      { organizer: 'FAIL', ...AFTER_ORGANIZER },
      /Wait/,
    ],
    [
      'the calendar answering 503',
      failing('/calendar', 503),
      'GRAPH_ERROR',
      { mailbox: 'FAIL', meeting: 'SKIP' },
      /Try again/,
    ],
    ['events answering 500', failing('/events', 500), 'GRAPH_ERROR', { meeting: 'FAIL' }, /Try again/],
    ['online meetings answering 500', failing('/onlineMeetings', 500), 'GRAPH_ERROR', { policy: 'FAIL' }, /Try again/],
  ])('%s is named, with its remedy', async (_name, breakIt, outcome, changed, remedy) => {
    await breakIt();
    const verification = await verified();
    expect(verification.outcome).toBe(outcome);
    expect(statuses(verification)).toEqual({ ...ALL_PASS, ...changed });
    const [first] = failedChecks(verification);
    expect(first?.remedy).toMatch(remedy);
    for (const check of verification.checks) {
      expect(check.detail).toMatch(/\S/);
      if (check.status === 'FAIL') expect(check.remedy).toMatch(/\S/);
    }

    expect((await read()).teamsSettings?.lastVerification).toEqual(verification);
    expect((await auditOf(subgraph, 'tenant-a', 'verify')).at(-1)?.outcome).toBe(outcome);
    await mendMicrosoft(subgraph);
    expect(await calendar()).toEqual([]);
  });

  it('carries the request id of the call that failed, to quote to Microsoft', async () => {
    await subgraph.simulator.clearRequests();
    await breakUser({ exchangeScopeAppIds: [] })();
    const [failed] = failedChecks(await verified());
    const [request] = await subgraph.simulator.requests({ path: '/calendar$' });
    expect(failed?.graphRequestId).toBe(request?.requestId);
  });

  it('marks the steps of the setup guide that are to be done again', async () => {
    await breakUser({ teamsPolicyAppIds: [] })();
    await verified();
    expect((await read()).teamsSetupGuide.steps.map(({ status }) => status)).toEqual([
      'PASS',
      'PASS',
      'PASS',
      'PASS',
      'FAIL',
      'SKIP',
      'PASS',
      'FAIL',
      'SKIP',
    ]);
  });

  it('is told from the newest run only', async () => {
    await breakUser({ teamsPolicyAppIds: [] })();
    await verified();
    await mendMicrosoft(subgraph);
    await verified();
    expect((await read()).teamsSettings?.lastVerification?.outcome).toBe('VERIFIED');
  });

  it('says nothing of links, tokens or secrets', async () => {
    await breakApp({ secrets: [] })();
    expect(JSON.stringify(await verified())).not.toMatch(/simulator-secret|eyJ|meetup-join|127\.0\.0\.1/);
  });
});
