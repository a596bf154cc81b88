import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activate, createMeeting, MICROSOFT, REFRESH, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

const READ = `query ($id: ID!) { teamsMeeting(id: $id) { transcripts { id isSpeakerAttributed durationSeconds unparsedCueCount text vttUrl textUrl createdAt speakers { name talkSeconds cueCount } recording { id } } recordings { id } } }`;

interface Transcript {
  id: string;
  durationSeconds: number;
  unparsedCueCount: number;
  text: string;
  vttUrl: string;
  textUrl: string;
  createdAt: string;
  speakers: { name: string; talkSeconds: number; cueCount: number }[];
  recording: { id: string } | null;
}

let subgraph: TestSubgraph;
let admin: string;
let count = 0;

/** Holds a meeting, captures it through the public API and reads its transcript. */
async function captured(rawVtt: string | undefined, over: object = {}, token = admin): Promise<Transcript> {
  count += 1;
  const meeting = await createMeeting(subgraph, admin, { appointmentId: `doc-${count}`, ...over });
  const joinUrl = meeting.joinUrl ?? '';
  await subgraph.simulator.meetingTookPlace({
    directoryId: MICROSOFT['tenant-a'].directoryId,
    joinUrl,
    ...(rawVtt === undefined ? {} : { rawVtt }),
  });
  await succeed(subgraph, admin, REFRESH, { meetingId: meeting.id });
  const { data, errors } = await subgraph.send<{ teamsMeeting: { transcripts: Transcript[] } }>(token, READ, {
    id: meeting.id,
  });
  expect(errors).toEqual([]);
  const [transcript] = data?.teamsMeeting.transcripts ?? [];
  if (transcript === undefined) throw new Error('nothing was captured');
  return transcript;
}

const open = (link: string, rest = '') => fetch(`${reachable(subgraph, link)}${rest}`);

beforeAll(async () => {
  subgraph = await startTestSubgraph();
  admin = await activate(subgraph, 'tenant-a', { showArtifactsInClientPortal: true });
});
afterAll(() => subgraph.close());

const QUIRKY =
  '\uFEFFWEBVTT\r\n\r\n-00:00:01.000 --> 00:00:01.000\r\n<v R&amp;D Room>Hello,\r\nNaïve <3</v>\r\n\r\nlost\r\n\r\n' +
  '00:00:01.000 --> 00:00:05.000\r\n<v Zoë>Yes</v> <v José>Nono</v>\r\n';

describe('a transcript as a file', () => {
  it('is shown as captions from its first link, and saved from it on request', async () => {
    const { vttUrl } = await captured(undefined, { subject: 'Größe & "Preis"; ../../etc\r\nX: y' });
    const shown = await open(vttUrl);
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'text/vtt; charset=utf-8']);
    expect(shown.headers.get('content-disposition')).toBeNull();
    const saved = await open(vttUrl, '&download');
    expect(saved.headers.get('content-disposition')).toMatch(
      /^attachment; filename="transcript-\d{4}-\d\d-\d\d-grosse-preis-etc-x-y\.vtt"$/,
    );
    expect(await saved.text()).toBe(await shown.text());
  });

  it('is saved as plain text from its second link, and says what `text` says', async () => {
    const { textUrl, text } = await captured(undefined, { subject: '会议' });
    const response = await open(textUrl);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="transcript-[\d-]{10}\.txt"$/);
    expect([response.headers.get('x-content-type-options'), response.headers.get('cache-control')]).toEqual([
      'nosniff',
      'private, no-store',
    ]);
    expect(await response.text()).toBe(`${text}\n`);
  });

  it('is opened by no link but its own', async () => {
    const { vttUrl, textUrl } = await captured(undefined);
    expect((await open(vttUrl.replace('.vtt', '.txt'))).status).toBe(403);
    expect((await open(textUrl.replace('.txt', '.vtt'))).status).toBe(403);
  });

  it('is closed to a client as soon as the switch is off, and opened again with it', async () => {
    const client = await subgraph.tokens.token('client');
    const { vttUrl, textUrl } = await captured(undefined, {}, client);
    for (const [on, status] of [
      [true, 200],
      [false, 403],
      [true, 200],
    ] as const) {
      await succeed(subgraph, admin, UPDATE_SETTINGS, { showArtifactsInClientPortal: on });
      expect([(await open(vttUrl)).status, (await open(textUrl)).status]).toEqual([status, status]);
    }
  });

  it('is mended where a browser would drop something, while the bytes are kept', async () => {
    const { id, vttUrl } = await captured(QUIRKY);
    expect(await (await open(vttUrl)).text()).toBe(
      'WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v R&amp;D Room>Hello,\nNaïve &lt;3</v>\n\n' +
        '00:00:01.000 --> 00:00:05.000\n<v Zoë>Yes</v> <v José>Nono</v>\n\nNOTE This could not be read:\nlost\n',
    );
    const [row] = await subgraph.database.query<{ vtt: Buffer; unparsed_lines: number[] }>(
      'SELECT vtt, unparsed_lines FROM meeting_transcripts WHERE id = $1',
      [id],
    );
    expect([row?.vtt.toString('utf8'), row?.unparsed_lines]).toEqual([QUIRKY, [7]]);
  });
});

describe('what is told of a transcript', () => {
  it('is who spoke for how long, how long it runs, its paragraphs, its recording, and what could not be read', async () => {
    const transcript = await captured(QUIRKY);
    expect(transcript).toMatchObject({
      durationSeconds: 5,
      unparsedCueCount: 1,
      text: 'R&D Room: Hello, Naïve <3\n\nZoë: Yes\n\nJosé: Nono',
      speakers: [
        { name: 'José', talkSeconds: 2.286, cueCount: 1 },
        { name: 'R&D Room', talkSeconds: 2, cueCount: 1 },
        { name: 'Zoë', talkSeconds: 1.714, cueCount: 1 },
      ],
      recording: { id: expect.any(String) },
    });
    const told = subgraph.logs.filter((line) => line.transcriptId === transcript.id);
    expect(told).toMatchObject([{ unparsedCueCount: 1, cueCount: 3 }]);
    expect(JSON.stringify(subgraph.logs)).not.toMatch(/Naïve|Zoë|Nono/);
  });

  it('is nothing of a file that says nothing', async () => {
    expect(await captured('WEBVTT\n\n')).toMatchObject({
      durationSeconds: null,
      unparsedCueCount: 0,
      text: '',
      speakers: [],
    });
  });
});
