import { describe, expect, it } from 'vitest';
import { activate, CONNECT, MICROSOFT, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { ACME, ALWAYS, mendMicrosoft } from '../domain/support.ts';
import {
  admin,
  calendar,
  driftCount,
  eventIdOf,
  inDays,
  instant,
  jobs,
  read,
  reschedule,
  rowOf,
  schedule,
  secondOrganizer,
  subgraph,
  sweep,
  useLifecycle,
} from './support.ts';

useLifecycle();

const { directoryId, organizer } = ACME;
const GLOBEX = MICROSOFT['tenant-b'];

const READS_EVENT = { method: 'GET', path: '/events/' };

/** Begins a sweep that stands still between reading the calendar's changes and reading the event again. */
async function holdSweepBack(): Promise<{ done: Promise<void> }> {
  await subgraph.simulator.addFault({ match: READS_EVENT, delayMs: 10 * 60_000 });
  await subgraph.simulator.clearRequests();
  const done = sweep();
  const isReading = async () =>
    (await subgraph.simulator.requests({ method: 'GET' })).some(({ path }) => path.includes('/events/'));
  await expect.poll(isReading).toBe(true);
  return { done };
}

async function expectEverywhere(id: string, times: { startsAt: string; endsAt: string }): Promise<void> {
  const meeting = await read(id);
  expect(meeting).toMatchObject({ status: 'SCHEDULED', failure: null });
  expect([meeting.startsAt, meeting.endsAt].map(instant)).toEqual([times.startsAt, times.endsAt].map(instant));
  const events = await calendar();
  expect(events.map(({ startsAt }) => instant(startsAt))).toEqual([instant(times.startsAt)]);
}

describe('a reschedule that was accepted while a sweep was under way', () => {
  it('is not undone by what Outlook said before', async () => {
    const { id } = await schedule();
    await sweep();
    await subgraph.simulator.changeEvent({
      directoryId: directoryId,
      user: organizer,
      eventId: await eventIdOf(id),
      ...inDays(7),
    });
    const swept = await holdSweepBack();
    const times = inDays(5);
    expect(await reschedule(id, times)).toMatchObject({ userErrors: [], meeting: { status: 'SCHEDULED' } });
    await subgraph.simulator.clearFaults();
    await swept.done;
    await expectEverywhere(id, times);
  });

  it('is not undone either while Microsoft does not take it', async () => {
    const { id } = await schedule();
    await sweep();
    await subgraph.simulator.changeEvent({
      directoryId: directoryId,
      user: organizer,
      eventId: await eventIdOf(id),
      ...inDays(7),
    });
    const swept = await holdSweepBack();
    await subgraph.simulator.addFault({ match: { method: 'PATCH' }, status: 503, times: ALWAYS });
    const times = inDays(5);
    const { meeting } = await reschedule(id, times);
    expect(meeting).toMatchObject({ status: 'SCHEDULED', failure: { willRetryAt: expect.any(String) } });
    // The sweep now reads the event as Outlook has it, with the older times.
    await subgraph.simulator.clearFaults();
    await swept.done;
    expect(instant((await read(id)).startsAt)).toBe(instant(times.startsAt));
    await subgraph.runJobs({ early: true });
    await expectEverywhere(id, times);
  });

  it('is not undone by an event that left the window meanwhile', async () => {
    const { id } = await schedule();
    await sweep();
    const times = inDays(5);
    await subgraph.simulator.addFault({ match: { method: 'PATCH' }, status: 503, times: ALWAYS });
    await reschedule(id, times);
    await subgraph.simulator.changeEvent({
      directoryId: directoryId,
      user: organizer,
      eventId: await eventIdOf(id),
      ...inDays(90),
    });
    await sweep();
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    await expectEverywhere(id, times);
  });
});

describe('answers to invitations', () => {
  it('are read by the sweep, without a request a meeting', async () => {
    const { id } = await schedule();
    await sweep();
    expect((await read(id)).attendees).toMatchObject([{ response: 'NONE', respondedAt: null }]);
    await subgraph.simulator.respondToEvent(
      directoryId,
      organizer,
      await eventIdOf(id),
      'jane@acme.example',
      'accepted',
    );
    const { version } = await rowOf(id);
    await subgraph.simulator.clearRequests();
    await sweep();
    expect((await read(id)).attendees).toMatchObject([{ response: 'ACCEPTED', respondedAt: expect.any(String) }]);
    expect(await subgraph.simulator.requests({ host: 'graph' })).toHaveLength(2);
    // Nobody asked for anything: the meeting is what it was.
    expect(await rowOf(id)).toMatchObject({ version, synced_version: version });
  });

  it('that change are read again', async () => {
    const { id } = await schedule();
    for (const [answer, response] of [
      ['tentativelyAccepted', 'TENTATIVE'],
      ['declined', 'DECLINED'],
    ] as const) {
      await subgraph.simulator.respondToEvent(directoryId, organizer, await eventIdOf(id), 'jane@acme.example', answer);
      await sweep();
      expect((await read(id)).attendees).toMatchObject([{ response }]);
    }
  });
});

describe('a meeting that lost its job', () => {
  it('gets it back and is finished', async () => {
    const { id } = await schedule();
    await subgraph.simulator.addFault({ match: { method: 'PATCH' }, status: 503, times: ALWAYS });
    const times = inDays(4);
    await reschedule(id, times);
    await subgraph.simulator.clearFaults();
    await subgraph.database.query("DELETE FROM graphile_worker._private_jobs WHERE key LIKE 'sync_meeting:%'");
    await subgraph.database.query("UPDATE online_meetings SET next_attempt_at = now() - interval '1 hour'");
    const before = await driftCount('stuck');
    await sweep();
    expect(await driftCount('stuck')).toBe(before + 1);
    await subgraph.runJobs();
    await expectEverywhere(id, times);
  });

  it('is not touched while it waits for its time', async () => {
    const { id } = await schedule();
    await subgraph.simulator.addFault({ match: { method: 'PATCH' }, status: 503, times: ALWAYS });
    await reschedule(id, inDays(4));
    const planned = await jobs('sync_meeting');
    const before = await driftCount('stuck');
    await sweep();
    expect(await driftCount('stuck')).toBe(before);
    expect(await jobs('sync_meeting')).toEqual(planned);
    expect(planned).toHaveLength(1);
  });
});

describe('more than one calendar', () => {
  it('one that cannot be read does not keep the others from being read', async () => {
    const second = await secondOrganizer();
    const inFirst = await schedule();
    await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: second.upn });
    try {
      const inSecond = await schedule();
      await subgraph.simulator.deleteEvent(directoryId, second.upn, await eventIdOf(inSecond.id));
      await subgraph.simulator.deleteUser(directoryId, organizer);
      await sweep();
      expect(await read(inSecond.id)).toMatchObject({ status: 'CANCELLED' });
      // Nothing is known of the other one: that its calendar is not there does not mean that the event is.
      expect(await read(inFirst.id)).toMatchObject({ status: 'SCHEDULED', joinUrl: inFirst.joinUrl });
      expect(subgraph.logs).toContainEqual(
        expect.objectContaining({ level: 40, organizerId: ACME.organizerId, outcome: 'ORGANIZER_NOT_FOUND' }),
      );
      expect(await jobs('sweep_tenant')).toHaveLength(1);
    } finally {
      await mendMicrosoft(subgraph);
      await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: organizer });
    }
  });

  it('a sweep of one tenant touches nothing of another', async () => {
    const ofB = await activate(subgraph, 'tenant-b');
    const { id: inA } = await schedule();
    const { id: inB } = await schedule({}, ofB);
    const rowOfB = await rowOf(inB);
    await subgraph.simulator.deleteEvent(directoryId, organizer, await eventIdOf(inA));
    await subgraph.simulator.deleteEvent(GLOBEX.directoryId, GLOBEX.organizer, rowOfB.graph_event_id ?? '');
    await subgraph.simulator.clearRequests();
    await sweep();
    expect(await read(inA)).toMatchObject({ status: 'CANCELLED' });
    expect(await rowOf(inB)).toEqual(rowOfB);
    const requests = await subgraph.simulator.requests({ host: 'graph' });
    expect(requests.filter(({ path }) => path.includes(GLOBEX.organizerId))).toEqual([]);
    await sweep('tenant-b');
    expect(await read(inB, ofB)).toMatchObject({ status: 'CANCELLED' });
  });

  it('tenants that share a mailbox leave each other their events', async () => {
    const sharing = await subgraph.tokens.token('admin', { tenant_id: 'tenant-sharing' });
    const { clientId, secret: clientSecret } = ACME;
    await succeed(subgraph, sharing, CONNECT, { clientId, directoryId, clientSecret });
    await succeed(subgraph, sharing, UPDATE_SETTINGS, { organizerUserPrincipalName: organizer });
    await succeed(subgraph, sharing, UPDATE_SETTINGS, { installStatus: 'ACTIVE' });
    const mine = await schedule();
    const theirs = await schedule({}, sharing);
    await sweep();
    await sweep('tenant-sharing');
    await subgraph.simulator.changeEvent({
      directoryId: directoryId,
      user: organizer,
      eventId: await eventIdOf(theirs.id),
      ...inDays(6),
    });
    await sweep();
    expect(instant((await read(theirs.id, sharing)).startsAt)).toBe(instant(theirs.startsAt));
    await sweep('tenant-sharing');
    expect(instant((await read(theirs.id, sharing)).startsAt)).not.toBe(instant(theirs.startsAt));
    expect(await read(mine.id)).toMatchObject({ status: 'SCHEDULED', startsAt: mine.startsAt });
    expect(await calendar()).toHaveLength(2);
  });
});
