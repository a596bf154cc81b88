import { describe, expect, it } from 'vitest';
import type { MeetingTookPlaceInput } from '../../../simulator/control.ts';
import { CLIENT_ID, DIRECTORY, ORGANIZER, useSimulator } from './support.ts';

const sim = useSimulator();
const UNATTRIBUTED = 'application/vnd.microsoft.graph.transcript+text';
const UTTERANCES = [
  { speaker: 'Zoë Müller & Co', text: 'Can you hear me?', startSeconds: -1.5, seconds: 2 },
  { speaker: 'Alex Guest', text: 'Yes, <clearly>.\nGo on.' },
];

async function held(input: Partial<MeetingTookPlaceInput> = {}) {
  const { path, meetingId } = await sim.createMeeting();
  const result = await sim.control.meetingTookPlace({
    directoryId: DIRECTORY,
    meetingId,
    utterances: UTTERANCES,
    ...input,
  });
  const item = `${path}/transcripts/${encodeURIComponent(result.transcripts[0]?.id ?? '')}`;
  return { list: `${path}/transcripts`, item, content: `${item}/content`, meetingId, result };
}

describe('content', () => {
  const vtt =
    'WEBVTT\n\n' +
    '-00:00:01.500 --> 00:00:00.500\n<v Zoë Müller &amp; Co>Can you hear me?</v>\n\n' +
    '00:00:00.500 --> 00:00:03.500\n<v Alex Guest>Yes, &lt;clearly&gt;.\nGo on.</v>\n';

  it.each([
    ['the Accept header', '', { accept: 'text/vtt' }],
    ['$format', '?$format=text/vtt', {}],
    ['nothing', '', {}],
  ])('is WebVTT with speakers, asked for by %s', async (_case, query, headers) => {
    const { content } = await held();
    const answer = await sim.call('GET', `${content}${query}`, { headers: headers as Record<string, string> });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/vtt']);
    expect(answer.text).toBe(vtt);
  });

  it('comes without speakers and without WEBVTT line on request', async () => {
    const { content } = await held();
    const answer = await sim.call('GET', content, { headers: { accept: UNATTRIBUTED } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, UNATTRIBUTED]);
    expect(answer.text).toBe(
      '-00:00:01.500 --> 00:00:00.500\nCan you hear me?\n\n00:00:00.500 --> 00:00:03.500\nYes, &lt;clearly&gt;.\nGo on.\n',
    );
  });

  it.each([
    ['docx', '', { accept: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document' }],
    ['the unattributed form by $format', `?$format=${encodeURIComponent(UNATTRIBUTED)}`, {}],
  ])('is refused as %s', async (_case, query, headers) => {
    const { content } = await held();
    expect((await sim.call('GET', `${content}${query}`, { headers: headers as Record<string, string> })).status).toBe(
      406,
    );
  });

  it('gives raw text byte for byte', async () => {
    const rawVtt = '\uFEFFWEBVTT\r\n\r\n00:00.000 --> 00:01.000\r\n<v A>no end tag\r\n';
    const { content } = await held({ rawVtt });
    const response = await sim.raw('GET', content);
    expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(rawVtt))).toBe(true);
    const plain = await sim.call('GET', content, { headers: { accept: UNATTRIBUTED } });
    expect(plain.text).toBe('00:00.000 --> 00:01.000\r\nno end tag\r\n');
  });

  it('is an error for a transcript without words', async () => {
    const { content, item } = await held({ utterances: [] });
    expect((await sim.call('GET', content)).status).toBe(404);
    expect((await sim.call('GET', item)).status).toBe(200);
  });

  it('has metadata as JSON cues with absolute times', async () => {
    const { item } = await held();
    const answer = await sim.call('GET', `${item}/metadataContent`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/vtt']);
    const cue = answer.text.split('\n').find((line) => line.startsWith('{')) ?? '';
    expect(JSON.parse(cue)).toEqual({
      startDateTime: '2030-07-01T08:59:58.5000000Z',
      endDateTime: '2030-07-01T09:00:00.5000000Z',
      speakerName: 'Zoë Müller & Co',
      spokenText: 'Can you hear me?',
      spokenLanguage: 'en-us',
    });
  });
});

describe('items', () => {
  it('have long padded ids and a content address that works', async () => {
    const { list, result } = await held();
    const { json } = await sim.call('GET', list);
    expect(json.value[0]).toMatchObject({ id: expect.stringMatching(/^VjIjIzE.{60,}=$/), callId: result.callId });
    expect(json.value[0]?.contentCorrelationId).toBe(result.recordings[0]?.contentCorrelationId);
    expect((await sim.call('GET', json.value[0]?.transcriptContentUrl ?? '')).status).toBe(200);
  });
});

describe('switches of the directory', () => {
  it('access off refuses every transcript call, before it looks at the meeting; recordings stay', async () => {
    const { list, item, content } = await held();
    await sim.control.updateDirectory(DIRECTORY, { graphTranscriptAccess: false });
    for (const path of [
      list,
      item,
      content,
      `${item}/metadataContent`,
      `/users/${ORGANIZER}/onlineMeetings/x/transcripts`,
    ]) {
      const answer = await sim.call('GET', path);
      expect([answer.status, answer.json]).toEqual([
        403,
        {
          error: {
            code: 'Forbidden',
            message: 'Graph API access to transcripts is disabled for this tenant.',
            innerError: { code: 'GraphAccessToTranscriptsDisabled' },
          },
        },
      ]);
    }
    expect((await sim.call('GET', list.replace('transcripts', 'recordings'))).status).toBe(200);
  });

  it('attribution off refuses WebVTT and serves the form without speakers', async () => {
    const { list, content } = await held();
    await sim.control.updateDirectory(DIRECTORY, { attributedTranscripts: false });
    for (const accept of ['*/*', 'text/vtt']) {
      const answer = await sim.call('GET', content, { headers: { accept } });
      expect(answer.status).toBe(403);
      expect(answer.json.error).toEqual({
        code: 'Forbidden',
        message: `Speaker-attributed transcript content is disabled for this tenant. Retry with Accept '${UNATTRIBUTED}'.`,
        innerError: { code: 'SpeakerAttributionNotAllowed' },
      });
    }
    const retried = await sim.call('GET', content, { headers: { accept: UNATTRIBUTED } });
    expect([retried.status, retried.text.includes('Alex')]).toEqual([200, false]);
    expect((await sim.call('GET', list)).status).toBe(200);
  });

  it('are off unless set, as Microsoft ships them', async () => {
    const { list } = await held();
    await sim.control.putDirectory({ id: DIRECTORY, domain: 'acme.example' });
    expect((await sim.call('GET', list)).status).toBe(403);
  });
});

describe('who may read', () => {
  it('names the user when content is refused by policy', async () => {
    const { content, list } = await held();
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    expect((await sim.call('GET', content)).json.error.message).toBe(
      `Application is not allowed to perform operations on the user '${ORGANIZER}', neither is allowed access through RSC permission evaluation.`,
    );
    expect((await sim.call('GET', list)).json.error.message).toBe('No application access policy found for this app');
  });

  it('includes invited users for transcripts but not for recordings', async () => {
    const colleague = 'aaaaaaaa-0000-4000-8000-00000000000c';
    await sim.control.putUser({
      directoryId: DIRECTORY,
      id: colleague,
      userPrincipalName: 'colleague@acme.example',
      teamsPolicyAppIds: [CLIENT_ID],
    });
    const { path } = await sim.createMeeting({ attendees: [{ emailAddress: { address: 'Colleague@acme.example' } }] });
    const asColleague = path.replace(ORGANIZER, colleague);
    expect((await sim.call('GET', `${asColleague}/transcripts`)).status).toBe(200);
    expect((await sim.call('GET', `${asColleague}/recordings`)).json.error.message).toContain('Organizer Id mismatch');
  });
});
