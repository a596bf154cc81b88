import { describe, expect, it, vi } from 'vitest';
import { SimulatorControl } from '../../../simulator/control.ts';
import { CLIENT_ID, DIRECTORY, draft, ORGANIZER, reply, useSimulator } from './support.ts';

const sim = useSimulator();
const EVENTS = `/users/${ORGANIZER}/events`;

describe('faults', () => {
  it('answer with the given status, body and headers, as often as told', async () => {
    await sim.control.addFault({
      match: { method: 'get', path: `users/${ORGANIZER}$` },
      times: 2,
      status: 503,
      headers: { 'retry-after': '7', 'content-type': 'text/html' },
      body: '<html>down</html>',
    });
    for (let round = 0; round < 2; round += 1) {
      const answer = await sim.call('GET', `/users/${ORGANIZER}`);
      expect([answer.status, answer.text]).toEqual([503, '<html>down</html>']);
      expect([answer.headers.get('retry-after'), answer.headers.get('content-type')]).toEqual(['7', 'text/html']);
    }
    expect((await sim.call('GET', `/users/${ORGANIZER}`)).status).toBe(200);
  });

  it('meet only calls of their method and path, the oldest first', async () => {
    await sim.control.addFault({ match: { method: 'POST' }, status: 500 });
    await sim.control.addFault({ match: { path: 'calendar' }, status: 502 });
    await sim.control.addFault({ status: 504 });
    expect((await sim.call('GET', `/users/${ORGANIZER}/calendar`, { token: 'any' })).status).toBe(502);
    expect((await sim.call('GET', `/users/${ORGANIZER}`, { token: 'any' })).status).toBe(504);
    expect((await sim.call('POST', EVENTS, { token: 'any', body: draft() })).status).toBe(500);
  });

  it('have Microsoft’s bodies by default', async () => {
    await sim.control.addFault({ match: { path: '/v1.0/' }, status: 429 });
    const answer = await sim.call('GET', `/users/${ORGANIZER}`);
    expect(answer.headers.get('retry-after')).toBe('10');
    expect(answer.json.error).toMatchObject({
      code: 'TooManyRequests',
      message: 'Please retry again later.',
      innerError: { code: '429', message: 'Please retry after', status: '429', 'request-id': expect.any(String) },
    });
    await sim.control.addFault({ match: { path: '/token$' }, status: 503 });
    const hiccup = await sim.askToken();
    expect([hiccup.status, hiccup.json.error, hiccup.json.error_codes]).toEqual([
      503,
      'temporarily_unavailable',
      [90033],
    ]);
  });

  it('can answer with an empty body', async () => {
    await sim.control.addFault({ match: { path: EVENTS }, status: 503, body: null });
    const answer = await sim.call('GET', EVENTS);
    expect([answer.status, answer.text]).toEqual([503, '']);
  });

  it('cut the connection before the work', async () => {
    await sim.newToken();
    await sim.control.addFault({ match: { path: EVENTS }, cut: 'before' });
    await expect(sim.createEvent()).rejects.toThrow();
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(0);
    expect((await sim.control.requests({ path: '/events' }))[0]?.status).toBeNull();
  });

  it('cut the connection after the work', async () => {
    await sim.control.addFault({ match: { path: EVENTS }, cut: 'after' });
    await expect(sim.createEvent()).rejects.toThrow();
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(1);
  });

  it('cut a stream after some bytes, or slow it down', async () => {
    const { path, meetingId } = await sim.createMeeting();
    const { recordings } = await sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId });
    const content = `${path}/recordings/${recordings[0]?.id}/content`;
    await sim.control.addFault({ match: { path: '/content$' }, cutAfterBytes: 20_000 });
    const response = await sim.raw('GET', content);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
    await sim.control.addFault({ match: { path: '/content$' }, chunkDelayMs: 1 });
    expect((await (await sim.raw('GET', content)).arrayBuffer()).byteLength).toBeGreaterThan(100_000);
  });

  it('can be cleared, and refuse a path that is no pattern', async () => {
    await sim.control.addFault({ status: 500, times: 99 });
    await sim.control.clearFaults();
    expect((await sim.call('GET', EVENTS)).status).toBe(200);
    await expect(sim.control.addFault({ match: { path: '(' } })).rejects.toThrow('Invalid regular expression');
  });
});

describe('request log', () => {
  it('keeps what was asked and answered, without the token', async () => {
    const event = await sim.createEvent({ subject: 'Logged' });
    await sim.call('GET', `${EVENTS}/${event.id}?$select=id`, { headers: { prefer: 'outlook.timezone="UTC"' } });
    const [token, create, read] = await sim.control.requests();
    expect(token).toMatchObject({ host: 'entra', method: 'POST', path: `/${DIRECTORY}/oauth2/v2.0/token`, body: null });
    expect(JSON.stringify(token)).not.toContain('simulator-secret');
    expect(create).toMatchObject({ host: 'graph', method: 'POST', status: 201, body: { subject: 'Logged' } });
    expect(read).toMatchObject({
      status: 200,
      path: `/v1.0${EVENTS}/${event.id}`,
      query: { $select: 'id' },
      headers: { prefer: 'outlook.timezone="UTC"', authorization: 'Bearer (hidden)' },
    });
  });

  it('is filtered and cleared', async () => {
    await sim.createEvent();
    expect(await sim.control.requests({ method: 'post', path: '/events$' })).toHaveLength(1);
    await sim.control.clearRequests();
    expect(await sim.control.requests()).toEqual([]);
  });
});

describe('mailbox concurrency', () => {
  it('lets four calls in and refuses the rest', async () => {
    await sim.call('GET', EVENTS);
    await sim.control.addFault({ match: { path: EVENTS }, times: 4, delayMs: 60_000 });
    const calls = Array.from({ length: 6 }, () => sim.call('GET', EVENTS));
    await vi.waitFor(async () => {
      const logged = await sim.control.requests({ path: EVENTS });
      expect(logged.filter((entry) => entry.status === 429)).toHaveLength(2);
    });
    expect(await sim.control.concurrency()).toEqual([
      { directoryId: DIRECTORY, appId: CLIENT_ID, userId: ORGANIZER, current: 4, max: 5 },
    ]);
    await sim.control.clearFaults();
    const answers = await Promise.all(calls);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 200, 429, 429]);
    expect(answers.find((answer) => answer.status === 429)?.json.error).toMatchObject({
      code: 'ApplicationThrottled',
      message: 'Application is over its MailboxConcurrency limit.',
    });
    await sim.control.clearRequests();
    expect((await sim.control.concurrency())[0]).toMatchObject({ current: 0, max: 0 });
  });

  it('counts Exchange calls only', async () => {
    await sim.call('GET', EVENTS);
    await sim.control.addFault({ match: { path: `users/${ORGANIZER}$` }, times: 5, delayMs: 60_000 });
    const directory = Array.from({ length: 5 }, () => sim.call('GET', `/users/${ORGANIZER}`));
    await vi.waitFor(async () => {
      expect(await sim.control.requests({ path: `users/${ORGANIZER}$` })).toHaveLength(5);
    });
    expect((await sim.call('GET', EVENTS)).status).toBe(200);
    await sim.control.clearFaults();
    const answers = await Promise.all(directory);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200]);
  });
});

describe('paging', () => {
  async function pages(path: string): Promise<string[][]> {
    const seen: string[][] = [];
    let next: string | undefined = path;
    while (next !== undefined) {
      const { json }: Awaited<ReturnType<typeof sim.call>> = await sim.call('GET', next);
      seen.push(json.value.map((event) => event.subject));
      next = json['@odata.nextLink'];
    }
    return seen;
  }

  async function createFive() {
    for (const subject of ['a', 'b', 'c', 'd', 'e']) await sim.createEvent({ subject });
  }

  it('follows $top with an opaque link that keeps the other options', async () => {
    await createFive();
    expect(await pages(`${EVENTS}?$top=2&$select=subject`)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('follows the configured page size, and may begin with an empty page', async () => {
    await createFive();
    await sim.control.setPaging({ pageSize: 3, emptyPageFirst: true });
    expect(await pages(EVENTS)).toEqual([[], ['a', 'b', 'c'], ['d', 'e']]);
  });

  it('serves artifacts in pages too', async () => {
    const { path, meetingId } = await sim.createMeeting();
    await sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId, recordings: 3 });
    await sim.control.setPaging({ pageSize: 2 });
    const first = await sim.call('GET', `${path}/recordings`);
    expect(first.json.value).toHaveLength(2);
    const second = await sim.call('GET', first.json['@odata.nextLink'] ?? '');
    expect([second.json.value.length, second.json['@odata.nextLink']]).toEqual([1, undefined]);
  });

  it.each(['$top=-1', '$top=many', '$top=1001', '$skip=x', '$skiptoken=garbage'])('refuses %s', async (query) => {
    expect((await sim.call('GET', `${EVENTS}?${query}`)).json.error.code).toBe('BadRequest');
  });

  it('skips and counts', async () => {
    await createFive();
    const { json } = await sim.call('GET', `${EVENTS}?$skip=4&$count=true&$select=subject`);
    expect([json.value.length, json['@odata.count']]).toEqual([1, 5]);
  });
});

describe('control', () => {
  it('tells its time and forgets everything on reset', async () => {
    await sim.control.setClock(new Date('2031-01-01T00:00:00Z'));
    expect((await sim.control.now()).toISOString()).toMatch(/^2031-01-01T00:00/);
    await sim.createEvent();
    await sim.control.reset();
    expect(Math.abs((await sim.control.now()).getTime() - Date.now())).toBeLessThan(5_000);
    expect((await sim.askToken()).json.error_codes).toEqual([90002]);
    expect(await sim.control.requests({ host: 'graph' })).toEqual([]);
  });

  it('refuses what it does not know', async () => {
    await expect(sim.control.listEvents(DIRECTORY, 'nobody')).rejects.toThrow('no user nobody');
    await expect(sim.control.updateDirectory('none', {})).rejects.toThrow('no directory none');
    const answer = await reply(await fetch(`${sim.url}/_simulator/explode`, { method: 'POST' }));
    expect([answer.status, answer.json.error]).toEqual([400, 'no operation explode']);
  });

  it('lists meetings with their event and artifacts, from any client of the address', async () => {
    const { event, meetingId } = await sim.createMeeting();
    const made = await sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId });
    const [meeting] = await new SimulatorControl(`${sim.url}/`).listMeetings(DIRECTORY, ORGANIZER);
    expect(meeting).toMatchObject({
      id: meetingId,
      eventId: event.id,
      recordingIds: made.recordings.map((one) => one.id),
      transcriptIds: made.transcripts.map((one) => one.id),
    });
  });
});
