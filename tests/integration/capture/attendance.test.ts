import { describe, expect, it } from 'vitest';
import { REFRESH, succeed } from '../../support/setup.ts';
import { ACME, ALWAYS, forgetTokens, ROLES } from '../domain/support.ts';
import {
  admin,
  calls,
  capture,
  endedMeeting,
  HOUR_MS,
  MINUTE_MS,
  read,
  subgraph,
  takesPlace,
  useCapture,
} from './support.ts';

useCapture();

const ROLE = 'OnlineMeetingArtifact.Read.All';
const PARTICIPANTS = [
  { name: 'Jane Client', emailAddress: 'jane@acme.example', role: 'Attendee', seconds: 1200 },
  { name: 'Guest', role: 'Attendee', seconds: 60 },
];

async function grant(isGranted: boolean): Promise<void> {
  const roles = [...ROLES.filter((role) => role !== ROLE), ...(isGranted ? [ROLE] : [])];
  await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { roles });
  await forgetTokens(subgraph);
}

const ATTENDANCE = /\/attendanceReports/;

describe('attendance', () => {
  it('is stored where the permission was granted, once a call, and shown to the MSP', async () => {
    await grant(true);
    const meeting = await endedMeeting();
    await takesPlace(meeting, { participants: PARTICIPANTS, durationSeconds: 1800 });
    await capture();
    await takesPlace(meeting, { participants: PARTICIPANTS.slice(1), recordings: 1, transcripts: 0 });
    await succeed(subgraph, admin, REFRESH, { meetingId: meeting.id });
    await succeed(subgraph, admin, REFRESH, { meetingId: meeting.id });
    const { attendanceReports } = await read(meeting);
    expect(attendanceReports.map(({ participantCount }) => participantCount).toSorted()).toEqual([1, 2]);
    const both = attendanceReports.find(({ participantCount }) => participantCount === 2);
    expect(both?.records).toEqual(
      expect.arrayContaining([
        { emailAddress: 'jane@acme.example', name: 'Jane Client', role: 'Attendee', totalSeconds: 1200 },
        { emailAddress: null, name: 'Guest', role: 'Attendee', totalSeconds: 60 },
      ]),
    );
  });

  it('is shown to nobody else, whatever the portal switch says', async () => {
    await grant(true);
    const meeting = await endedMeeting();
    await takesPlace(meeting, { participants: PARTICIPANTS });
    await capture();
    const client = await subgraph.tokens.token('client', { client_id: 'client-acme' });
    const service = await subgraph.tokens.token('service');
    const reader = await subgraph.tokens.token('technician', { permissions: ['teams_meeting:read'] });
    await subgraph.database.query('UPDATE teams_integrations SET show_artifacts_in_client_portal = true');
    for (const token of [client, service, reader]) expect((await read(meeting, token)).attendanceReports).toEqual([]);
    expect((await read(meeting)).attendanceReports).toHaveLength(1);
    await subgraph.database.query('UPDATE teams_integrations SET show_artifacts_in_client_portal = false');
  });

  it('without the permission is not asked for, and hinders nothing', async () => {
    await grant(false);
    const meeting = await endedMeeting(HOUR_MS);
    await takesPlace(meeting, { participants: PARTICIPANTS });
    await capture();
    expect(await calls(ATTENDANCE)).toBe(0);
    expect(await read(meeting)).toMatchObject({
      recordings: [{}],
      attendanceReports: [],
      artifactCapture: { state: 'READY', failure: null },
    });
  });

  it('of a meeting without a recording is found half an hour after the end, and not asked for at every look', async () => {
    await grant(true);
    const meeting = await endedMeeting(40 * MINUTE_MS);
    await takesPlace(meeting, { participants: PARTICIPANTS, recordings: 0, transcripts: 0 });
    await capture();
    expect(await read(meeting)).toMatchObject({ attendanceReports: [{}], artifactCapture: { state: 'PENDING' } });
    await subgraph.simulator.clearRequests();
    await subgraph.database.query('UPDATE online_meetings SET capture_next_at = now() WHERE id = $1', [meeting.id]);
    await capture();
    expect((await read(meeting)).artifactCapture.attempts).toBe(2);
    expect(await calls(ATTENDANCE)).toBe(0);
  });

  it('that cannot be read is told to who asks, and leaves recordings and transcripts alone', async () => {
    await grant(true);
    const meeting = await endedMeeting();
    await takesPlace(meeting, { participants: PARTICIPANTS });
    await subgraph.simulator.addFault({ match: { path: '/attendanceReports' }, status: 503, times: ALWAYS });
    const { data } = await subgraph.send<{
      refreshTeamsMeetingArtifacts: { userErrors: { code: string; path: string[] }[] };
    }>(admin, REFRESH, { input: { meetingId: meeting.id } });
    expect(data?.refreshTeamsMeetingArtifacts.userErrors).toMatchObject([
      { code: 'GRAPH_UNAVAILABLE', path: ['attendanceReports'] },
    ]);
    expect(await read(meeting)).toMatchObject({
      recordings: [{}],
      transcripts: [{}],
      artifactCapture: { state: 'READY', failure: null },
    });
  });

  it('of one call that cannot be read leaves that of another call of the meeting alone, and comes with the next look', async () => {
    await grant(true);
    const meeting = await endedMeeting();
    await takesPlace(meeting, { participants: PARTICIPANTS });
    await takesPlace(meeting, { participants: PARTICIPANTS.slice(1) });
    await subgraph.simulator.addFault({ match: { path: '/attendanceRecords' }, status: 400, times: 1 });
    const refresh = () =>
      subgraph.send<{ refreshTeamsMeetingArtifacts: { userErrors: { path: string[] }[] } }>(admin, REFRESH, {
        input: { meetingId: meeting.id },
      });
    const { data } = await refresh();
    expect(data?.refreshTeamsMeetingArtifacts.userErrors).toMatchObject([{ path: ['attendanceReports'] }]);
    expect((await read(meeting)).attendanceReports).toHaveLength(1);
    await refresh();
    expect((await read(meeting)).attendanceReports).toHaveLength(2);
  });
});
