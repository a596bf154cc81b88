import { describe, expect, it } from 'vitest';
import type { MeetingTookPlaceInput } from '../../../simulator/control.ts';
import { CLIENT_ID, DIRECTORY, GUID, ORGANIZER, ORGANIZER_UPN, useSimulator } from './support.ts';

const sim = useSimulator();
const OTHER_USER = {
  directoryId: DIRECTORY,
  id: 'aaaaaaaa-0000-4000-8000-00000000000c',
  userPrincipalName: 'other@acme.example',
};

async function held(input: Partial<MeetingTookPlaceInput> = {}) {
  const { path, meetingId } = await sim.createMeeting();
  const result = await sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId, ...input });
  const reports = `${path}/attendanceReports`;
  return { path, meetingId, result, reports, report: `${reports}/${result.attendanceReportId}` };
}

const get = async (path: string) => {
  const { status, text } = await sim.call('GET', path);
  return { status, json: JSON.parse(text) };
};

describe('attendance reports', () => {
  it('are one a call, without their records', async () => {
    const { meetingId, reports, result } = await held({ durationSeconds: 600 });
    const again = await sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId, participants: [] });
    const { status, json } = await get(reports);
    expect(status).toBe(200);
    expect(json.value).toEqual([
      {
        id: result.attendanceReportId,
        totalParticipantCount: 2,
        meetingStartDateTime: '2030-07-01T09:00:00.0000000Z',
        meetingEndDateTime: '2030-07-01T09:10:00.0000000Z',
        externalEventInformation: [],
      },
      expect.objectContaining({ id: again.attendanceReportId, totalParticipantCount: 0 }),
    ]);
  });

  it('are empty before a call, and before they are available', async () => {
    const { path } = await sim.createMeeting();
    expect((await get(`${path}/attendanceReports`)).json.value).toEqual([]);
    const { reports, report } = await held({ availableAfterSeconds: 60 });
    expect((await get(reports)).json.value).toEqual([]);
    expect((await get(report)).status).toBe(404);
  });

  it('have a record for everybody who spoke', async () => {
    const utterances = ['Acme scheduling', 'Zoë Guest', 'Acme scheduling'].map((speaker) => ({ speaker, text: 'Hi' }));
    const { report } = await held({ utterances, durationSeconds: 600 });
    const { json } = await get(`${report}/attendanceRecords`);
    expect(json.value).toMatchObject([
      {
        id: expect.stringMatching(GUID),
        emailAddress: ORGANIZER_UPN,
        role: 'Organizer',
        totalAttendanceInSeconds: 600,
        identity: { id: ORGANIZER, displayName: 'Acme scheduling', tenantId: DIRECTORY },
        attendanceIntervals: [
          {
            joinDateTime: '2030-07-01T09:00:00.0000000Z',
            leaveDateTime: '2030-07-01T09:10:00.0000000Z',
            durationInSeconds: 600,
          },
        ],
      },
      { emailAddress: null, role: 'Attendee', identity: { id: null, displayName: 'Zoë Guest', tenantId: null } },
    ]);
  });

  it('have the participants that a test names', async () => {
    const participants = [{ name: 'Ann', emailAddress: 'ann@client.example', role: 'Presenter', seconds: 42 }];
    const { report } = await held({ participants });
    const { json } = await get(`${report}?$expand=attendanceRecords`);
    expect(json).toMatchObject({
      totalParticipantCount: 1,
      attendanceRecords: [{ emailAddress: 'ann@client.example', role: 'Presenter', totalAttendanceInSeconds: 42 }],
    });
    expect((await get(report)).json.attendanceRecords).toBeUndefined();
    expect((await get(`${report}?$expand=children`)).status).toBe(400);
    expect((await get(`${report}?$select=totalParticipantCount`)).json).not.toHaveProperty('meetingStartDateTime');
  });

  it('have pages', async () => {
    const { report } = await held({ participants: ['A', 'B', 'C'].map((name) => ({ name })) });
    await sim.control.setPaging({ pageSize: 2 });
    const first = await get(`${report}/attendanceRecords`);
    const second = await get(first.json['@odata.nextLink']);
    expect([first.json.value.length, second.json.value.length]).toEqual([2, 1]);
  });

  it('need their role and the Teams policy', async () => {
    const { reports } = await held();
    const token = await sim.tokenWithRoles('OnlineMeetings.Read.All', 'OnlineMeetingRecording.Read.All');
    expect((await sim.call('GET', reports, { token })).status).toBe(403);
    const fit = await sim.tokenWithRoles('OnlineMeetingArtifact.Read.All');
    expect((await sim.call('GET', reports, { token: fit })).status).toBe(200);
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    expect((await sim.call('GET', reports, { token: fit })).status).toBe(403);
  });

  it('are not to be had of an expired meeting, nor by another organizer’s path', async () => {
    const { reports, report, meetingId } = await held();
    const other = { ...OTHER_USER, teamsPolicyAppIds: [CLIENT_ID] };
    await sim.control.putUser(other);
    expect((await get(reports.replace(ORGANIZER, other.id))).status).toBe(404);
    await sim.control.expireMeeting(DIRECTORY, meetingId);
    expect([(await get(reports)).status, (await get(report)).status]).toEqual([404, 404]);
  });
});

describe('artifacts that are taken away', () => {
  it.each([404, 410] as const)('are gone from the lists, and their content answers %i', async (gone) => {
    const { path, result } = await held();
    await sim.control.setArtifactContent({ gone });
    for (const kind of ['recordings', 'transcripts'] as const) {
      const id = result[kind][0]?.id ?? '';
      await sim.control.deleteArtifact(DIRECTORY, id);
      expect((await get(`${path}/${kind}`)).json.value).toEqual([]);
      expect((await get(`${path}/${kind}/${encodeURIComponent(id)}`)).status).toBe(gone);
      expect((await get(`${path}/${kind}/${encodeURIComponent(id)}/content`)).status).toBe(gone);
      expect((await get(`${path}/${kind}/never-there/content`)).status).toBe(404);
    }
  });

  it.each([404, 410] as const)('are gone from the second host with %i too', async (gone) => {
    const { path, result } = await held();
    await sim.control.setContentMode('redirect');
    const id = result.recordings[0]?.id ?? '';
    const redirect = await sim.raw('GET', `${path}/recordings/${encodeURIComponent(id)}/content`);
    await sim.control.setArtifactContent({ gone });
    await sim.control.deleteArtifact(DIRECTORY, id);
    expect((await fetch(redirect.headers.get('location') ?? '')).status).toBe(gone);
  });

  it.each([400, 404, 500] as const)('have no words: content answers %i, the list shows them', async (wordless) => {
    const { path, result } = await held({ utterances: [] });
    await sim.control.setArtifactContent({ wordless });
    const id = encodeURIComponent(result.transcripts[0]?.id ?? '');
    expect((await get(`${path}/transcripts`)).json.value).toHaveLength(1);
    expect((await get(`${path}/transcripts/${id}/content`)).status).toBe(wordless);
    expect((await get(`${path}/transcripts/${id}/metadataContent`)).status).toBe(wordless);
  });
});
