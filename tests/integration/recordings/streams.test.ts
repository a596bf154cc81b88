import { createServer } from 'node:http';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startWatchedProxy, type WatchedProxy } from '../domain/watched-proxy.ts';
import { bytesOf, CONTENT, MEBIBYTE, MEDIA, recording, subgraph, useRecordings, whole } from './support.ts';

let proxy: WatchedProxy;
useRecordings(
  async () => {
    proxy = await startWatchedProxy();
    return { graph: { graphBaseUrl: proxy.url, perTryTimeoutMs: 2_000 } };
  },
  () => {
    proxy.target = subgraph.simulatorUrl;
  },
);
beforeEach(() => {
  proxy.brokenOff.length = 0;
});
afterAll(() => proxy.close());

const SIZE = 2 * MEBIBYTE;

/** The ranges that Microsoft was asked for, in order. */
async function askedRanges(match: { path: string } = CONTENT): Promise<(string | undefined)[]> {
  return (await subgraph.simulator.requests(match)).map(({ headers }) => headers.range);
}

const resumes = () => subgraph.logs.filter(({ msg }) => String(msg).includes('is resumed'));

describe.each([
  ['range', CONTENT],
  ['redirect', MEDIA],
] as const)('a stream that Microsoft cuts (%s)', (mode, match) => {
  async function cut(...afterBytes: number[]) {
    const captured = await recording({ minRecordingBytes: SIZE });
    const all = await bytesOf(await fetch(captured.url));
    await subgraph.simulator.setContentMode(mode);
    for (const cutAfterBytes of afterBytes) await subgraph.simulator.addFault({ match, cutAfterBytes });
    await subgraph.simulator.clearRequests();
    subgraph.logs.length = 0;
    return { ...captured, all };
  }

  it('is resumed from the byte that was reached, and the player notices nothing', async () => {
    const { url, all, id } = await cut(700_001, 300_007);
    expect((await bytesOf(await fetch(url))).equals(all)).toBe(true);
    expect(await askedRanges(match)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=[1-9]\d*-2097151$/),
      expect.stringMatching(/^bytes=[1-9]\d*-2097151$/),
    ]);
    expect(resumes()).toHaveLength(2);
    expect(resumes()[0]).toMatchObject({ tenantId: 'tenant-a', recordingId: id, atByte: expect.any(Number) });
  });

  it('is resumed within the part that was asked for', async () => {
    const { url, all } = await cut(100_000);
    const response = await fetch(url, { headers: { range: 'bytes=1000000-1500000' } });
    expect((await bytesOf(response)).equals(all.subarray(1_000_000, 1_500_001))).toBe(true);
    expect((await askedRanges(match)).every((range) => range?.endsWith('-1500000'))).toBe(true);
  });

  it('is resumed when it falls silent', async () => {
    const { url, all } = await cut();
    await subgraph.simulator.addFault({ match, chunkDelayMs: 60_000 });
    expect((await bytesOf(await fetch(url))).equals(all)).toBe(true);
    expect(resumes()).toHaveLength(1);
  });

  it('again and again without getting on is given up with an error that the player sees', async () => {
    const { url } = await cut(...Array.from({ length: 20 }, () => 20_000));
    expect(await whole(await fetch(url))).toBe('broken off');
    expect(resumes().length).toBeLessThanOrEqual(4);
  });

  it('as often as it gets on in between is resumed to its end', async () => {
    const { url, all } = await cut(...Array.from({ length: 6 }, () => 300_000));
    expect((await bytesOf(await fetch(url))).equals(all)).toBe(true);
  });

  it.each<[string, Record<string, string>]>([
    ['another size', { 'content-range': `bytes 300000-300004/${SIZE + 1}` }],
    ['another part', { 'content-range': `bytes 5-9/${SIZE}` }],
    ['no part at all', {}],
  ])('and that then has %s is broken off: nothing else is glued on', async (_what, headers) => {
    const { url } = await cut(300_000);
    const status = 'content-range' in headers ? 206 : 200;
    await subgraph.simulator.addFault({
      match,
      status,
      headers: { 'content-type': 'video/mp4', ...headers },
      body: 'other',
      times: 100,
    });
    expect(await whole(await fetch(url))).toBe('broken off');
  });

  it('and that is deleted meanwhile is broken off', async () => {
    const { url, graphId } = await cut();
    await subgraph.simulator.addFault({ match, cutAfterBytes: 600_000, chunkDelayMs: 10 });
    const response = await fetch(url);
    await subgraph.simulator.deleteArtifact('11111111-1111-4111-8111-111111111111', graphId);
    expect(await whole(response)).toBe('broken off');
    expect((await fetch(url)).status).toBe(410);
  });
});

describe.each([
  ['range', {}],
  ['plain', {}],
  ['length', { range: 'bytes=1000000-' }],
] as const)('a player that goes away (%s)', (mode, headers) => {
  it('hangs up on Microsoft too', async () => {
    const { url } = await recording({ minRecordingBytes: 64 * MEBIBYTE });
    await subgraph.simulator.setContentMode(mode);
    await subgraph.simulator.addFault({ match: CONTENT, chunkDelayMs: 1 });
    const player = new AbortController();
    const response = await fetch(url, { signal: player.signal, headers });
    await response.body?.getReader().read();
    expect(proxy.brokenOff).toEqual([]);
    player.abort();
    await vi.waitFor(() => expect(proxy.brokenOff).toHaveLength(1), { timeout: 10_000 });
  });
});

describe('a player that goes away (redirect)', () => {
  it('hangs up on the other host too', async () => {
    const closed = Promise.withResolvers<void>();
    const host = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': String(64 * MEBIBYTE) });
      response.write(Buffer.alloc(100_000));
      response.on('close', () => closed.resolve());
    });
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    const address = host.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const { url } = await recording();
    const location = `http://127.0.0.1:${address.port}/video`;
    await subgraph.simulator.addFault({ match: CONTENT, status: 302, headers: { location }, body: null });
    const player = new AbortController();
    const response = await fetch(url, { signal: player.signal });
    await response.body?.getReader().read();
    player.abort();
    await closed.promise;
    host.close();
  });
});

describe('a stream that goes on for long', () => {
  it('ends with an error soon after the viewer may not see the recording any more', async () => {
    const own = await recording({ minRecordingBytes: 32 * MEBIBYTE });
    const settings = (isShown: boolean) =>
      subgraph.database.query('UPDATE teams_integrations SET show_artifacts_in_client_portal = $1', [isShown]);
    await settings(true);
    const viewer = {
      tenantId: 'tenant-a',
      id: 'jane',
      kind: 'client' as const,
      clientId: 'client-acme',
      contactId: undefined,
      permissions: new Set(['teams_artifact:read' as const]),
    };
    const { pathname, search } = new URL(subgraph.services.links.sign(viewer, 'recording', own.id).url);
    const response = await fetch(`${subgraph.url}${pathname}${search}`);
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    await reader?.read();
    await settings(false);
    subgraph.advanceClock(61_000);
    await expect(
      (async () => {
        while ((await reader?.read())?.done === false);
      })(),
    ).rejects.toThrow();
    const again = await fetch(`${subgraph.url}${pathname}${search}`);
    expect(again.status).toBe(403);
  });
});
