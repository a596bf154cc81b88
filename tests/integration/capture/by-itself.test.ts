import { describe, expect, it } from 'vitest';
import { activate, REFRESH, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { ACME, ALWAYS, auditOf, literally } from '../domain/support.ts';
import {
  admin,
  advanceClock,
  calls,
  capture,
  endedMeeting,
  HOUR_MS,
  MINUTE_MS,
  read,
  scopeOf,
  stateOf,
  subgraph,
  takesPlace,
  useCapture,
} from './support.ts';

useCapture();

describe('a meeting that is over', () => {
  it('gets its recordings and transcripts without anybody asking', async () => {
    const meeting = await endedMeeting();
    await takesPlace(meeting, { recordings: 2 });
    await subgraph.runJobs({ early: true });
    expect(await read(meeting)).toMatchObject({
      recordings: [{}, {}],
      transcripts: [{ text: expect.stringContaining('Good morning') }],
      artifactCapture: { state: 'READY', attempts: 1, failure: null },
    });
    const [entry] = (await auditOf(subgraph, 'tenant-a', 'capture')).filter(
      ({ meeting_id }) => meeting_id === meeting.id,
    );
    expect(entry).toMatchObject({
      actor: 'service:background',
      outcome: 'success',
      detail: { newRecordings: 2, newTranscripts: 1 },
    });
  });

  it('is not looked at before it is over, nor in its first minute', async () => {
    const running = await endedMeeting(-HOUR_MS);
    const justOver = await endedMeeting(MINUTE_MS / 2);
    await capture();
    expect([await stateOf(running), await stateOf(justOver)]).toEqual(['NOT_DUE', 'PENDING']);
    expect(await calls(/\/(recordings|transcripts)$/)).toBe(0);
    expect((await read(justOver)).artifactCapture.nextAttemptAt).toBe(
      new Date(new Date(justOver.endsAt).getTime() + MINUTE_MS).toISOString(),
    );
  });

  it('without a call is asked about less and less often, and after 48 hours no more', async () => {
    const meeting = await endedMeeting(5 * MINUTE_MS);
    let looks = 0;
    for (;;) {
      await capture();
      looks += 1;
      const { state, attempts, nextAttemptAt } = (await read(meeting)).artifactCapture;
      expect(attempts).toBe(looks);
      await capture();
      expect((await read(meeting)).artifactCapture.attempts).toBe(looks);
      if (nextAttemptAt === null) {
        expect(state).toBe('NONE');
        break;
      }
      expect(state).toBe('PENDING');
      advanceClock(new Date(nextAttemptAt).getTime() - scopeNow() + 1);
    }
    expect(looks).toBeGreaterThan(10);
    expect(looks).toBeLessThan(20);
    await subgraph.simulator.clearRequests();
    advanceClock(24 * HOUR_MS);
    await capture();
    expect(await calls(/\/(recordings|transcripts)$/)).toBe(0);
  });

  it('that was given up is captured all the same when Microsoft tells of a recording', async () => {
    const meeting = await endedMeeting(49 * HOUR_MS);
    await capture();
    expect(await stateOf(meeting)).toBe('NONE');
    const { meetingId } = await takesPlace(meeting);
    await subgraph.services.capture.onlineMeeting(scopeOf(), ACME.organizerId, meetingId);
    expect(await read(meeting)).toMatchObject({
      recordings: [{}],
      transcripts: [{}],
      artifactCapture: { state: 'READY', nextAttemptAt: null },
    });
  });

  it('is looked at again while parts may come late', async () => {
    const meeting = await endedMeeting();
    await takesPlace(meeting, { transcripts: 0 });
    await capture();
    expect(await read(meeting)).toMatchObject({ recordings: [{}], transcripts: [] });
    await takesPlace(meeting, { recordings: 0 });
    advanceClock(HOUR_MS);
    await capture();
    expect(await read(meeting)).toMatchObject({ recordings: [{}], transcripts: [{}] });
  });

  it('and is moved to another day is looked at anew after that', async () => {
    const meeting = await endedMeeting(49 * HOUR_MS);
    await capture();
    expect(await stateOf(meeting)).toBe('NONE');
    await subgraph.database.query("UPDATE online_meetings SET ends_at = now() + interval '1 hour' WHERE id = $1", [
      meeting.id,
    ]);
    await capture();
    expect((await read(meeting)).artifactCapture.attempts).toBe(1);
    advanceClock(2 * HOUR_MS);
    await takesPlace(meeting);
    await capture();
    expect(await read(meeting)).toMatchObject({ recordings: [{}], artifactCapture: { state: 'READY' } });
  });

  it('of a tenant that is not active any more is left alone', async () => {
    const meeting = await endedMeeting();
    await takesPlace(meeting);
    await succeed(subgraph, admin, UPDATE_SETTINGS, { installStatus: 'INSTALL_PENDING' });
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await subgraph.simulator.requests({ host: 'graph' })).toEqual([]);
    await activate(subgraph);
    await subgraph.runJobs();
    await capture();
    expect(await stateOf(meeting)).toBe('READY');
  });

  it('is nobody else’s', async () => {
    const other = await activate(subgraph, 'tenant-b');
    const meeting = await endedMeeting();
    const { meetingId } = await takesPlace(meeting);
    await subgraph.services.capture.onlineMeeting(scopeOf('tenant-b'), ACME.organizerId, meetingId);
    await capture('tenant-b');
    const { data } = await subgraph.send<{ teamsMeetings: { totalCount: number } }>(
      other,
      '{ teamsMeetings { totalCount } }',
    );
    expect(data?.teamsMeetings.totalCount).toBe(0);
    expect((await read(meeting)).artifactCapture.attempts).toBe(0);
  });
});

describe('several at once', () => {
  it('two jobs and a click look at a meeting once each at most, and store nothing twice', async () => {
    const meeting = await endedMeeting();
    await takesPlace(meeting, { recordings: 2, transcripts: 2 });
    await Promise.all([capture(), capture(), succeed(subgraph, admin, REFRESH, { meetingId: meeting.id })]);
    expect(await read(meeting)).toMatchObject({ recordings: [{}, {}], transcripts: [{}, {}] });
    expect(await calls(/\/transcripts$/)).toBe(1);
  });

  it('a click storm asks Microsoft once, and everybody gets the answer', async () => {
    const meeting = await endedMeeting();
    await takesPlace(meeting, { recordings: 2 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        succeed<{ newRecordings: number; newTranscripts: number; userErrors: [] }>(subgraph, admin, REFRESH, {
          meetingId: meeting.id,
        }),
      ),
    );
    expect(answers.map(({ newRecordings, newTranscripts }) => [newRecordings, newTranscripts])).toEqual(
      Array.from({ length: 8 }, () => [2, 1]),
    );
    expect(await calls(/\/recordings$/)).toBe(1);
  });

  it('what a process left when it died is taken up by the next', async () => {
    const meeting = await endedMeeting();
    await takesPlace(meeting);
    await subgraph.database.query(
      "UPDATE online_meetings SET capture_leased_until = now() + interval '1 minute' WHERE id = $1",
      [meeting.id],
    );
    await capture();
    expect(await stateOf(meeting)).toBe('PENDING');
    advanceClock(2 * MINUTE_MS);
    await capture();
    expect(await stateOf(meeting)).toBe('READY');
  });

  it('what Microsoft tells of while a look is under way is looked at again', async () => {
    const meeting = await endedMeeting(49 * HOUR_MS);
    await capture();
    expect(await stateOf(meeting)).toBe('NONE');
    const { meetingId } = await takesPlace(meeting, { recordings: 0 });
    await subgraph.database.query('UPDATE online_meetings SET capture_next_at = now() WHERE id = $1', [meeting.id]);
    // The list is read, then the recording comes, and Microsoft tells of it before the look is stored.
    await subgraph.simulator.addFault({ match: { path: '/transcripts/.*/content' }, delayMs: 1_500 });
    const look = capture();
    await expect.poll(() => calls(/\/transcripts\/[^/]+\/content$/)).toBe(1);
    await takesPlace(meeting, { transcripts: 0 });
    await subgraph.services.capture.onlineMeeting(scopeOf(), ACME.organizerId, meetingId);
    await look;
    expect((await read(meeting)).recordings).toEqual([]);
    await capture();
    expect((await read(meeting)).recordings).toHaveLength(1);
  });

  it('a look whose lease ran out changes nothing any more', async () => {
    const meeting = await endedMeeting();
    await takesPlace(meeting, { recordings: 0 });
    await subgraph.simulator.addFault({ match: { path: '/transcripts/.*/content' }, delayMs: 1_500 });
    const look = capture();
    await expect.poll(() => calls(/\/transcripts\/[^/]+\/content$/)).toBe(1);
    const lease = "now() + interval '5 minutes'";
    await subgraph.database.query(`UPDATE online_meetings SET capture_leased_until = ${lease} WHERE id = $1`, [
      meeting.id,
    ]);
    await look;
    expect(await read(meeting)).toMatchObject({ artifactCapture: { state: 'PENDING', attempts: 0 } });
  });

  it('a meeting of long ago whose link is in use again is captured', async () => {
    const meeting = await endedMeeting(100 * 24 * HOUR_MS);
    await capture();
    expect((await read(meeting)).artifactCapture.attempts).toBe(0);
    const { meetingId } = await takesPlace(meeting, { startedAt: new Date().toISOString() });
    await subgraph.services.capture.onlineMeeting(scopeOf(), ACME.organizerId, meetingId);
    expect(await read(meeting)).toMatchObject({ recordings: [{}], artifactCapture: { state: 'READY' } });
  });

  it('one of two transcripts that is gone does not keep the other from being fetched later', async () => {
    const meeting = await endedMeeting(50 * HOUR_MS);
    const { transcripts } = await takesPlace(meeting, { recordings: 0, transcripts: 2 });
    const content = (index: number) => `/transcripts/${literally(transcripts[index]?.id ?? '')}/content`;
    await subgraph.simulator.addFault({ match: { path: content(0) }, status: 404, times: ALWAYS });
    await subgraph.simulator.addFault({ match: { path: content(1) }, status: 503, times: ALWAYS });
    await capture();
    expect((await read(meeting)).artifactCapture.nextAttemptAt).not.toBeNull();
    await subgraph.simulator.clearFaults();
    advanceClock(7 * HOUR_MS);
    await capture();
    expect((await read(meeting)).transcripts).toHaveLength(2);
  });

  it('one meeting that cannot be read does not keep the others', async () => {
    const broken = await endedMeeting();
    const { meetingId } = await takesPlace(broken);
    const good = await endedMeeting();
    await takesPlace(good);
    await subgraph.simulator.addFault({
      match: { path: encodeURIComponent(meetingId).replace(/[.*+?^${}()|[\]\\]/g, '\\$&') },
      status: 500,
      times: ALWAYS,
    });
    await capture();
    expect([await stateOf(broken), await stateOf(good)]).toEqual(['PENDING', 'READY']);
    await subgraph.simulator.clearFaults();
    advanceClock(HOUR_MS);
    await capture();
    expect(await stateOf(broken)).toBe('READY');
  });
});

/** The subgraph's time. */
function scopeNow(): number {
  return subgraph.services.clock().getTime();
}
