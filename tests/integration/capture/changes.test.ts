import { describe, expect, it } from 'vitest';
import { ALWAYS } from '../domain/support.ts';
import {
  advanceClock,
  capture,
  endedMeeting,
  HOUR_MS,
  MINUTE_MS,
  read,
  roundTrips,
  stateOf,
  subgraph,
  takesPlace,
  useCapture,
} from './support.ts';

useCapture();

const LONG_AGO = 50 * HOUR_MS;

async function anHourPasses(): Promise<void> {
  advanceClock(HOUR_MS + MINUTE_MS);
  await capture();
}

/** A meeting that was given up, of which Microsoft's changes were read. */
async function givenUp() {
  const meeting = await endedMeeting(LONG_AGO);
  await capture();
  expect(await stateOf(meeting)).toBe('NONE');
  return meeting;
}

describe('what is new over all meetings of an organizer', () => {
  it('brings what comes long after the looks have ended', async () => {
    const meeting = await givenUp();
    await takesPlace(meeting);
    await anHourPasses();
    expect(await read(meeting)).toMatchObject({
      recordings: [{}],
      transcripts: [{}],
      artifactCapture: { state: 'READY', attempts: 2 },
    });
  });

  it('is asked for once an hour, by two calls, and costs no look while there is nothing', async () => {
    const meeting = await givenUp();
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await roundTrips()).toBe(0);
    await anHourPasses();
    expect(await roundTrips()).toBe(2);
    expect((await read(meeting)).artifactCapture.attempts).toBe(1);
  });

  it('survives that Microsoft forgets how far was read', async () => {
    const meeting = await givenUp();
    await takesPlace(meeting);
    await subgraph.simulator.expireDeltaTokens();
    await anHourPasses();
    expect(await stateOf(meeting)).toBe('READY');
  });

  it('may be told again and again, and is looked at once', async () => {
    const meeting = await givenUp();
    await subgraph.simulator.setCrossMeeting({ restartsAfterEmptyPage: true, deltaRepeats: true });
    await takesPlace(meeting);
    for (let hours = 0; hours < 3; hours += 1) await anHourPasses();
    await subgraph.simulator.setCrossMeeting({});
    expect(await read(meeting)).toMatchObject({
      recordings: [{}],
      transcripts: [{}],
      artifactCapture: { state: 'READY', attempts: 2 },
    });
  });

  it('finds the meeting also where its id at Teams was never learned', async () => {
    const meeting = await givenUp();
    await subgraph.database.query('UPDATE online_meetings SET graph_online_meeting_id = NULL WHERE id = $1', [
      meeting.id,
    ]);
    await takesPlace(meeting);
    await anHourPasses();
    expect(await read(meeting)).toMatchObject({ recordings: [{}], transcripts: [{}] });
  });

  it('that leaves out recordings without a transcript is not relied upon alone', async () => {
    await subgraph.simulator.setCrossMeeting({ recordingsWithoutTranscript: 'leftOut' });
    const meeting = await endedMeeting();
    await capture();
    await takesPlace(meeting, { transcripts: 0 });
    await anHourPasses();
    await subgraph.simulator.setCrossMeeting({});
    expect(await read(meeting)).toMatchObject({ recordings: [{}], artifactCapture: { state: 'READY' } });
  });

  it('that cannot be read does not keep meetings from being looked at, and is read the next time', async () => {
    await subgraph.simulator.addFault({ match: { path: '/getAll' }, status: 500, times: ALWAYS });
    const recent = await endedMeeting();
    await takesPlace(recent);
    const old = await givenUp();
    expect(await stateOf(recent)).toBe('READY');
    await takesPlace(old);
    await anHourPasses();
    expect(await stateOf(old)).toBe('NONE');
    await subgraph.simulator.clearFaults();
    await anHourPasses();
    expect(await stateOf(old)).toBe('READY');
  });
});
