import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { MeetingTookPlaceInput, MeetingTookPlaceResult } from '../../../simulator/control-types.ts';
import { activate, type CreatedMeeting, createMeeting, mutate, type UserErrorAnswer } from '../../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, ALWAYS, auditOf, branches, forgetTokens, literally, mendMicrosoft, WITHOUT_WAITS } from './support.ts';

const MEETING = `id status recordings { id createdAt endedAt durationSeconds contentType storage }
  transcripts { id createdAt endedAt isSpeakerAttributed text vttUrl recording { id } speakers { name } cues { edges { node { speaker text } } } }
  artifactCapture { state attempts lastAttemptAt nextAttemptAt failure { code message remedy graphRequestId } }`;
const REFRESH = `mutation ($input: RefreshTeamsMeetingArtifactsInput!) { refreshTeamsMeetingArtifacts(input: $input) { newRecordings newTranscripts meeting { ${MEETING} } userErrors { code message path remedy } } }`;

interface RefreshedMeeting {
  id: string;
  status: string;
  recordings: { id: string; createdAt: string; endedAt: string | null; durationSeconds: number | null; contentType: string; storage: string }[];
  transcripts: { id: string; createdAt: string; isSpeakerAttributed: boolean; text: string; vttUrl: string; recording: { id: string } | null; speakers: { name: string }[]; cues: { edges: { node: { speaker: string | null; text: string } }[] } }[];
  artifactCapture: { state: string; attempts: number; lastAttemptAt: string | null; nextAttemptAt: string | null; failure: { code: string; remedy: string | null; graphRequestId: string | null } | null };
}

interface RefreshAnswer {
  newRecordings: number;
  newTranscripts: number;
  meeting: RefreshedMeeting | null;
  userErrors: UserErrorAnswer[];
}

const ROLES = ['Calendars.ReadWrite', 'OnlineMeetings.ReadWrite.All', 'OnlineMeetingRecording.Read.All', 'OnlineMeetingTranscript.Read.All', 'User.Read.All'];
const PAST = { startsAt: '2026-01-15T10:00:00Z', endsAt: '2026-01-15T11:00:00Z' };

let subgraph: TestSubgraph;
let admin: string;
let appointments = 0;

const refresh = (meetingId: string, token = admin) => mutate<RefreshAnswer>(subgraph, token, REFRESH, { meetingId });

function newMeeting(over: object = {}): Promise<CreatedMeeting> {
  appointments += 1;
  return createMeeting(subgraph, admin, { appointmentId: `appt-refresh-${appointments}`, ...over });
}

const takesPlace = (meeting: CreatedMeeting, over: Partial<MeetingTookPlaceInput> = {}): Promise<MeetingTookPlaceResult> =>
  subgraph.simulator.meetingTookPlace({ directoryId: ACME.directoryId, joinUrl: meeting.joinUrl ?? '', ...over });

/** A meeting that took place with one recording and one transcript, none of them fetched. */
async function heldMeeting(over: Partial<MeetingTookPlaceInput> = {}): Promise<{ meeting: CreatedMeeting; call: MeetingTookPlaceResult }> {
  const meeting = await newMeeting();
  return { meeting, call: await takesPlace(meeting, over) };
}

const fail = (path: string, status: number, body?: object) => subgraph.simulator.addFault({ match: { path }, status, ...(body === undefined ? {} : { body: { error: body } }), times: ALWAYS });

async function withoutRole(role: string): Promise<void> {
  await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { roles: ROLES.filter((one) => one !== role) });
  await forgetTokens(subgraph);
}

const sql = (text: string, meeting: CreatedMeeting) => subgraph.database.query(text, [meeting.id]);

beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
  admin = await activate(subgraph);
});
afterEach(async () => {
  await mendMicrosoft(subgraph);
  await forgetTokens(subgraph);
});
afterAll(() => subgraph.close());

describe('a refresh', () => {
  it('stores what is new, tells how many, and stores nothing twice', async () => {
    const { meeting } = await heldMeeting({ recordings: 2, transcripts: 2, durationSeconds: 1200 });
    const first = await refresh(meeting.id);
    expect(first).toMatchObject({ newRecordings: 2, newTranscripts: 2, userErrors: [] });
    expect(first.meeting?.recordings).toMatchObject([
      { durationSeconds: 600, contentType: 'video/mp4', storage: 'GRAPH', createdAt: '2036-12-01T10:00:00.000Z', endedAt: '2036-12-01T10:10:00.000Z' },
      { durationSeconds: 600, createdAt: '2036-12-01T10:10:00.000Z', endedAt: '2036-12-01T10:20:00.000Z' },
    ]);
    expect(first.meeting?.transcripts.map(({ recording }) => recording?.id)).toEqual(first.meeting?.recordings.map(({ id }) => id));
    const second = await refresh(meeting.id);
    expect(second).toMatchObject({ newRecordings: 0, newTranscripts: 0, userErrors: [] });
    expect(second.meeting?.recordings).toEqual(first.meeting?.recordings);
    expect(second.meeting?.transcripts.map(({ id }) => id)).toEqual(first.meeting?.transcripts.map(({ id }) => id));
    expect(second.meeting?.artifactCapture).toMatchObject({ state: 'READY', attempts: 2, failure: null });
    expect((await auditOf(subgraph, 'tenant-a', 'refresh')).filter(({ meeting_id }) => meeting_id === meeting.id)).toMatchObject([
      { outcome: 'success', detail: { newRecordings: 2, newTranscripts: 2 } },
      { outcome: 'success', detail: { newRecordings: 0, newTranscripts: 0 } },
    ]);
  });

  it('finds what a second call in the same meeting added', async () => {
    const { meeting } = await heldMeeting();
    await refresh(meeting.id);
    await takesPlace(meeting, { startedAt: '2036-12-02T10:00:00Z', transcripts: 0 });
    expect(await refresh(meeting.id)).toMatchObject({ newRecordings: 1, newTranscripts: 0, userErrors: [], meeting: { recordings: [{}, {}], transcripts: [{}] } });
  });

  it('fetches no text again that is stored', async () => {
    const { meeting } = await heldMeeting();
    await refresh(meeting.id);
    await subgraph.simulator.clearRequests();
    await refresh(meeting.id);
    expect(await subgraph.simulator.requests({ path: '/transcripts/.*/content' })).toEqual([]);
  });

  it('five times at the same moment stores each once', async () => {
    const { meeting } = await heldMeeting({ recordings: 2, transcripts: 2 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(meeting.id)));
    const sum = (pick: (answer: RefreshAnswer) => number) => answers.map(pick).reduce((a, b) => a + b, 0);
    expect([sum(({ newRecordings }) => newRecordings), sum(({ newTranscripts }) => newTranscripts)]).toEqual([2, 2]);
    expect(answers.flatMap(({ userErrors }) => userErrors)).toEqual([]);
    expect((await refresh(meeting.id)).meeting).toMatchObject({ recordings: [{}, {}], transcripts: [{}, {}] });
  });

  it.each([{ pageSize: 1 }, { emptyPageFirst: true }, { pageSize: 1, emptyPageFirst: true }])('reads every page: %j', async (paging) => {
    await subgraph.simulator.setPaging(paging);
    const { meeting } = await heldMeeting({ recordings: 3, transcripts: 3 });
    expect(await refresh(meeting.id)).toMatchObject({ newRecordings: 3, newTranscripts: 3, userErrors: [] });
  });

  it('keeps the words of a transcript as Microsoft sent them, and out of the log', async () => {
    const rawVtt = '\uFEFFWEBVTT\r\n\r\n00:00:01.000 --> 00:00:02.000\r\n<v Zoë O’Neil>Naïve &amp; <i>plain</i></v>\r\n';
    const { meeting } = await heldMeeting({ rawVtt });
    const [transcript] = (await refresh(meeting.id)).meeting?.transcripts ?? [];
    expect(transcript).toMatchObject({ isSpeakerAttributed: true, speakers: [{ name: 'Zoë O’Neil' }], text: 'Zoë O’Neil: Naïve & plain' });
    const vtt = await fetch(reachable(subgraph, transcript?.vttUrl ?? ''));
    expect(Buffer.from(await vtt.arrayBuffer()).toString('utf8')).toBe(rawVtt);
    expect(JSON.stringify(subgraph.logs)).not.toMatch(/Naïve|Zoë/);
  });
});

describe('one kind that fails does not hide the other', () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ['500', () => fail('/recordings', 500), 'GRAPH_UNAVAILABLE'],
    ['503', () => fail('/recordings', 503), 'GRAPH_UNAVAILABLE'],
    ['429', () => fail('/recordings', 429), 'GRAPH_THROTTLED'],
    ['a refusal', () => fail('/recordings', 403), 'PERMISSION_MISSING'],
    ['a page in an unknown shape', () => subgraph.simulator.addFault({ match: { path: '/recordings' }, status: 200, body: { value: [{ no: 'id' }] }, times: ALWAYS }), 'GRAPH_UNAVAILABLE'],
    ['the role missing', () => withoutRole('OnlineMeetingRecording.Read.All'), 'PERMISSION_MISSING'],
  ])('recordings answered with %s: transcripts are stored', async (_name, breakIt, code) => {
    const { meeting } = await heldMeeting();
    await breakIt();
    const broken = await refresh(meeting.id);
    expect(broken).toMatchObject({ newRecordings: 0, newTranscripts: 1, meeting: { recordings: [], transcripts: [{}], artifactCapture: { failure: { code } } } });
    expect(branches(broken.userErrors)).toEqual([{ code, path: 'recordings' }]);
    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
    expect(await refresh(meeting.id)).toMatchObject({ newRecordings: 1, newTranscripts: 0, userErrors: [], meeting: { artifactCapture: { state: 'READY', attempts: 2, failure: null } } });
  });

  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['500', () => fail('/transcripts', 500), 'GRAPH_UNAVAILABLE', /Try again/],
    ['429', () => fail('/transcripts', 429), 'GRAPH_THROTTLED', /Wait/],
    ['the role missing', () => withoutRole('OnlineMeetingTranscript.Read.All'), 'PERMISSION_MISSING', /admin consent/],
    ['the directory’s switch off', () => subgraph.simulator.updateDirectory(ACME.directoryId, { graphTranscriptAccess: false }), 'TRANSCRIPT_ACCESS_DISABLED', /Set-CsTeamsMeetingConfiguration -Identity Global -EnableGraphTranscriptAccess \$true/],
    ['the other words of a missing policy', () => fail('/transcripts', 403, { code: 'Forbidden', message: "Application is not allowed to perform operations on the user 'x', neither is allowed access through RSC permission evaluation." }), 'POLICY_MISSING', /Grant-CsApplicationAccessPolicy/],
  ])('transcripts answered with %s: recordings are stored', async (_name, breakIt, code, remedy) => {
    const { meeting } = await heldMeeting();
    await breakIt();
    const broken = await refresh(meeting.id);
    expect(broken).toMatchObject({ newRecordings: 1, newTranscripts: 0, meeting: { recordings: [{}], transcripts: [] } });
    expect(branches(broken.userErrors)).toEqual([{ code, path: 'transcripts' }]);
    expect(broken.userErrors[0]?.remedy).toMatch(remedy);
    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
    expect(await refresh(meeting.id)).toMatchObject({ newRecordings: 0, newTranscripts: 1, userErrors: [] });
  });

  it('one transcript whose text cannot be had does not hide the others, and is fetched next time', async () => {
    const { meeting, call } = await heldMeeting({ transcripts: 3 });
    await fail(`/transcripts/${literally(call.transcripts[1]?.id ?? '')}/content`, 500);
    const broken = await refresh(meeting.id);
    expect(broken).toMatchObject({ newRecordings: 1, newTranscripts: 2, meeting: { transcripts: [{}, {}] } });
    expect(branches(broken.userErrors)).toEqual([{ code: 'GRAPH_UNAVAILABLE', path: 'transcripts' }]);
    await subgraph.simulator.clearFaults();
    expect(await refresh(meeting.id)).toMatchObject({ newTranscripts: 1, userErrors: [], meeting: { transcripts: [{}, {}, {}] } });
  });

  it('a transcript without words, whose text Microsoft does not give, leaves the recording alone', async () => {
    const { meeting } = await heldMeeting({ utterances: [] });
    const { newRecordings, userErrors } = await refresh(meeting.id);
    expect(newRecordings).toBe(1);
    expect(branches(userErrors)).toEqual([{ code: 'NOT_FOUND', path: 'transcripts' }]);
  });

  it('both kinds that fail are both told', async () => {
    const { meeting } = await heldMeeting();
    await fail('/recordings', 429);
    await fail('/transcripts', 500);
    const { userErrors, meeting: after } = await refresh(meeting.id);
    expect(branches(userErrors)).toEqual([{ code: 'GRAPH_THROTTLED', path: 'recordings' }, { code: 'GRAPH_UNAVAILABLE', path: 'transcripts' }]);
    expect(after?.artifactCapture.failure).toMatchObject({ code: 'GRAPH_THROTTLED', graphRequestId: expect.any(String) });
  });

  it('with names forbidden by the directory, the text comes without speakers', async () => {
    await subgraph.simulator.updateDirectory(ACME.directoryId, { attributedTranscripts: false });
    const { meeting } = await heldMeeting();
    const answer = await refresh(meeting.id);
    expect(answer).toMatchObject({ newTranscripts: 1, userErrors: [] });
    const [transcript] = answer.meeting?.transcripts ?? [];
    expect(transcript).toMatchObject({ isSpeakerAttributed: false, speakers: [] });
    expect(transcript?.cues.edges.map(({ node }) => node.speaker)).toEqual([null, null, null]);
    expect(transcript?.text).toContain('Good morning, shall we begin?');
    expect(transcript?.text).not.toContain('Alex Guest');
    expect(await (await fetch(reachable(subgraph, transcript?.vttUrl ?? ''))).text()).toMatch(/^WEBVTT\n/);
  });
});

describe('a refresh that cannot be', () => {
  it.each([true, false])('the Teams policy is missing (online meeting known: %s)', async (isResolved) => {
    const { meeting } = await heldMeeting();
    if (!isResolved) await sql('UPDATE online_meetings SET graph_online_meeting_id = NULL WHERE id = $1', meeting);
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [] });
    const { newRecordings, newTranscripts, userErrors, meeting: after } = await refresh(meeting.id);
    expect([newRecordings, newTranscripts]).toEqual([0, 0]);
    expect(new Set(userErrors.map(({ code }) => code))).toEqual(new Set(['POLICY_MISSING']));
    expect(userErrors[0]?.remedy).toMatch(/Grant-CsApplicationAccessPolicy/);
    expect(after?.artifactCapture).toMatchObject({ state: 'BLOCKED', attempts: 1, failure: { code: 'POLICY_MISSING' } });
    await mendMicrosoft(subgraph);
    expect(await refresh(meeting.id)).toMatchObject({ newRecordings: 1, newTranscripts: 1, userErrors: [], meeting: { artifactCapture: { state: 'READY', failure: null } } });
  });

  it('the meeting has expired at Microsoft', async () => {
    const { meeting, call } = await heldMeeting();
    await subgraph.simulator.expireMeeting(ACME.directoryId, call.meetingId);
    const { userErrors } = await refresh(meeting.id);
    expect(branches(userErrors)).toEqual([{ code: 'NOT_FOUND', path: 'recordings' }, { code: 'NOT_FOUND', path: 'transcripts' }]);
  });

  it.each(['empty', 'notFound'] as const)('Microsoft knows no online meeting with the link, and says %s', async (answer) => {
    await subgraph.simulator.setJoinUrlMiss(answer);
    const meeting = await newMeeting();
    await sql("UPDATE online_meetings SET graph_online_meeting_id = NULL, join_url = join_url || '&gone=1' WHERE id = $1", meeting);
    expect(await refresh(meeting.id)).toMatchObject({ userErrors: [{ code: 'NOT_FOUND', remedy: expect.stringMatching(/60 days/) }], meeting: { artifactCapture: { failure: { code: 'NOT_FOUND' } } } });
  });

  it('the meeting has no calendar event behind it', async () => {
    const meeting = await newMeeting();
    await sql('UPDATE online_meetings SET is_calendar_backed = false WHERE id = $1', meeting);
    await subgraph.simulator.clearRequests();
    const answer = await refresh(meeting.id);
    expect(answer).toMatchObject({ newRecordings: 0, newTranscripts: 0, meeting: { artifactCapture: { state: 'NOT_SUPPORTED', attempts: 0 } } });
    expect(branches(answer.userErrors)).toEqual([{ code: 'MEETING_NOT_CALENDAR_BACKED', path: 'input.meetingId' }]);
    expect(await subgraph.simulator.requests()).toEqual([]);
  });

  it('Microsoft has not made the meeting', async () => {
    await fail('/events$', 503);
    const { meeting } = await mutate<{ meeting: CreatedMeeting }>(subgraph, admin, 'mutation ($input: CreateTeamsMeetingInput!) { createTeamsMeeting(input: $input) { meeting { id } } }', { appointmentId: 'appt-refresh-failed', subject: 'x', ...PAST });
    expect(await refresh(meeting.id)).toMatchObject({ userErrors: [{ code: 'CONFLICT' }], meeting: { status: 'FAILED', artifactCapture: { state: 'NOT_DUE', attempts: 0 } } });
  });

  it('no app is connected any more', async () => {
    const token = await activate(subgraph, 'tenant-b');
    const meeting = await createMeeting(subgraph, token);
    await subgraph.database.query("DELETE FROM microsoft_apps WHERE tenant_id = 'tenant-b'");
    expect(await refresh(meeting.id, token)).toMatchObject({ userErrors: [{ code: 'NOT_CONFIGURED' }], meeting: { id: meeting.id } });
  });

  it('an unknown id, a malformed id and another tenant’s id are one and the same answer', async () => {
    const { meeting } = await heldMeeting();
    const stranger = await subgraph.tokens.token('admin', { tenant_id: 'tenant-stranger' });
    const answers = await Promise.all([refresh('0190a000-0000-7000-8000-000000000000'), refresh('nonsense'), refresh(meeting.id, stranger)]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ newRecordings: 0, newTranscripts: 0, meeting: null, userErrors: [{ code: 'NOT_FOUND', path: ['input', 'meetingId'] }] });
    expect((await refresh(meeting.id)).meeting?.artifactCapture.attempts).toBe(1);
  });
});

describe('how far the capture is', () => {
  const captureOf = async ({ id }: CreatedMeeting) => {
    const { data, errors } = await subgraph.send<{ teamsMeeting: RefreshedMeeting }>(admin, `query ($id: ID!) { teamsMeeting(id: $id) { ${MEETING} } }`, { id });
    expect(errors).toEqual([]);
    return data?.teamsMeeting.artifactCapture;
  };

  it('goes from NOT_DUE over PENDING to READY as the meeting ends and Microsoft has something', async () => {
    const meeting = await newMeeting();
    expect(await captureOf(meeting)).toEqual({ state: 'NOT_DUE', attempts: 0, lastAttemptAt: null, nextAttemptAt: null, failure: null });
    await sql("UPDATE online_meetings SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour' WHERE id = $1", meeting);
    expect(await captureOf(meeting)).toMatchObject({ state: 'PENDING', attempts: 0 });
    expect(await refresh(meeting.id)).toMatchObject({ newRecordings: 0, newTranscripts: 0, userErrors: [], meeting: { status: 'ENDED', artifactCapture: { state: 'PENDING', attempts: 1, lastAttemptAt: expect.stringMatching(/Z$/) } } });
    await takesPlace(meeting, { transcripts: 0 });
    expect((await refresh(meeting.id)).meeting?.artifactCapture).toMatchObject({ state: 'READY', attempts: 2, failure: null });
  });

  it('is PENDING, not BLOCKED, after trouble that passes by itself', async () => {
    const meeting = await newMeeting(PAST);
    await fail('/onlineMeetings/', 503);
    expect((await refresh(meeting.id)).meeting?.artifactCapture).toMatchObject({ state: 'PENDING', failure: { code: 'GRAPH_UNAVAILABLE' } });
  });

  it('is BLOCKED while somebody has to act, and not any more once they did', async () => {
    const meeting = await newMeeting(PAST);
    await subgraph.simulator.updateDirectory(ACME.directoryId, { graphTranscriptAccess: false });
    expect((await refresh(meeting.id)).meeting?.artifactCapture).toMatchObject({ state: 'BLOCKED', failure: { code: 'TRANSCRIPT_ACCESS_DISABLED', remedy: expect.stringMatching(/Set-CsTeamsMeetingConfiguration/) } });
    await mendMicrosoft(subgraph);
    expect((await refresh(meeting.id)).meeting?.artifactCapture).toMatchObject({ state: 'PENDING', failure: null });
  });
});
