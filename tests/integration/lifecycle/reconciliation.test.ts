import { describe, expect, it } from 'vitest';
import { ACME, auditOf } from '../domain/support.ts';
import {
  calendar,
  calls,
  DAY_MS,
  driftCount,
  eventIdOf,
  hourFromNow,
  inDays,
  instant,
  jobs,
  read,
  reschedule,
  rowOf,
  schedule,
  subgraph,
  sweep,
  useLifecycle,
} from './support.ts';

useLifecycle();

const { directoryId, organizer } = ACME;

async function deleteInOutlook(meetingId: string): Promise<void> {
  await subgraph.simulator.deleteEvent(directoryId, organizer, await eventIdOf(meetingId));
}

async function moveInOutlook(meetingId: string, times: { startsAt: string; endsAt: string }): Promise<void> {
  await subgraph.simulator.changeEvent({
    directoryId: directoryId,
    user: organizer,
    eventId: await eventIdOf(meetingId),
    ...times,
  });
}

/** What the audit trail says that the sweep did to a meeting. */
async function reconciled(meetingId: string): Promise<string[]> {
  const entries = await auditOf(subgraph, 'tenant-a', 'reconcile');
  return entries.filter(({ meeting_id }) => meeting_id === meetingId).map(({ outcome }) => outcome);
}

async function expectTimes(meetingId: string, times: { startsAt: string; endsAt: string }): Promise<void> {
  const { startsAt, endsAt } = await read(meetingId);
  expect([instant(startsAt), instant(endsAt)]).toEqual([instant(times.startsAt), instant(times.endsAt)]);
}

describe('an event that was deleted in Outlook', () => {
  it('cancels its meeting, with the reason, without the link, in audit and metrics', async () => {
    const { id } = await schedule();
    await sweep();
    const before = await driftCount('deleted');
    await deleteInOutlook(id);
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({
      status: 'CANCELLED',
      joinUrl: null,
      cancelReason: expect.stringMatching(/deleted in Outlook/),
      failure: null,
    });
    expect(await reconciled(id)).toEqual(['deleted']);
    expect(await driftCount('deleted')).toBe(before + 1);
  });

  it('is noticed by the first sweep of all, too', async () => {
    const { id } = await schedule();
    await deleteInOutlook(id);
    await sweep();
    expect(await read(id)).toMatchObject({ status: 'CANCELLED' });
  });

  it.each(['by the delta', 'by a full read'])(
    'is noticed %s also while Deleted Items can still be read',
    async (how) => {
      await subgraph.simulator.setDeletedItems('readable');
      const { id } = await schedule();
      const other = await schedule();
      await sweep();
      await deleteInOutlook(id);
      if (how === 'by a full read') await subgraph.simulator.expireDeltaTokens();
      await sweep();
      expect(await read(id)).toMatchObject({ status: 'CANCELLED', joinUrl: null });
      expect(await read(other.id)).toMatchObject({ status: 'SCHEDULED', joinUrl: other.joinUrl });
    },
  );

  it('is found by a full read when Microsoft has forgotten the delta token', async () => {
    const { id } = await schedule();
    const other = await schedule();
    await sweep();
    await deleteInOutlook(id);
    await subgraph.simulator.expireDeltaTokens();
    await subgraph.simulator.clearRequests();
    await sweep();
    const deltas = await subgraph.simulator.requests({ host: 'graph', path: '/calendarView/delta' });
    expect(deltas.map(({ status }) => status)).toEqual([410, 200]);
    expect(await read(id)).toMatchObject({ status: 'CANCELLED' });
    expect(await read(other.id)).toMatchObject({ status: 'SCHEDULED', joinUrl: other.joinUrl });
  });
});

describe('an event that was moved in Outlook', () => {
  it('moves its meeting and counts as a change', async () => {
    const { id, joinUrl } = await schedule();
    await sweep();
    const { version } = await rowOf(id);
    const before = await driftCount('moved');
    const times = inDays(6);
    await moveInOutlook(id, times);
    await sweep();
    await expectTimes(id, times);
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', joinUrl });
    expect(await rowOf(id)).toMatchObject({ version: version + 1, synced_version: version + 1 });
    expect(await reconciled(id)).toEqual(['moved']);
    expect(await driftCount('moved')).toBe(before + 1);
  });

  it('out of the window that is read is no deletion', async () => {
    const { id, joinUrl } = await schedule();
    await sweep();
    const times = inDays(60);
    await moveInOutlook(id, times);
    await sweep();
    await expectTimes(id, times);
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', joinUrl });
    expect(await calendar()).toHaveLength(1);
    // A full read does not hold what is that far away against the calendar.
    await subgraph.simulator.expireDeltaTokens();
    await sweep();
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED' });
  });

  it('into the past ends its meeting', async () => {
    const { id } = await schedule();
    await sweep();
    await moveInOutlook(id, hourFromNow(-5 * DAY_MS));
    await sweep();
    expect(await read(id)).toMatchObject({ status: 'ENDED' });
  });

  it('is moved back by nobody: a reschedule afterwards starts from what Outlook says', async () => {
    const { id } = await schedule();
    await sweep();
    await moveInOutlook(id, inDays(6));
    await sweep();
    const times = inDays(9);
    expect(await reschedule(id, times)).toMatchObject({ userErrors: [], meeting: { status: 'SCHEDULED' } });
    await sweep();
    await expectTimes(id, times);
    expect(instant((await calendar())[0]?.startsAt ?? '')).toBe(instant(times.startsAt));
  });
});

describe('a quiet sweep', () => {
  it('asks Microsoft twice, however many meetings there are', async () => {
    await Promise.all([schedule(), schedule(), schedule()]);
    await sweep();
    await subgraph.simulator.clearRequests();
    await sweep();
    expect(await calls()).toEqual(['GET /calendarView/delta', 'GET /events']);
  });

  it('plans itself again exactly once', async () => {
    await schedule();
    await schedule();
    await subgraph.runJobs({ early: true });
    await subgraph.runJobs({ early: true });
    const planned = await jobs('sweep_tenant');
    expect(planned).toHaveLength(1);
    const inMs = (planned[0]?.run_at.getTime() ?? 0) - Date.now();
    expect(inMs).toBeGreaterThan(10 * 60_000);
    expect(inMs).toBeLessThanOrEqual(15 * 60_000);
  });
});
