import { describe, expect, it } from 'vitest';
import type { MeetingTookPlaceInput } from '../../../simulator/control.ts';
import { DIRECTORY, GUID, ORGANIZER, useSimulator } from './support.ts';

const sim = useSimulator();

async function held(input: Partial<MeetingTookPlaceInput> = {}) {
  const { path, meetingId } = await sim.createMeeting();
  const result = await sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId, ...input });
  const first = result.recordings[0]?.id ?? '';
  return { path, meetingId, result, content: `${path}/recordings/${encodeURIComponent(first)}/content` };
}

describe('lists', () => {
  it('are empty before the meeting took place', async () => {
    const { path } = await sim.createMeeting();
    const { status, json } = await sim.call('GET', `${path}/recordings`);
    expect([status, json.value, json['@odata.count']]).toEqual([200, [], 0]);
  });

  it('show the parts of the call with Microsoft’s shape', async () => {
    const { path, meetingId, result } = await held({ recordings: 2, durationSeconds: 600 });
    const { json } = await sim.call('GET', `${path}/recordings`);
    expect(json['@odata.count']).toBe(2);
    expect(json.value[0]).toEqual({
      id: expect.stringMatching(/^MSMjMCMj/),
      meetingId,
      callId: result.callId,
      contentCorrelationId: expect.stringMatching(GUID),
      createdDateTime: '2030-07-01T09:00:00.0000000Z',
      endDateTime: '2030-07-01T09:05:00.0000000Z',
      recordingContentUrl: `${sim.url}/v1.0${path}/recordings/${json.value[0]?.id}/content`,
      meetingOrganizer: {
        application: null,
        device: null,
        user: {
          '@odata.type': '#microsoft.graph.teamworkUserIdentity',
          id: ORGANIZER,
          displayName: null,
          userIdentityType: 'aadUser',
          tenantId: DIRECTORY,
        },
      },
    });
    expect(json.value[1]?.callId).toBe(result.callId);
    expect(json.value[1]?.contentCorrelationId).not.toBe(json.value[0]?.contentCorrelationId);
  });

  it('tie a recording to its transcript', async () => {
    const { path, result } = await held({ recordings: 2, transcripts: 2 });
    const wanted = result.transcripts[1]?.contentCorrelationId;
    const filter = encodeURIComponent(`contentcorrelationId eq '${wanted}'`);
    const { json } = await sim.call('GET', `${path}/recordings?$filter=${filter}&$select=id`);
    expect(json.value).toEqual([{ id: result.recordings[1]?.id }]);
  });

  it('refuse a filter they do not know, even when they are empty', async () => {
    const { path } = await sim.createMeeting();
    for (const filter of ["colour eq 'blue'", 'nonsense']) {
      expect((await sim.call('GET', `${path}/recordings?$filter=${encodeURIComponent(filter)}`)).status).toBe(400);
    }
  });

  it('keep the calls of one meeting apart', async () => {
    const { path, meetingId } = await held();
    await sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId, startedAt: '2030-07-08T09:00:00Z' });
    const { json } = await sim.call('GET', `${path}/recordings`);
    expect(new Set(json.value.map((recording) => recording.callId)).size).toBe(2);
  });

  it('are filtered by time', async () => {
    const { path, result } = await held({ recordings: 2 });
    const filter = encodeURIComponent('createdDateTime gt 2030-07-01T09:00:00Z');
    const { json } = await sim.call('GET', `${path}/recordings?$filter=${filter}`);
    expect(json.value.map((recording) => recording.id)).toEqual([result.recordings[1]?.id]);
  });

  it('find the meeting by event id and by link too', async () => {
    const { event, path } = await sim.createMeeting();
    await sim.control.meetingTookPlace({ directoryId: DIRECTORY, eventId: event.id, transcripts: 0 });
    await sim.control.meetingTookPlace({
      directoryId: DIRECTORY,
      joinUrl: event.onlineMeeting?.joinUrl ?? '',
      recordings: 0,
    });
    expect((await sim.call('GET', `${path}/recordings`)).json.value).toHaveLength(1);
    expect((await sim.call('GET', `${path}/transcripts`)).json.value).toHaveLength(1);
    await expect(sim.control.meetingTookPlace({ directoryId: DIRECTORY, eventId: 'none' })).rejects.toThrow(
      'no such meeting',
    );
  });

  it('show artifacts only when they are ready', async () => {
    await sim.control.setClock(new Date('2030-07-01T10:00:00Z'));
    const { path } = await held({ availableAfterSeconds: 300 });
    expect((await sim.call('GET', `${path}/recordings`)).json.value).toEqual([]);
    await sim.control.setClock(new Date('2030-07-01T10:05:01Z'));
    expect((await sim.call('GET', `${path}/recordings`, { token: await sim.newToken() })).json.value).toHaveLength(1);
  });
});

describe('refusals', () => {
  it('of an expired meeting', async () => {
    const { path, meetingId, content } = await held();
    await sim.control.expireMeeting(DIRECTORY, meetingId);
    expect((await sim.call('GET', `${path}/recordings`)).status).toBe(404);
    expect((await sim.call('GET', content)).status).toBe(404);
    expect((await sim.call('GET', `${path}/transcripts`)).status).toBe(404);
  });

  it('of a recording that is unknown or deleted', async () => {
    const { path, result, content } = await held();
    expect((await sim.call('GET', `${path}/recordings/none`)).json.error.code).toBe('NotFound');
    await sim.control.deleteArtifact(DIRECTORY, result.recordings[0]?.id ?? '');
    expect((await sim.call('GET', content)).status).toBe(404);
  });

  it('leave the bytes of other parts alone', async () => {
    const { path, result } = await held({ recordings: 2 });
    const second = `${path}/recordings/${result.recordings[1]?.id}/content`;
    const before = await (await sim.raw('GET', second)).arrayBuffer();
    await sim.control.deleteArtifact(DIRECTORY, result.recordings[0]?.id ?? '');
    const after = await (await sim.raw('GET', second)).arrayBuffer();
    expect(Buffer.from(after).equals(Buffer.from(before))).toBe(true);
  });

  it('of deleting: there is no such call', async () => {
    const { path, result } = await held();
    expect((await sim.call('DELETE', `${path}/recordings/${result.recordings[0]?.id}`)).status).toBe(405);
  });
});

describe('content with ranges', () => {
  it('is a whole mp4 without Range', async () => {
    const { content } = await held();
    const response = await sim.raw('GET', content);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(Number(response.headers.get('content-length'))).toBe(bytes.length);
    expect(bytes.toString('latin1', 4, 8)).toBe('ftyp');
  });

  it.each([
    ['bytes=0-99', 0, 100],
    ['bytes=100-', 100, undefined],
    ['bytes=-50', -50, undefined],
    ['bytes=1000-99999999', 1000, undefined],
  ])('answers 206 to %s', async (range, from, to) => {
    const { content } = await held();
    const whole = Buffer.from(await (await sim.raw('GET', content)).arrayBuffer());
    const response = await sim.raw('GET', content, { headers: { range } });
    const part = Buffer.from(await response.arrayBuffer());
    expect(response.status).toBe(206);
    expect(part.equals(whole.subarray(from, to))).toBe(true);
    const start = from < 0 ? whole.length + from : from;
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${start + part.length - 1}/${whole.length}`);
    expect(response.headers.get('content-length')).toBe(String(part.length));
  });

  it('answers 416 beyond the end', async () => {
    const { content } = await held();
    const answer = await sim.call('GET', content, { headers: { range: 'bytes=99999999-' } });
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toMatch(/^bytes \*\/\d+$/);
  });

  it.each(['bytes=0-1,5-6', 'lines=1-2', 'bytes=-'])('ignores %s', async (range) => {
    const { content } = await held();
    expect((await sim.raw('GET', content, { headers: { range } })).status).toBe(200);
  });

  it('serves big recordings piecewise', async () => {
    const { content } = await held({ minRecordingBytes: 3_000_000_000 });
    const response = await sim.raw('GET', content, { headers: { range: 'bytes=-10' } });
    expect(response.headers.get('content-range')).toBe('bytes 2999999990-2999999999/3000000000');
    expect(Buffer.from(await response.arrayBuffer()).length).toBe(10);
  });
});

describe('content without ranges', () => {
  it('has no length and ignores Range', async () => {
    await sim.control.setContentMode('plain');
    const { content } = await held();
    const response = await sim.raw('GET', content, { headers: { range: 'bytes=0-9' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBeNull();
    expect(response.headers.get('accept-ranges')).toBeNull();
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(1000);
  });
});

describe('content by redirect', () => {
  async function redirected() {
    await sim.control.setContentMode('redirect');
    const { content } = await held();
    const response = await sim.raw('GET', content);
    expect(response.status).toBe(302);
    return response.headers.get('location') ?? '';
  }

  it('leads to another host that serves ranges', async () => {
    const location = await redirected();
    expect(new URL(location).host).not.toBe(new URL(sim.url).host);
    const response = await fetch(location, { headers: { range: 'bytes=4-7' } });
    expect([response.status, await response.text()]).toEqual([206, 'ftyp']);
  });

  it('refuses a bearer token that leaked', async () => {
    const response = await fetch(await redirected(), { headers: { authorization: 'Bearer leaked' } });
    expect(response.status).toBe(401);
    const [logged] = await sim.control.requests({ host: 'media' });
    expect(logged?.headers.authorization).toBe('Bearer (hidden)');
  });

  it('refuses a link that was changed or is old', async () => {
    const location = await redirected();
    expect((await fetch(location.replace('sig=', 'sig=x'))).status).toBe(403);
    await sim.control.advanceClock(3_600_001);
    expect((await fetch(location)).status).toBe(403);
  });
});
