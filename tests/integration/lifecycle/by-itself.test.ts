import { beforeEach, describe, expect, it } from 'vitest';
import { activate, CONNECT, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { ACME, ALWAYS, mendMicrosoft } from '../domain/support.ts';
import {
  admin,
  advanceClock,
  ask,
  calendar,
  calls,
  cancel,
  changeUser,
  DAY_MS,
  HOUR_MS,
  inDays,
  instant,
  jobs,
  read,
  reschedule,
  retry,
  rowOf,
  schedule,
  subgraph,
  useLifecycle,
} from './support.ts';

useLifecycle();

const POSTS_EVENT = { method: 'POST', path: '/events$' };

beforeEach(async () => {
  // Within an hour after a verification that succeeded, a refusal would be taken for one that passes.
  await subgraph.database.query('DELETE FROM organizer_verifications');
});

/** Exchange lets the app into no mailbox: something that only a person can change. */
const block = () => changeUser({ exchangeScopeAppIds: [] });

async function verify(): Promise<string | undefined> {
  const { data } = await subgraph.send<{ verifyTeamsOrganizer: { verification: { outcome: string } } }>(
    admin,
    'mutation { verifyTeamsOrganizer { verification { outcome } } }',
  );
  return data?.verifyTeamsOrganizer.verification.outcome;
}

const { clientId, directoryId, secret: clientSecret, organizer } = ACME;
const connect = () => succeed(subgraph, admin, CONNECT, { clientId, directoryId, clientSecret });
const saveSettings = () => succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: organizer });

async function askBlocked(): Promise<string> {
  await block();
  const { meeting, userErrors } = await ask();
  expect(userErrors).toMatchObject([{ code: 'MAILBOX_SCOPE_DENIED' }]);
  expect(meeting).toMatchObject({ status: 'FAILED', failure: { code: 'MAILBOX_SCOPE_DENIED', willRetryAt: null } });
  return meeting?.id ?? '';
}

describe('a meeting that waits for a person', () => {
  it('is left alone until somebody acted', async () => {
    const id = await askBlocked();
    await mendMicrosoft(subgraph);
    await subgraph.simulator.clearRequests();
    await subgraph.runJobs({ early: true });
    expect(await calls()).not.toContain('POST /events');
    expect(await read(id)).toMatchObject({ status: 'FAILED' });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['the app was connected', connect],
    ['the settings were saved', saveSettings],
    ['the organizer was verified', verify],
  ])('is taken up by itself after %s', async (_name, act) => {
    const id = await askBlocked();
    await mendMicrosoft(subgraph);
    await act();
    await subgraph.runJobs();
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', failure: null, joinUrl: expect.any(String) });
    expect(await calendar()).toHaveLength(1);
  });

  it('is not taken up by a verification that failed', async () => {
    const id = await askBlocked();
    expect(await verify()).not.toBe('VERIFIED');
    await subgraph.simulator.clearRequests();
    await subgraph.runJobs();
    expect(await calls()).toEqual([]);
    expect(await read(id)).toMatchObject({ status: 'FAILED' });
  });

  it('waits on when it is taken up too early', async () => {
    const id = await askBlocked();
    await saveSettings();
    await subgraph.runJobs();
    expect(await read(id)).toMatchObject({
      status: 'FAILED',
      failure: { code: 'MAILBOX_SCOPE_DENIED', willRetryAt: null },
    });
    expect(await jobs('sync_meeting')).toEqual([]);
  });

  it('is taken up with all others, whatever was wanted of them', async () => {
    const moved = await schedule();
    const cancelled = await schedule();
    const created = await askBlocked();
    const times = inDays(8);
    await reschedule(moved.id, times);
    await cancel(cancelled.id);
    expect(await read(moved.id)).toMatchObject({ status: 'FAILED', joinUrl: moved.joinUrl });
    expect(await read(cancelled.id)).toMatchObject({ status: 'CANCELLING', joinUrl: null });
    await mendMicrosoft(subgraph);
    await connect();
    await subgraph.runJobs();
    await subgraph.runJobs({ early: true });
    expect(await read(created)).toMatchObject({ status: 'SCHEDULED', failure: null });
    expect(await read(moved.id)).toMatchObject({ status: 'SCHEDULED', failure: null, joinUrl: moved.joinUrl });
    expect(instant((await read(moved.id)).startsAt)).toBe(instant(times.startsAt));
    expect(await read(cancelled.id)).toMatchObject({ status: 'CANCELLED', failure: null, joinUrl: null });
    expect(await calendar()).toHaveLength(2);
  });

  it('is not taken up when it is over', async () => {
    const id = await askBlocked();
    await mendMicrosoft(subgraph);
    advanceClock(4 * DAY_MS);
    await saveSettings();
    await subgraph.simulator.clearRequests();
    await subgraph.runJobs();
    expect(await calls()).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ status: 'FAILED' });
  });

  it('is not taken up by what another tenant does', async () => {
    const id = await askBlocked();
    await mendMicrosoft(subgraph);
    await activate(subgraph, 'tenant-b');
    await subgraph.runJobs();
    expect(await read(id)).toMatchObject({ status: 'FAILED' });
  });
});

describe('a cancellation that needs a person', () => {
  it('stays under way, with the reason and without the link, until it is tried again', async () => {
    const { id } = await schedule();
    await block();
    const { meeting, userErrors } = await cancel(id);
    expect(userErrors).toMatchObject([{ code: 'MAILBOX_SCOPE_DENIED', remedy: expect.any(String) }]);
    expect(meeting).toMatchObject({
      status: 'CANCELLING',
      joinUrl: null,
      failure: { code: 'MAILBOX_SCOPE_DENIED', willRetryAt: null },
    });
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({ status: 'CANCELLING', joinUrl: null });
    expect(await calendar()).toHaveLength(1);
    await mendMicrosoft(subgraph);
    expect(await retry(id)).toMatchObject({
      userErrors: [],
      meeting: { status: 'CANCELLED', joinUrl: null, failure: null },
    });
    expect(await calendar()).toEqual([]);
  });

  it('goes on needing one when it is tried again too early', async () => {
    const { id } = await schedule();
    await block();
    await cancel(id);
    expect(await retry(id)).toMatchObject({
      userErrors: [{ code: 'MAILBOX_SCOPE_DENIED' }],
      meeting: { status: 'CANCELLING', joinUrl: null },
    });
  });
});

describe('a failure that passes', () => {
  it('waits longer from try to try, up to half an hour', async () => {
    await subgraph.simulator.addFault({ match: POSTS_EVENT, status: 503, times: ALWAYS });
    const id = (await ask()).meeting?.id ?? '';
    const waits: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      const { next_attempt_at, failed_attempts } = await rowOf(id);
      const [job] = await jobs('sync_meeting');
      expect(failed_attempts).toBe(tries + 1);
      // What the meeting says and when its job runs are the same.
      expect(Math.abs((job?.run_at.getTime() ?? 0) - (next_attempt_at?.getTime() ?? 0))).toBeLessThan(1_000);
      const { failure } = await read(id);
      expect(failure?.willRetryAt).toBe(next_attempt_at?.toISOString());
      const [row] = await subgraph.database.query<{ at: string }>(
        "SELECT failure->>'occurredAt' AS at FROM online_meetings WHERE id = $1",
        [id],
      );
      waits.push(Math.floor(((next_attempt_at?.getTime() ?? 0) - instant(row?.at ?? '')) / 1_000));
      await subgraph.runJobs({ early: true });
    }
    // Half of each wait is left to chance, which this file has at nought.
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  it('is given up after a day, and made after all when somebody asks', async () => {
    await subgraph.simulator.addFault({ match: POSTS_EVENT, status: 503, times: ALWAYS });
    const id = (await ask()).meeting?.id ?? '';
    advanceClock(DAY_MS - HOUR_MS);
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({ status: 'PROVISIONING', failure: { willRetryAt: expect.any(String) } });
    advanceClock(2 * HOUR_MS);
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({
      status: 'FAILED',
      failure: { code: 'GRAPH_UNAVAILABLE', remedy: expect.any(String), willRetryAt: null },
    });
    expect(await jobs('sync_meeting')).toEqual([]);
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({ status: 'FAILED' });
    expect(await retry(id)).toMatchObject({ userErrors: [], meeting: { status: 'SCHEDULED', failure: null } });
    expect(await calendar()).toHaveLength(1);
  });

  it('of a meeting that was made before leaves it its link when it is given up', async () => {
    const { id, joinUrl } = await schedule();
    await subgraph.simulator.addFault({ match: { method: 'PATCH' }, status: 503, times: ALWAYS });
    await reschedule(id);
    advanceClock(DAY_MS + HOUR_MS);
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({ status: 'FAILED', joinUrl, failure: { willRetryAt: null } });
  });

  it('of a cancellation leaves it cancelled for everybody who asks when it is given up', async () => {
    const { id } = await schedule();
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/cancel$' }, status: 503, times: ALWAYS });
    await cancel(id);
    advanceClock(DAY_MS + HOUR_MS);
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({ status: 'CANCELLING', joinUrl: null, failure: { willRetryAt: null } });
    await subgraph.simulator.clearFaults();
    expect(await retry(id)).toMatchObject({ userErrors: [], meeting: { status: 'CANCELLED' } });
    expect(await calendar()).toEqual([]);
  });

  it('begins anew with each thing that is asked for', async () => {
    const { id } = await schedule();
    await subgraph.simulator.addFault({ match: { method: 'PATCH' }, status: 503, times: ALWAYS });
    await reschedule(id, inDays(5));
    advanceClock(DAY_MS - HOUR_MS);
    await reschedule(id, inDays(6));
    advanceClock(2 * HOUR_MS);
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', failure: { willRetryAt: expect.any(String) } });
  });
});
