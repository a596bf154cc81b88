import { describe, expect, it } from 'vitest';
import { succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { ACME, forgetTokens, mendMicrosoft } from '../domain/support.ts';
import {
  admin,
  advanceClock,
  calls,
  capture,
  endedMeeting,
  HOUR_MS,
  read,
  setRoles,
  stateOf,
  subgraph,
  takesPlace,
  useCapture,
} from './support.ts';

useCapture();

const LISTS = /\/onlineMeetings\/[^/]+\/(recordings|transcripts)$/;

const switchTranscripts = (graphTranscriptAccess: boolean) =>
  subgraph.simulator.updateDirectory(ACME.directoryId, { graphTranscriptAccess });

/** Lets hours pass, with a job in each. */
async function hoursPass(hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour += 1) {
    advanceClock(HOUR_MS);
    await capture();
  }
}

describe('what Microsoft refuses for good', () => {
  it.each([
    [
      'the Teams policy',
      () => subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [] }),
      'POLICY_MISSING',
      /Grant-CsApplicationAccessPolicy/,
    ],
    [
      'both roles',
      () =>
        subgraph.simulator
          .updateApp(ACME.directoryId, ACME.clientId, { roles: ['Calendars.ReadWrite', 'OnlineMeetings.Read.All'] })
          .then(() => forgetTokens(subgraph)),
      'PERMISSION_MISSING',
      /admin consent/,
    ],
  ])('is %s: BLOCKED, with the remedy, and not asked again', async (_, refuse, code, remedy) => {
    const meeting = await endedMeeting();
    await takesPlace(meeting);
    await refuse();
    await capture();
    expect((await read(meeting)).artifactCapture).toMatchObject({
      state: 'BLOCKED',
      attempts: 1,
      nextAttemptAt: null,
      failure: { code, remedy: expect.stringMatching(remedy) },
    });
    await subgraph.simulator.clearRequests();
    await hoursPass(12);
    expect(await calls(LISTS)).toBe(0);
    expect((await read(meeting)).artifactCapture.attempts).toBe(1);
  });

  it('transcripts alone: recordings are awaited on, and transcripts not asked for again', async () => {
    await switchTranscripts(false);
    const meeting = await endedMeeting();
    await capture();
    expect((await read(meeting)).artifactCapture).toMatchObject({
      state: 'BLOCKED',
      nextAttemptAt: expect.any(String),
      failure: { code: 'TRANSCRIPT_ACCESS_DISABLED', remedy: expect.stringMatching(/EnableGraphTranscriptAccess/) },
    });
    await takesPlace(meeting);
    await subgraph.simulator.clearRequests();
    await hoursPass(1);
    expect(await read(meeting)).toMatchObject({
      recordings: [{}],
      transcripts: [],
      artifactCapture: { state: 'BLOCKED', failure: { code: 'TRANSCRIPT_ACCESS_DISABLED' } },
    });
    expect(await calls(/\/onlineMeetings\/[^/]+\/transcripts$/)).toBe(0);
  });

  it('is looked at again at once when an administrator saves the settings', async () => {
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [] });
    const meeting = await endedMeeting();
    await takesPlace(meeting);
    await capture();
    expect(await stateOf(meeting)).toBe('BLOCKED');
    await mendMicrosoft(subgraph);
    await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: true });
    await subgraph.runJobs();
    expect(await read(meeting)).toMatchObject({
      recordings: [{}],
      transcripts: [{}],
      artifactCapture: { state: 'READY', failure: null },
    });
  });

  it('and is allowed in the Teams admin centre is noticed within the hour, days later too', async () => {
    await switchTranscripts(false);
    const meeting = await endedMeeting();
    await takesPlace(meeting);
    await capture();
    await hoursPass(60);
    expect(await read(meeting)).toMatchObject({ transcripts: [], artifactCapture: { state: 'BLOCKED' } });
    await switchTranscripts(true);
    await hoursPass(2);
    expect(await read(meeting)).toMatchObject({
      transcripts: [{}],
      artifactCapture: { state: 'READY', failure: null },
    });
  });

  it('of a role that comes by consent alone, likewise', async () => {
    await setRoles({ without: 'OnlineMeetingRecording.Read.All' });
    const meeting = await endedMeeting();
    await takesPlace(meeting);
    await capture();
    expect(await read(meeting)).toMatchObject({
      recordings: [],
      transcripts: [{}],
      artifactCapture: { state: 'BLOCKED', failure: { code: 'PERMISSION_MISSING' } },
    });
    await setRoles({});
    await hoursPass(2);
    expect(await read(meeting)).toMatchObject({ recordings: [{}], artifactCapture: { state: 'READY' } });
  });

  it('and is shown to client users as nothing at all', async () => {
    await switchTranscripts(false);
    const meeting = await endedMeeting();
    await capture();
    const client = await subgraph.tokens.token('client', { tenant_id: 'tenant-a', client_id: 'client-acme' });
    expect((await read(meeting, client)).artifactCapture).toEqual({
      state: 'PENDING',
      attempts: 0,
      lastAttemptAt: null,
      nextAttemptAt: null,
      failure: null,
    });
  });
});
