import { describe, expect, it } from 'vitest';
import { reachable } from '../../support/subgraph.ts';
import { fail, heldMeeting, refresh, subgraph, takesPlace, useRefreshing } from './refreshing.ts';
import { ACME, ALWAYS, auditOf, branches, forgetTokens, literally, mendMicrosoft, ROLES } from './support.ts';

async function withoutRole(role: string): Promise<void> {
  await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { roles: ROLES.filter((one) => one !== role) });
  await forgetTokens(subgraph);
}

useRefreshing();

describe('a refresh', () => {
  it('stores what is new, tells how many, and stores nothing twice', async () => {
    const { meeting } = await heldMeeting({ recordings: 2, transcripts: 2, durationSeconds: 1200 });
    const first = await refresh(meeting.id);
    expect(first).toMatchObject({ newRecordings: 2, newTranscripts: 2, userErrors: [] });
    expect(first.meeting?.recordings).toMatchObject([
      {
        durationSeconds: 600,
        contentType: 'video/mp4',
        storage: 'GRAPH',
        createdAt: '2036-12-01T10:00:00.000Z',
        endedAt: '2036-12-01T10:10:00.000Z',
      },
      { durationSeconds: 600, createdAt: '2036-12-01T10:10:00.000Z', endedAt: '2036-12-01T10:20:00.000Z' },
    ]);
    expect(first.meeting?.transcripts.map(({ recording }) => recording?.id)).toEqual(
      first.meeting?.recordings.map(({ id }) => id),
    );
    const second = await refresh(meeting.id);
    expect(second).toMatchObject({ newRecordings: 0, newTranscripts: 0, userErrors: [] });
    expect(second.meeting?.recordings).toEqual(first.meeting?.recordings);
    expect(second.meeting?.transcripts.map(({ id }) => id)).toEqual(first.meeting?.transcripts.map(({ id }) => id));
    expect(second.meeting?.artifactCapture).toMatchObject({ state: 'READY', attempts: 2, failure: null });
    expect(
      (await auditOf(subgraph, 'tenant-a', 'refresh')).filter(({ meeting_id }) => meeting_id === meeting.id),
    ).toMatchObject([
      { outcome: 'success', detail: { newRecordings: 2, newTranscripts: 2 } },
      { outcome: 'success', detail: { newRecordings: 0, newTranscripts: 0 } },
    ]);
  });

  it('finds what a second call in the same meeting added', async () => {
    const { meeting } = await heldMeeting();
    await refresh(meeting.id);
    await takesPlace(meeting, { startedAt: '2036-12-02T10:00:00Z', transcripts: 0 });
    expect(await refresh(meeting.id)).toMatchObject({
      newRecordings: 1,
      newTranscripts: 0,
      userErrors: [],
      meeting: { recordings: [{}, {}], transcripts: [{}] },
    });
  });

  it('fetches no text again that is stored', async () => {
    const { meeting } = await heldMeeting();
    await refresh(meeting.id);
    await subgraph.simulator.clearRequests();
    await refresh(meeting.id);
    expect(await subgraph.simulator.requests({ path: '/transcripts/.*/content' })).toEqual([]);
  });

  it('five times at the same moment stores each once, and tells everybody what is new', async () => {
    const { meeting } = await heldMeeting({ recordings: 2, transcripts: 2 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(meeting.id)));
    for (const answer of answers) expect(answer).toMatchObject({ newRecordings: 2, newTranscripts: 2, userErrors: [] });
    expect((await refresh(meeting.id)).meeting).toMatchObject({
      recordings: [{}, {}],
      transcripts: [{}, {}],
      artifactCapture: { attempts: 2 },
    });
  });

  it.each([{ pageSize: 1 }, { emptyPageFirst: true }, { pageSize: 1, emptyPageFirst: true }])(
    'reads every page: %j',
    async (paging) => {
      await subgraph.simulator.setPaging(paging);
      const { meeting } = await heldMeeting({ recordings: 3, transcripts: 3 });
      expect(await refresh(meeting.id)).toMatchObject({ newRecordings: 3, newTranscripts: 3, userErrors: [] });
    },
  );

  it('keeps the words of a transcript as Microsoft sent them, and out of the log', async () => {
    const rawVtt =
      '\uFEFFWEBVTT\r\n\r\n00:00:01.000 --> 00:00:02.000\r\n<v Zoë O’Neil>Naïve &amp; <i>plain</i></v>\r\n';
    const { meeting } = await heldMeeting({ rawVtt });
    const [transcript] = (await refresh(meeting.id)).meeting?.transcripts ?? [];
    expect(transcript).toMatchObject({
      isSpeakerAttributed: true,
      speakers: [{ name: 'Zoë O’Neil' }],
      text: 'Zoë O’Neil: Naïve & plain',
    });
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
    [
      'a page in an unknown shape',
      () =>
        subgraph.simulator.addFault({
          match: { path: '/recordings' },
          status: 200,
          body: { value: [{ no: 'id' }] },
          times: ALWAYS,
        }),
      'GRAPH_UNAVAILABLE',
    ],
    ['the role missing', () => withoutRole('OnlineMeetingRecording.Read.All'), 'PERMISSION_MISSING'],
  ])('recordings answered with %s: transcripts are stored', async (_name, breakIt, code) => {
    const { meeting } = await heldMeeting();
    await breakIt();
    const broken = await refresh(meeting.id);
    expect(broken).toMatchObject({
      newRecordings: 0,
      newTranscripts: 1,
      meeting: { recordings: [], transcripts: [{}], artifactCapture: { failure: { code } } },
    });
    expect(branches(broken.userErrors)).toEqual([{ code, path: 'recordings' }]);
    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
    expect(await refresh(meeting.id)).toMatchObject({
      newRecordings: 1,
      newTranscripts: 0,
      userErrors: [],
      meeting: { artifactCapture: { state: 'READY', attempts: 2, failure: null } },
    });
  });

  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['500', () => fail('/transcripts', 500), 'GRAPH_UNAVAILABLE', /Try again/],
    ['429', () => fail('/transcripts', 429), 'GRAPH_THROTTLED', /Wait/],
    ['the role missing', () => withoutRole('OnlineMeetingTranscript.Read.All'), 'PERMISSION_MISSING', /admin consent/],
    [
      'the directory’s switch off',
      () => subgraph.simulator.updateDirectory(ACME.directoryId, { graphTranscriptAccess: false }),
      'TRANSCRIPT_ACCESS_DISABLED',
      /Set-CsTeamsMeetingConfiguration -Identity Global -EnableGraphTranscriptAccess \$true/,
    ],
    [
      'the other words of a missing policy',
      () =>
        fail('/transcripts', 403, {
          code: 'Forbidden',
          message:
            "Application is not allowed to perform operations on the user 'x', neither is allowed access through RSC permission evaluation.",
        }),
      'POLICY_MISSING',
      /Grant-CsApplicationAccessPolicy/,
    ],
  ])('transcripts answered with %s: recordings are stored', async (_name, breakIt, code, remedy) => {
    const { meeting } = await heldMeeting();
    await breakIt();
    const broken = await refresh(meeting.id);
    expect(broken).toMatchObject({
      newRecordings: 1,
      newTranscripts: 0,
      meeting: { recordings: [{}], transcripts: [] },
    });
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
    expect(await refresh(meeting.id)).toMatchObject({
      newTranscripts: 1,
      userErrors: [],
      meeting: { transcripts: [{}, {}, {}] },
    });
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
    expect(branches(userErrors)).toEqual([
      { code: 'GRAPH_THROTTLED', path: 'recordings' },
      { code: 'GRAPH_UNAVAILABLE', path: 'transcripts' },
    ]);
    expect(after?.artifactCapture.failure).toMatchObject({
      code: 'GRAPH_THROTTLED',
      graphRequestId: expect.any(String),
    });
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
