import { beforeEach, describe, expect, it } from 'vitest';
import { ACME, ALWAYS, mendMicrosoft } from '../domain/support.ts';
import {
  admin,
  advanceClock,
  ask,
  calendar,
  HOUR_MS,
  inDays,
  instant,
  read,
  reschedule,
  retry,
  schedule,
  subgraph,
  useLifecycle,
} from './support.ts';

// Numbered like the cases of edge-cases.test.ts.
useLifecycle();

const { directoryId, organizer } = ACME;

describe('17: an organizer who was deleted between two calls', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['as the directory says it', () => subgraph.simulator.deleteUser(directoryId, organizer)],
    ...['ErrorInvalidUser', 'Request_ResourceNotFound'].map((code): [string, () => Promise<unknown>] => [
      `as ${code}`,
      () =>
        subgraph.simulator.addFault({
          match: { path: '/events/' },
          status: 404,
          body: { error: { code, message: 'The requested user is invalid.' } },
          times: ALWAYS,
        }),
    ]),
  ])('%s: the change fails with a remedy, and is made when the user is back', async (_name, takeAway) => {
    const { id, joinUrl } = await schedule();
    await takeAway();
    const times = inDays(5);
    const { meeting, userErrors } = await reschedule(id, times);
    expect(userErrors).toMatchObject([{ code: 'ORGANIZER_NOT_FOUND', remedy: expect.any(String) }]);
    // The meeting is there as far as anybody knows: its link may still work.
    expect(meeting).toMatchObject({ status: 'FAILED', joinUrl, failure: { willRetryAt: null } });
    expect(instant(meeting?.startsAt ?? '')).toBe(instant(times.startsAt));
    await mendMicrosoft(subgraph);
    expect(await retry(id)).toMatchObject({ userErrors: [], meeting: { status: 'SCHEDULED', joinUrl, failure: null } });
    expect((await calendar()).map(({ startsAt }) => instant(startsAt))).toEqual([instant(times.startsAt)]);
  });
});

describe('18: refusals that flap after a policy was granted', () => {
  const POSTS_EVENT = { method: 'POST', path: '/events$' };
  const refusal = (code: string, message: string) => ({
    match: POSTS_EVENT,
    status: 403,
    body: { error: { code, message } },
  });
  const SCOPE = refusal('ErrorAccessDenied', 'Access to OData is disabled.');
  const POLICY = refusal('Forbidden', 'No application access policy found for this app');
  const UNKNOWN = refusal('Forbidden', 'An error has occurred.');

  async function verify(): Promise<void> {
    const { data } = await subgraph.send<{ verifyTeamsOrganizer: { verification: { outcome: string } } }>(
      admin,
      'mutation { verifyTeamsOrganizer { verification { outcome } } }',
    );
    expect(data?.verifyTeamsOrganizer.verification.outcome).toBe('VERIFIED');
  }

  beforeEach(async () => {
    await subgraph.database.query('DELETE FROM organizer_verifications');
  });

  it.each([
    ['Exchange’s scope', SCOPE],
    ['the Teams policy', POLICY],
    ['a refusal without a cause', UNKNOWN],
  ])('%s: passes by itself within the hour after a verification', async (_name, fault) => {
    await verify();
    await subgraph.simulator.addFault({ ...fault, times: ALWAYS });
    const { meeting, userErrors } = await ask();
    expect(userErrors).toEqual([]);
    expect(meeting).toMatchObject({ status: 'PROVISIONING', failure: { willRetryAt: expect.any(String) } });
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    expect(await read(meeting?.id ?? '')).toMatchObject({ status: 'SCHEDULED', failure: null });
  });

  it('needs a person once the hour is over', async () => {
    await verify();
    await subgraph.simulator.addFault({ ...SCOPE, times: ALWAYS });
    const { meeting } = await ask();
    expect(meeting).toMatchObject({ status: 'PROVISIONING' });
    advanceClock(HOUR_MS + 60_000);
    await subgraph.runJobs({ early: true });
    expect(await read(meeting?.id ?? '')).toMatchObject({
      status: 'FAILED',
      failure: { code: 'MAILBOX_SCOPE_DENIED', remedy: expect.any(String), willRetryAt: null },
    });
  });

  it('needs a person where nothing was verified', async () => {
    await subgraph.simulator.addFault(SCOPE);
    const { meeting, userErrors } = await ask();
    expect(meeting).toMatchObject({ status: 'FAILED', failure: { willRetryAt: null } });
    expect(userErrors).toMatchObject([{ code: 'MAILBOX_SCOPE_DENIED' }]);
  });

  it('needs a person where the verification did not succeed', async () => {
    await subgraph.simulator.updateUser(directoryId, organizer, { exchangeScopeAppIds: [] });
    await subgraph.send(admin, 'mutation { verifyTeamsOrganizer { verification { outcome } } }');
    expect(await ask()).toMatchObject({ meeting: { status: 'FAILED', failure: { willRetryAt: null } } });
  });

  it('does not take a missing permission for one that flaps', async () => {
    await verify();
    await subgraph.simulator.addFault({ ...refusal('Forbidden', 'Application is missing required permissions.') });
    expect(await ask()).toMatchObject({ meeting: { status: 'FAILED', failure: { code: 'PERMISSION_MISSING' } } });
  });
});
