import { describe, expect, it } from 'vitest';
import { ACME, auditOf, mendMicrosoft } from './support.ts';
import {
  breakApp,
  breakUser,
  calendar,
  read,
  subgraph,
  useVerifying,
  type Verification,
  verified,
} from './verifying.ts';

/** No mailbox outside the scope is named, and no meeting has a transcript yet. */
const ALL_PASS = {
  directory: 'PASS',
  app: 'PASS',
  secret: 'PASS',
  roles: 'PASS',
  organizer: 'PASS',
  'organizer-account': 'PASS',
  'organizer-licence': 'PASS',
  'exchange-scope': 'PASS',
  mailbox: 'PASS',
  provider: 'PASS',
  'mailbox-outside': 'SKIP',
  meeting: 'PASS',
  policy: 'PASS',
  recordings: 'PASS',
  'transcript-access': 'PASS',
  transcripts: 'PASS',
  'transcript-attribution': 'SKIP',
  webhook: 'PASS',
};

const statuses = ({ checks }: Verification) => Object.fromEntries(checks.map(({ name, status }) => [name, status]));

const failedChecks = ({ checks }: Verification) => checks.filter(({ status }) => status === 'FAIL');

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
    expect(teamsSetupGuide.steps.map(({ status }) => status)).toEqual([...Array(8).fill('PASS'), 'SKIP']);
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
