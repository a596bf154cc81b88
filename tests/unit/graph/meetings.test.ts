import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeMicrosoft, graphError, json, serviceFor, startFakeMicrosoft } from './fake-microsoft.ts';

const MEETING = {
  id: 'MSo1+/=',
  joinWebUrl: 'https://teams.example/join',
  subject: null,
  startDateTime: '2026-12-01T09:00:00Z',
  endDateTime: '2026-12-01T10:00:00Z',
  expiryDateTime: '2027-01-30T10:00:00Z',
};
const LINK =
  "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%22Tid%22%3a%22O'Neil%22%7d";

let fake: FakeMicrosoft;
beforeEach(async () => {
  fake = await startFakeMicrosoft();
});
afterEach(() => fake.close());

function artifact(id: string): Record<string, unknown> {
  return {
    id,
    meetingId: 'MSo1',
    callId: 'call-1',
    contentCorrelationId: 'correlation-1',
    createdDateTime: '2026-12-01T09:00:00.1234567Z',
    endDateTime: null,
    recordingContentUrl: 'https://graph.microsoft.com/v1.0/$metadata#users/content',
  };
}

describe('onlineMeetings', () => {
  it('findByJoinUrl filters by the link, encoded exactly once', async () => {
    fake.answerGraph(json(200, { value: [MEETING] }));
    const meeting = await serviceFor(fake).client.onlineMeetings.findByJoinUrl('u1', LINK);
    const { url } = fake.graphRequests[0] ?? { url: '' };
    expect(url.startsWith('/v1.0/users/u1/onlineMeetings?$filter=JoinWebUrl%20eq%20')).toBe(true);
    expect(new URL(url, fake.url).searchParams.get('$filter')).toBe(`JoinWebUrl eq '${LINK.replace("'", "''")}'`);
    expect(meeting).toEqual({
      id: 'MSo1+/=',
      joinWebUrl: 'https://teams.example/join',
      subject: null,
      startsAt: new Date('2026-12-01T09:00:00Z'),
      endsAt: new Date('2026-12-01T10:00:00Z'),
      expiresAt: new Date('2027-01-30T10:00:00Z'),
    });
  });

  it.each([
    ['an empty list', json(200, { value: [] })],
    ['404 NotFound', graphError(404, 'NotFound', 'no such meeting')],
  ])('findByJoinUrl takes %s for a miss', async (_name, answer) => {
    fake.answerGraph(answer);
    expect(await serviceFor(fake).client.onlineMeetings.findByJoinUrl('u1', LINK)).toBeNull();
  });

  it.each([
    ['a missing policy', graphError(403, 'Forbidden', 'No application access policy found'), 'TEAMS_POLICY_MISSING'],
    ['an unknown user', graphError(404, 'Request_ResourceNotFound'), 'USER_NOT_FOUND'],
    ['a 404 without code', json(404), 'NOT_FOUND'],
  ])('findByJoinUrl does not swallow %s', async (_name, answer, kind) => {
    fake.answerGraph(answer);
    await expect(serviceFor(fake).client.onlineMeetings.findByJoinUrl('u1', LINK)).rejects.toMatchObject({ kind });
  });

  it('get encodes the id and survives missing times', async () => {
    fake.answerGraph(json(200, { id: 'MSo1+/=', joinWebUrl: 'x' }));
    const meeting = await serviceFor(fake).client.onlineMeetings.get('u1', 'MSo1+/=');
    expect(fake.graphRequests[0]?.url).toBe('/v1.0/users/u1/onlineMeetings/MSo1%2B%2F%3D');
    expect(meeting).toMatchObject({ startsAt: null, endsAt: null, expiresAt: null });
  });
});

describe('lists of recordings and transcripts', () => {
  it('return the items without their content address', async () => {
    fake.answerGraph(json(200, { '@odata.count': 1, value: [artifact('r1')] }));
    expect(await serviceFor(fake).client.recordings.list('u1', 'MSo1')).toEqual([
      {
        id: 'r1',
        meetingId: 'MSo1',
        callId: 'call-1',
        contentCorrelationId: 'correlation-1',
        createdAt: new Date('2026-12-01T09:00:00.123Z'),
        endedAt: null,
      },
    ]);
    expect(fake.graphRequests[0]?.url).toBe('/v1.0/users/u1/onlineMeetings/MSo1/recordings');
  });

  it('follow nextLinks as they are, over empty pages, and leave out repeated items', async () => {
    const opaque = `${fake.url}/v1.0/strange/(path)?b=2&$skiptoken=a%2Bb%3D%3D&a=1&a=2&flag`;
    fake.answerGraph(
      json(200, { value: [], '@odata.nextLink': opaque }),
      json(200, { value: [artifact('t1'), artifact('t2')], '@odata.nextLink': `${fake.url}/v1.0/next?2` }),
      json(200, { value: [artifact('t2'), artifact('t3')] }),
    );
    const list = await serviceFor(fake).client.transcripts.list('u1', 'MSo1');
    expect(list.map((item) => item.id)).toEqual(['t1', 't2', 't3']);
    expect(fake.graphRequests.map((request) => request.url)).toEqual([
      '/v1.0/users/u1/onlineMeetings/MSo1/transcripts',
      opaque.slice(fake.url.length),
      '/v1.0/next?2',
    ]);
    expect(fake.graphRequests[1]?.headers.authorization).toMatch(/^Bearer /);
  });

  it('end when paging turns in a circle', async () => {
    fake.answerGraph(json(200, { value: [artifact('t1')], '@odata.nextLink': `${fake.url}/v1.0/again` }));
    expect(await serviceFor(fake).client.transcripts.list('u1', 'MSo1')).toHaveLength(1);
    expect(fake.graphRequests).toHaveLength(2);
  });

  it('fail rather than page without end', async () => {
    let page = 0;
    fake.answerGraph((request, response) => {
      page += 1;
      return json(200, { value: [], '@odata.nextLink': `${fake.url}/v1.0/page/${page}` })(request, response);
    });
    await expect(serviceFor(fake).client.transcripts.list('u1', 'MSo1')).rejects.toMatchObject({ kind: 'UNKNOWN' });
  });

  it.each(['https://evil.example/v1.0/next', 'http://localhost:1/next', 'next?page=2'])(
    'do not follow a nextLink away from Graph: %s',
    async (nextLink) => {
      fake.answerGraph(json(200, { value: [], '@odata.nextLink': nextLink }));
      await expect(serviceFor(fake).client.recordings.list('u1', 'MSo1')).rejects.toMatchObject({ kind: 'UNKNOWN' });
      expect(fake.graphRequests).toHaveLength(1);
    },
  );

  it('tell that the directory gives no access to transcripts', async () => {
    fake.answerGraph(graphError(403, 'Forbidden', 'x', { innerError: { code: 'GraphAccessToTranscriptsDisabled' } }));
    await expect(serviceFor(fake).client.transcripts.list('u1', 'MSo1')).rejects.toMatchObject({
      kind: 'TRANSCRIPT_ACCESS_DISABLED',
      innermostCode: 'GraphAccessToTranscriptsDisabled',
    });
  });
});

describe('the content of a transcript', () => {
  const notAttributed = graphError(403, 'Forbidden', 'x', { innerError: { code: 'SpeakerAttributionNotAllowed' } });

  it('is the text as it came, byte order mark and all', async () => {
    const vtt = '\uFEFFWEBVTT\r\n\r\n-00:00:01.000 --> 00:00:02.000\r\n<v Zoë>Hi &amp; bye</v>\r\n';
    fake.answerGraph((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/vtt' });
      response.end(vtt);
    });
    expect(await serviceFor(fake).client.transcripts.content('u1', 'MSo1', 'VjIj==')).toEqual({
      vtt: new TextEncoder().encode(vtt),
      isSpeakerAttributed: true,
    });
    expect(fake.graphRequests[0]?.headers.accept).toBe('text/vtt');
    expect(fake.graphRequests[0]?.url).toBe('/v1.0/users/u1/onlineMeetings/MSo1/transcripts/VjIj%3D%3D/content');
  });

  it('is asked for without speakers where the directory forbids them', async () => {
    fake.answerGraph(notAttributed, (_request, response) => {
      response.end('00:00:16.246 --> 00:00:17.726\nHi');
    });
    expect(await serviceFor(fake).client.transcripts.content('u1', 'MSo1', 't1')).toEqual({
      vtt: new TextEncoder().encode('00:00:16.246 --> 00:00:17.726\nHi'),
      isSpeakerAttributed: false,
    });
    expect(fake.graphRequests[1]?.headers.accept).toBe('application/vnd.microsoft.graph.transcript+text');
  });

  it('is not asked for a third time', async () => {
    fake.answerGraph(notAttributed);
    await expect(serviceFor(fake).client.transcripts.content('u1', 'MSo1', 't1')).rejects.toMatchObject({
      kind: 'SPEAKER_ATTRIBUTION_DISABLED',
    });
    expect(fake.graphRequests).toHaveLength(2);
  });

  it('of a transcript that is gone is NOT_FOUND', async () => {
    fake.answerGraph(graphError(404, 'NotFound'));
    await expect(serviceFor(fake).client.transcripts.content('u1', 'MSo1', 't1')).rejects.toMatchObject({
      kind: 'NOT_FOUND',
    });
  });
});
