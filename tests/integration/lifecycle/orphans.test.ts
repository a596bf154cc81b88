import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ACME, ALWAYS, auditOf } from '../domain/support.ts';
import {
  type Answer,
  ask,
  calendar,
  cancel,
  driftCount,
  eventIdOf,
  graphOf,
  inDays,
  read,
  reschedule,
  rowOf,
  schedule,
  subgraph,
  sweep,
  useLifecycle,
} from './support.ts';

useLifecycle({ perTryTimeoutMs: 1_500 });

/** Makes an event that says it is a meeting's, as an unanswered create would have. */
async function makeEvent(meetingId: string, { tenantId = 'tenant-a', days = 3 } = {}): Promise<string> {
  const { startsAt, endsAt } = inDays(days);
  const graph = await graphOf();
  const { id } = await graph.events.create(ACME.organizer, {
    subject: 'Left over',
    startsAt: new Date(startsAt),
    endsAt: new Date(endsAt),
    bodyHtml: '',
    attendees: [],
    transactionId: randomUUID(),
    markers: { tenantId, meetingId },
  });
  return id;
}

async function reconciled(meetingId: string): Promise<string[]> {
  const entries = await auditOf(subgraph, 'tenant-a', 'reconcile');
  return entries.filter(({ meeting_id }) => meeting_id === meetingId).map(({ outcome }) => outcome);
}

const idsInCalendar = async () => (await calendar()).map(({ immutableId }) => immutableId);

describe.each(['served', 'refused'] as const)('where a filter on markers and a time is %s', (mode) => {
  it('an event of a cancelled meeting is removed', async () => {
    await subgraph.simulator.setMarkerFilter({ combined: mode });
    const kept = await schedule();
    const { id } = await schedule();
    await cancel(id);
    const before = await driftCount('orphan');
    await makeEvent(id);
    await sweep();
    expect(await idsInCalendar()).toEqual([await eventIdOf(kept.id)]);
    expect(await read(id)).toMatchObject({ status: 'CANCELLED', joinUrl: null });
    expect(await reconciled(id)).toEqual(['orphan']);
    expect(await driftCount('orphan')).toBe(before + 1);
  });

  it('a second event of a meeting is removed, and the right one stays', async () => {
    await subgraph.simulator.setMarkerFilter({ combined: mode });
    const { id, joinUrl } = await schedule();
    await makeEvent(id);
    await sweep();
    expect(await idsInCalendar()).toEqual([await eventIdOf(id)]);
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', joinUrl });
  });

  it('a copy that somebody made by hand is left, and told', async () => {
    await subgraph.simulator.setMarkerFilter({ combined: mode });
    const { id, joinUrl } = await schedule();
    const own = await eventIdOf(id);
    const { id: copy } = await subgraph.simulator.copyEvent(ACME.directoryId, ACME.organizer, own);
    await sweep();
    expect((await idsInCalendar()).toSorted()).toEqual([own, copy].toSorted());
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', joinUrl });
    await cancel(id);
    await sweep();
    expect(await idsInCalendar()).toEqual([copy]);
  });

  it('an event of a meeting that is not stored is left and told', async () => {
    await subgraph.simulator.setMarkerFilter({ combined: mode });
    const { id } = await schedule();
    const meetingId = randomUUID();
    const unknown = await makeEvent(meetingId);
    await sweep();
    expect(await idsInCalendar()).toEqual([await eventIdOf(id), unknown]);
    expect(subgraph.logs).toContainEqual(
      expect.objectContaining({ level: 40, tenantId: 'tenant-a', meetingId, outcome: 'unknown' }),
    );
  });

  it('events beyond the window and those of other tenants are left', async () => {
    await subgraph.simulator.setMarkerFilter({ combined: mode });
    const { id } = await schedule();
    const left = [await makeEvent(id, { days: 60 }), await makeEvent(id, { tenantId: 'tenant-b' })];
    await sweep();
    expect(await idsInCalendar()).toEqual([await eventIdOf(id), ...left]);
  });
});

describe('an event that nobody knows of', () => {
  /** Asks for a meeting whose create hangs at Microsoft, and waits until it was sent. */
  async function askHanging(): Promise<{ id: string; answer: Promise<Answer> }> {
    await subgraph.simulator.addFault({
      match: { method: 'POST', path: '/events$' },
      delayMs: 10 * 60_000,
      times: ALWAYS,
    });
    const answer = ask();
    await expect.poll(() => subgraph.simulator.requests({ method: 'POST', path: '/events' })).not.toEqual([]);
    const [row] = await subgraph.database.query<{ id: string }>('SELECT id FROM online_meetings');
    return { id: row?.id ?? '', answer };
  }

  /** Asks for a meeting that Microsoft refuses to make, and mends Microsoft. */
  async function failingCreate(): Promise<Answer> {
    await subgraph.simulator.addFault({
      match: { method: 'POST', path: '/events$' },
      status: 403,
      body: { error: { code: 'Forbidden', message: 'An error has occurred.' } },
      times: ALWAYS,
    });
    const answer = await ask();
    expect(answer.meeting).toMatchObject({ status: 'FAILED' });
    await subgraph.simulator.clearFaults();
    return answer;
  }

  it('is removed: its create hung until after the cancellation', async () => {
    const { id, answer } = await askHanging();
    await cancel(id);
    await answer;
    // It comes so late that it is not looked for any more.
    await subgraph.database.query('UPDATE online_meetings SET late_create_until = now()');
    await subgraph.runJobs({ early: true });
    expect(await rowOf(id)).toMatchObject({ status: 'CANCELLED', create_unconfirmed: false, next_attempt_at: null });
    await subgraph.simulator.clearFaults();
    await expect.poll(() => calendar()).toHaveLength(1);
    await sweep();
    expect(await calendar()).toEqual([]);
    expect(await read(id)).toMatchObject({ status: 'CANCELLED', joinUrl: null });
  });

  it('is removed: its cancellation was confirmed, and it is still there', async () => {
    const { id } = await schedule();
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/cancel$' }, status: 202, body: null });
    expect(await cancel(id)).toMatchObject({ userErrors: [], meeting: { status: 'CANCELLED' } });
    expect(await calendar()).toHaveLength(1);
    await sweep();
    expect(await calendar()).toEqual([]);
    expect(await reconciled(id)).toEqual(['orphan']);
  });

  it('is given to the failed meeting that it was made for', async () => {
    const { meeting } = await failingCreate();
    const id = meeting?.id ?? '';
    const eventId = await makeEvent(id);
    await sweep();
    await subgraph.runJobs();
    expect(await idsInCalendar()).toEqual([eventId]);
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', failure: null, joinUrl: expect.any(String) });
    // It is what the meeting wants, not what was left.
    expect(await calendar()).toMatchObject([
      { subject: 'Quarterly review', attendees: [{ address: 'jane@acme.example' }] },
    ]);
    expect(await reconciled(id)).toEqual(['adopted']);
  });

  it('is not given up at once with its meeting, however long that failed before', async () => {
    const { meeting } = await failingCreate();
    const id = meeting?.id ?? '';
    await makeEvent(id);
    await subgraph.database.query(
      "UPDATE online_meetings SET failing_since = now() - interval '2 days', failed_attempts = 40",
    );
    await sweep();
    await subgraph.simulator.addFault({ match: { method: 'GET', path: '/events/' }, status: 503, times: 3 });
    await subgraph.runJobs();
    expect(await read(id)).toMatchObject({ status: 'PROVISIONING', failure: { willRetryAt: expect.any(String) } });
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', failure: null });
  });

  it('is not judged while somebody works on its meeting, and removed afterwards', async () => {
    const { id } = await schedule();
    const eventIds = [await eventIdOf(id), await makeEvent(id)];
    await subgraph.database.query("UPDATE online_meetings SET leased_until = now() + interval '30 seconds'");
    await sweep();
    expect(await idsInCalendar()).toEqual(eventIds);
    await subgraph.database.query('UPDATE online_meetings SET leased_until = NULL');
    await sweep();
    expect(await idsInCalendar()).toEqual(eventIds.slice(0, 1));
  });
});

describe('after the database was restored from a backup', () => {
  it('an event whose meeting is lost gets it back, with its link, and can be changed again', async () => {
    const { id, joinUrl, subject } = await schedule({ attendees: [{ emailAddress: 'jane@acme.example' }] });
    await subgraph.database.query('DELETE FROM online_meetings WHERE id = $1', [id]);
    await sweep();
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', joinUrl, subject });
    const [row] = await subgraph.database.query('SELECT appointment_id, version, synced_version FROM online_meetings');
    expect(row).toMatchObject({ appointment_id: expect.stringMatching(/./), version: 1, synced_version: 1 });
    expect(await reschedule(id)).toMatchObject({ meeting: { joinUrl, failure: null }, userErrors: [] });
    expect(await calendar()).toMatchObject([{ attendees: [{ address: 'jane@acme.example' }] }]);
    expect(await driftCount('adopted')).toBeGreaterThan(0);
  });

  it('an event whose appointment has another meeting by now is removed', async () => {
    const { id } = await schedule({ appointmentId: 'restored' });
    await subgraph.database.query('DELETE FROM online_meetings WHERE id = $1', [id]);
    const second = await schedule({ appointmentId: 'restored' });
    await sweep();
    expect(await idsInCalendar()).toEqual([await eventIdOf(second.id)]);
  });
});
