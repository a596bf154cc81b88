import { describe, expect, it } from 'vitest';
import { activate, type CreatedMeeting, createMeeting, mutate } from '../../support/setup.ts';
import {
  admin,
  fail,
  heldMeeting,
  MEETING,
  newMeeting,
  type RefreshedMeeting,
  refresh,
  subgraph,
  takesPlace,
  useRefreshing,
} from './refreshing.ts';
import { ACME, branches, mendMicrosoft } from './support.ts';

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const PAST = { startsAt: hoursAgo(3), endsAt: hoursAgo(2) };

const sql = (text: string, meeting: CreatedMeeting) => subgraph.database.query(text, [meeting.id]);

useRefreshing();

describe('a refresh that cannot be', () => {
  it.each([true, false])('the Teams policy is missing (online meeting known: %s)', async (isResolved) => {
    const { meeting } = await heldMeeting();
    if (!isResolved) await sql('UPDATE online_meetings SET graph_online_meeting_id = NULL WHERE id = $1', meeting);
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [] });
    const { newRecordings, newTranscripts, userErrors, meeting: after } = await refresh(meeting.id);
    expect([newRecordings, newTranscripts]).toEqual([0, 0]);
    expect(new Set(userErrors.map(({ code }) => code))).toEqual(new Set(['POLICY_MISSING']));
    expect(userErrors[0]?.remedy).toMatch(/Grant-CsApplicationAccessPolicy/);
    expect(after?.artifactCapture).toMatchObject({
      state: 'BLOCKED',
      attempts: 1,
      failure: { code: 'POLICY_MISSING' },
    });
    await mendMicrosoft(subgraph);
    expect(await refresh(meeting.id)).toMatchObject({
      newRecordings: 1,
      newTranscripts: 1,
      userErrors: [],
      meeting: { artifactCapture: { state: 'READY', failure: null } },
    });
  });

  it('the meeting has expired at Microsoft', async () => {
    const { meeting, call } = await heldMeeting();
    await subgraph.simulator.expireMeeting(ACME.directoryId, call.meetingId);
    const { userErrors } = await refresh(meeting.id);
    expect(branches(userErrors)).toEqual([
      { code: 'NOT_FOUND', path: 'recordings' },
      { code: 'NOT_FOUND', path: 'transcripts' },
    ]);
  });

  it.each(['empty', 'notFound'] as const)(
    'Microsoft knows no online meeting with the link, and says %s',
    async (answer) => {
      await subgraph.simulator.setJoinUrlMiss(answer);
      const meeting = await newMeeting();
      await sql(
        "UPDATE online_meetings SET graph_online_meeting_id = NULL, join_url = join_url || '&gone=1' WHERE id = $1",
        meeting,
      );
      expect(await refresh(meeting.id)).toMatchObject({
        userErrors: [{ code: 'NOT_FOUND', remedy: expect.stringMatching(/60 days/) }],
        meeting: { artifactCapture: { failure: { code: 'NOT_FOUND' } } },
      });
    },
  );

  it('the meeting has no calendar event behind it', async () => {
    const meeting = await newMeeting();
    await sql('UPDATE online_meetings SET is_calendar_backed = false WHERE id = $1', meeting);
    await subgraph.simulator.clearRequests();
    const answer = await refresh(meeting.id);
    expect(answer).toMatchObject({
      newRecordings: 0,
      newTranscripts: 0,
      meeting: { artifactCapture: { state: 'NOT_SUPPORTED', attempts: 0 } },
    });
    expect(branches(answer.userErrors)).toEqual([{ code: 'MEETING_NOT_CALENDAR_BACKED', path: 'input.meetingId' }]);
    expect(await subgraph.simulator.requests()).toEqual([]);
  });

  it('Microsoft has not made the meeting', async () => {
    await fail('/events$', 503);
    const { meeting } = await mutate<{ meeting: CreatedMeeting }>(
      subgraph,
      admin,
      'mutation ($input: CreateTeamsMeetingInput!) { createTeamsMeeting(input: $input) { meeting { id } } }',
      { appointmentId: 'appt-refresh-failed', subject: 'x', ...PAST },
    );
    expect(await refresh(meeting.id)).toMatchObject({
      userErrors: [{ code: 'CONFLICT' }],
      meeting: { status: 'PROVISIONING', artifactCapture: { state: 'NOT_DUE', attempts: 0 } },
    });
  });

  it('no app is connected any more', async () => {
    const token = await activate(subgraph, 'tenant-b');
    const meeting = await createMeeting(subgraph, token);
    await subgraph.database.query("DELETE FROM microsoft_apps WHERE tenant_id = 'tenant-b'");
    expect(await refresh(meeting.id, token)).toMatchObject({
      userErrors: [{ code: 'NOT_CONFIGURED' }],
      meeting: { id: meeting.id },
    });
  });

  it('an unknown id, a malformed id and another tenant’s id are one and the same answer', async () => {
    const { meeting } = await heldMeeting();
    const stranger = await subgraph.tokens.token('admin', { tenant_id: 'tenant-stranger' });
    const answers = await Promise.all([
      refresh('0190a000-0000-7000-8000-000000000000'),
      refresh('nonsense'),
      refresh(meeting.id, stranger),
    ]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({
      newRecordings: 0,
      newTranscripts: 0,
      meeting: null,
      userErrors: [{ code: 'NOT_FOUND', path: ['input', 'meetingId'] }],
    });
    expect((await refresh(meeting.id)).meeting?.artifactCapture.attempts).toBe(1);
  });
});

describe('how far the capture is', () => {
  const captureOf = async ({ id }: CreatedMeeting) => {
    const { data, errors } = await subgraph.send<{ teamsMeeting: RefreshedMeeting }>(
      admin,
      `query ($id: ID!) { teamsMeeting(id: $id) { ${MEETING} } }`,
      { id },
    );
    expect(errors).toEqual([]);
    return data?.teamsMeeting.artifactCapture;
  };

  it('goes from NOT_DUE over PENDING to READY as the meeting ends and Microsoft has something', async () => {
    const meeting = await newMeeting();
    expect(await captureOf(meeting)).toEqual({
      state: 'NOT_DUE',
      attempts: 0,
      lastAttemptAt: null,
      nextAttemptAt: null,
      failure: null,
    });
    await sql(
      "UPDATE online_meetings SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour' WHERE id = $1",
      meeting,
    );
    expect(await captureOf(meeting)).toMatchObject({ state: 'PENDING', attempts: 0 });
    expect(await refresh(meeting.id)).toMatchObject({
      newRecordings: 0,
      newTranscripts: 0,
      userErrors: [],
      meeting: {
        status: 'ENDED',
        artifactCapture: { state: 'PENDING', attempts: 1, lastAttemptAt: expect.stringMatching(/Z$/) },
      },
    });
    await takesPlace(meeting, { transcripts: 0 });
    expect((await refresh(meeting.id)).meeting?.artifactCapture).toMatchObject({
      state: 'READY',
      attempts: 2,
      failure: null,
    });
  });

  it('is PENDING, not BLOCKED, after trouble that passes by itself', async () => {
    const meeting = await newMeeting(PAST);
    await fail('/onlineMeetings/', 503);
    expect((await refresh(meeting.id)).meeting?.artifactCapture).toMatchObject({
      state: 'PENDING',
      failure: { code: 'GRAPH_UNAVAILABLE' },
    });
  });

  it('is BLOCKED while somebody has to act, and not any more once they did', async () => {
    const meeting = await newMeeting(PAST);
    await subgraph.simulator.updateDirectory(ACME.directoryId, { graphTranscriptAccess: false });
    expect((await refresh(meeting.id)).meeting?.artifactCapture).toMatchObject({
      state: 'BLOCKED',
      failure: { code: 'TRANSCRIPT_ACCESS_DISABLED', remedy: expect.stringMatching(/Set-CsTeamsMeetingConfiguration/) },
    });
    await mendMicrosoft(subgraph);
    expect((await refresh(meeting.id)).meeting?.artifactCapture).toMatchObject({ state: 'PENDING', failure: null });
  });
});
