import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MeetingTookPlaceInput } from '../../../simulator/control-types.ts';
import {
  activate,
  createMeeting,
  MICROSOFT,
  REFRESH,
  succeed,
  type TestTenant,
  type UserErrorAnswer,
} from '../../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, ALWAYS, ANY_TOKEN, forgetTokens, mendMicrosoft, WITHOUT_WAITS } from './support.ts';
import { startWatchedProxy, type WatchedProxy } from './watched-proxy.ts';

const CONTENT = { path: '/recordings/.+/content$' };
const MEDIA = { path: '/content/video' };
const MEBIBYTE = 1024 * 1024;

let proxy: WatchedProxy;
let subgraph: TestSubgraph;
let admin: string;
let appointments = 0;

interface Refreshed {
  meeting: { recordings: { contentUrl: string }[] };
  userErrors: UserErrorAnswer[];
}

/** A captured recording: its link, and Microsoft's ids. */
async function recording(over: Partial<MeetingTookPlaceInput> = {}, token = admin, tenant: TestTenant = 'tenant-a') {
  appointments += 1;
  const meeting = await createMeeting(subgraph, token, { appointmentId: `appt-content-${appointments}` });
  const call = await subgraph.simulator.meetingTookPlace({
    directoryId: MICROSOFT[tenant].directoryId,
    joinUrl: meeting.joinUrl ?? '',
    transcripts: 0,
    ...over,
  });
  const answer = await succeed<Refreshed>(subgraph, token, REFRESH, { meetingId: meeting.id });
  return {
    url: reachable(subgraph, answer.meeting.recordings[0]?.contentUrl ?? ''),
    graphId: call.recordings[0]?.id ?? '',
    meetingId: call.meetingId,
  };
}

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** The answer's body in one of two outcomes, so that a cut stream is told from a short one. */
const whole = (response: Response) =>
  response.arrayBuffer().then(
    (bytes) => `${bytes.byteLength} bytes`,
    () => 'broken off',
  );

beforeAll(async () => {
  proxy = await startWatchedProxy();
  subgraph = await startTestSubgraph({ graph: { ...WITHOUT_WAITS, graphBaseUrl: proxy.url, perTryTimeoutMs: 4_000 } });
  proxy.target = subgraph.simulatorUrl;
  admin = await activate(subgraph);
});
afterEach(async () => {
  await mendMicrosoft(subgraph);
  await forgetTokens(subgraph);
});
afterAll(async () => {
  await subgraph.close();
  await proxy.close();
});

describe('the bytes of a recording', () => {
  it('come whole, with their length, and nobody may keep them', async () => {
    const { url } = await recording();
    const response = await fetch(url);
    expect(response.status).toBe(200);
    const bytes = await bytesOf(response);
    expect(bytes.subarray(4, 8).toString()).toBe('ftyp');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': String(bytes.length),
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  });

  it.each<[string, (all: Buffer) => Buffer, (size: number) => string]>([
    ['bytes=0-99', (all) => all.subarray(0, 100), (size) => `bytes 0-99/${size}`],
    ['bytes=100-', (all) => all.subarray(100), (size) => `bytes 100-${size - 1}/${size}`],
    ['bytes=-100', (all) => all.subarray(-100), (size) => `bytes ${size - 100}-${size - 1}/${size}`],
    ['bytes=0-0', (all) => all.subarray(0, 1), (size) => `bytes 0-0/${size}`],
    ['bytes=10-99999999', (all) => all.subarray(10), (size) => `bytes 10-${size - 1}/${size}`],
  ])('come in part for Range: %s', async (range, part, contentRange) => {
    const { url } = await recording();
    const all = await bytesOf(await fetch(url));
    const response = await fetch(url, { headers: { range } });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(contentRange(all.length));
    expect(response.headers.get('content-length')).toBe(String(part(all).length));
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    expect((await bytesOf(response)).equals(part(all))).toBe(true);
  });

  it('are refused with 416 beyond the end', async () => {
    const { url } = await recording();
    const response = await fetch(url, { headers: { range: 'bytes=99999999-' } });
    expect(response.status).toBe(416);
    expect(await bytesOf(response)).toHaveLength(0);
  });

  it('come whole for a Range that is none', async () => {
    const { url } = await recording();
    expect((await fetch(url, { headers: { range: 'pages=1-2' } })).status).toBe(200);
  });

  it('come whole and without length when Microsoft knows no ranges and tells no length', async () => {
    const { url } = await recording();
    await subgraph.simulator.setContentMode('plain');
    const all = await bytesOf(await fetch(url, { headers: { range: 'bytes=0-' } }));
    // What came whole once has a known size.
    await subgraph.database.query('UPDATE meeting_recordings SET size_bytes = NULL');
    const response = await fetch(url, { headers: { range: 'bytes=0-99' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBeNull();
    expect(response.headers.get('accept-ranges')).toBe('none');
    expect((await bytesOf(response)).equals(all)).toBe(true);
  });

  it('come through a redirect to the media host, which never sees the token', async () => {
    const { url } = await recording();
    const all = await bytesOf(await fetch(url));
    await subgraph.simulator.setContentMode('redirect');
    await subgraph.simulator.clearRequests();
    const response = await fetch(url, { headers: { range: 'bytes=5-9' }, redirect: 'error' });
    expect(response.status).toBe(206);
    expect((await bytesOf(response)).equals(all.subarray(5, 10))).toBe(true);
    const [graphCall] = await subgraph.simulator.requests({ host: 'graph' });
    expect(graphCall).toMatchObject({ status: 302, headers: { authorization: 'Bearer (hidden)' } });
    const mediaCalls = await subgraph.simulator.requests({ host: 'media' });
    expect(mediaCalls).toMatchObject([{ status: 206, headers: { range: 'bytes=5-9' } }]);
    expect(Object.keys(mediaCalls[0]?.headers ?? {})).not.toContain('authorization');
  });

  it.each(['range', 'plain', 'redirect'] as const)(
    'carry nothing of Microsoft’s addresses and tokens (%s)',
    async (mode) => {
      const { url, graphId } = await recording();
      await subgraph.simulator.setContentMode(mode);
      const response = await fetch(url);
      const said = JSON.stringify([...response.headers]) + (await bytesOf(response)).toString('latin1');
      for (const secret of [
        'graph',
        'Bearer',
        'x-ms-',
        'request-id',
        'location',
        'objects/',
        graphId,
        new URL(proxy.url).port,
        new URL(subgraph.simulatorUrl).port,
      ].slice(0, mode === 'range' ? undefined : 7)) {
        expect(said.includes(secret), secret).toBe(false);
      }
      expect(said).not.toMatch(ANY_TOKEN);
    },
  );

  it.each(['range', 'plain', 'redirect'] as const)('answer HEAD with the headers alone (%s)', async (mode) => {
    const { url } = await recording({ minRecordingBytes: 8 * MEBIBYTE });
    await subgraph.simulator.setContentMode(mode);
    const response = await fetch(url, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('video/mp4');
    expect(response.headers.get('content-length')).toBe(mode === 'plain' ? null : String(8 * MEBIBYTE));
    expect(await bytesOf(response)).toHaveLength(0);
  });
});

describe('when Microsoft cannot give the recording', () => {
  it('that was deleted there, the answer is 410', async () => {
    const { url, graphId } = await recording();
    await subgraph.simulator.deleteArtifact(ACME.directoryId, graphId);
    const response = await fetch(url);
    expect(response.status).toBe(410);
    expect(await response.text()).toMatch(/no longer has this recording/);
  });

  it('whose meeting has expired, the answer is 410', async () => {
    const { url, meetingId } = await recording();
    await subgraph.simulator.expireMeeting(ACME.directoryId, meetingId);
    expect((await fetch(url)).status).toBe(410);
  });

  it('that the media host lost, the answer is 410', async () => {
    const { url } = await recording();
    await subgraph.simulator.setContentMode('redirect');
    await subgraph.simulator.addFault({ match: MEDIA, status: 410, body: null, times: ALWAYS });
    expect((await fetch(url)).status).toBe(410);
  });

  it.each<[string, object, string | null]>([
    ['503 with a time to wait', { status: 503, headers: { 'retry-after': '120' } }, '120'],
    ['503', { status: 503 }, null],
    ['500', { status: 500 }, null],
    ['429', { status: 429, headers: { 'retry-after': '45' } }, '45'],
    ['a refusal', { status: 403 }, null],
    ['cut connections', { cut: 'before' }, null],
  ])('and answers with %s, the answer is 503 and says no more', async (_name, fault, retryAfter) => {
    const { url } = await recording();
    await subgraph.simulator.addFault({ ...fault, match: CONTENT, times: ALWAYS });
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe(retryAfter);
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    expect(await response.text()).toBe('The recording cannot be fetched at the moment.');
    await subgraph.simulator.clearFaults();
    expect((await fetch(url)).status).toBe(200);
  });

  it.each<[string, () => Promise<void>]>([
    [
      'the role is missing',
      () => subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { roles: ['Calendars.ReadWrite'] }),
    ],
    [
      'the Teams policy is missing',
      () => subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [] }),
    ],
    ['the secret has expired', () => subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { secrets: [] })],
  ])('because %s, the answer is 503 and the cause is in the log', async (_name, breakIt) => {
    const { url } = await recording();
    await breakIt();
    await forgetTokens(subgraph);
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toMatch(/role|policy|secret|Graph/i);
    expect(
      subgraph.logs.findLast(({ msg }) => String(msg).startsWith('[TeamsMeetings] operation=recording')),
    ).toMatchObject({
      tenantId: 'tenant-a',
      kind: expect.stringMatching(/ROLE_MISSING|TEAMS_POLICY_MISSING|CREDENTIALS_REJECTED/),
    });
  });

  it('because no app is connected any more, the answer is 503', async () => {
    const { url } = await recording({}, await activate(subgraph, 'tenant-b'), 'tenant-b');
    await subgraph.database.query("DELETE FROM microsoft_apps WHERE tenant_id = 'tenant-b'");
    expect((await fetch(url)).status).toBe(503);
  });

  it('one hiccup before the first byte goes unnoticed', async () => {
    const { url } = await recording();
    await subgraph.simulator.addFault({ match: CONTENT, status: 503 });
    expect((await fetch(url)).status).toBe(200);
  });
});

describe('a stream that ends early', () => {
  it('because Microsoft broke off is an error to the player where the size is unknown, never a short video', async () => {
    const { url } = await recording({ minRecordingBytes: MEBIBYTE });
    await subgraph.simulator.setContentMode('plain');
    await subgraph.simulator.addFault({ match: CONTENT, cutAfterBytes: 200_000 });
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(await whole(response)).toBe('broken off');
    expect(await whole(await fetch(url))).toBe(`${MEBIBYTE} bytes`);
  });

  it('because Microsoft fell silent for good is an error to the player', async () => {
    const { url } = await recording({ minRecordingBytes: MEBIBYTE });
    await subgraph.simulator.setContentMode('plain');
    await subgraph.simulator.addFault({ match: CONTENT, chunkDelayMs: 60_000 });
    expect(await whole(await fetch(url))).toBe('broken off');
  });

  it('because the player went away hangs up on Microsoft too', async () => {
    const { url, graphId } = await recording({ minRecordingBytes: 64 * MEBIBYTE });
    await subgraph.simulator.addFault({ match: CONTENT, chunkDelayMs: 50 });
    const player = new AbortController();
    const response = await fetch(url, { signal: player.signal });
    await response.body?.getReader().read();
    expect(proxy.brokenOff.filter((path) => decodeURIComponent(path).includes(graphId))).toEqual([]);
    player.abort();
    await vi.waitFor(
      () => expect(proxy.brokenOff.filter((path) => decodeURIComponent(path).includes(graphId))).toHaveLength(1),
      { timeout: 10_000 },
    );
  });

  it('because the player went away before Microsoft answered hangs up as well', async () => {
    const { url, graphId } = await recording();
    await subgraph.simulator.addFault({ match: CONTENT, delayMs: 60_000, times: ALWAYS });
    const player = new AbortController();
    const response = fetch(url, { signal: player.signal }).catch(() => 'gone');
    await vi.waitFor(
      async () =>
        expect(await subgraph.simulator.requests(CONTENT)).toContainEqual(
          expect.objectContaining({ status: null, path: expect.stringContaining(encodeURIComponent(graphId)) }),
        ),
      { timeout: 10_000 },
    );
    player.abort();
    expect(await response).toBe('gone');
    await vi.waitFor(
      () => expect(proxy.brokenOff.filter((path) => decodeURIComponent(path).includes(graphId))).toHaveLength(1),
      { timeout: 3_000 },
    );
  });
});

describe('a large recording', () => {
  const size = 256 * MEBIBYTE;

  // Microsoft, proxy and player live in this process too, and their garbage counts; collected, it would be far more.
  it('passes through without being collected in memory', async () => {
    const { url } = await recording({ minRecordingBytes: size });
    const before = process.memoryUsage().rss;
    let received = 0;
    let highest = 0;
    for await (const chunk of (await fetch(url)).body ?? []) {
      received += chunk.length;
      highest = Math.max(highest, process.memoryUsage.rss());
    }
    expect(received).toBe(size);
    expect((highest - before) / MEBIBYTE).toBeLessThan(size / MEBIBYTE);
  });

  it('is fetched no faster than the player reads', async () => {
    const { url } = await recording({ minRecordingBytes: size });
    const before = proxy.bytes;
    const player = new AbortController();
    const response = await fetch(url, { signal: player.signal });
    await response.body?.getReader().read();
    let last = -1;
    await vi.waitFor(
      () => {
        const now = proxy.bytes - before;
        const isStill = now === last;
        last = now;
        expect(isStill).toBe(true);
      },
      { interval: 300, timeout: 15_000 },
    );
    player.abort();
    expect(last).toBeLessThan(size / 2);
  });
});
