import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { REFRESH, succeed } from '../../support/setup.ts';
import { startReceiver } from '../psa-events/receiver.ts';
import {
  admin,
  advanceClock,
  capture,
  endedMeeting,
  HOUR_MS,
  read,
  subgraph,
  takesPlace,
  useCapture,
} from './support.ts';

const secret = `whsec_${randomBytes(24).toString('base64')}`;
const receiver = await startReceiver(secret);
afterAll(() => receiver.close());

useCapture({ psaEvents: { url: receiver.url, secret }, isCallable: true });

/** What the PSA heard of a meeting's artifacts, in the order of arrival. */
const heard = (meetingId: string) =>
  receiver.arrivals
    .filter(({ event }) => event.type === 'teams_meeting.artifacts_ready' && event.data.meetingId === meetingId)
    .map(({ event }) => event.data.artifact);

describe('Microsoft’s word for a recording', () => {
  it('leads to it and its transcript, and to the PSA hearing of each once', async () => {
    const meeting = await endedMeeting(-HOUR_MS);
    await takesPlace(meeting, { recordings: 2 });
    await subgraph.simulator.deliveriesDone();
    await subgraph.runJobs();
    const { recordings, transcripts, artifactCapture } = await read(meeting);
    expect([recordings.length, transcripts.length, artifactCapture.state]).toEqual([2, 1, 'READY']);

    await succeed(subgraph, admin, REFRESH, { meetingId: meeting.id });
    advanceClock(3 * HOUR_MS);
    await capture();
    await subgraph.runJobs();
    const told = [
      ...recordings.map(({ id }) => ({ kind: 'recording', id })),
      ...transcripts.map(({ id }) => ({ kind: 'transcript', id })),
    ];
    expect(heard(meeting.id)).toHaveLength(told.length);
    expect(heard(meeting.id)).toEqual(expect.arrayContaining(told));
  });

  it('told again and out of order changes nothing', async () => {
    const meeting = await endedMeeting(-HOUR_MS);
    await subgraph.simulator.holdNotifications();
    await takesPlace(meeting, { recordings: 2, transcripts: 2 });
    await subgraph.simulator.releaseNotifications({ reversed: true, times: 2 });
    await subgraph.simulator.deliveriesDone();
    await subgraph.runJobs();
    expect(await read(meeting)).toMatchObject({ recordings: [{}, {}], transcripts: [{}, {}] });
    expect(heard(meeting.id)).toHaveLength(4);
  });
});
