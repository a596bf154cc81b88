import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bytesOf, CONTENT, MEBIBYTE, recording, subgraph, useRecordings, whole } from './support.ts';

useRecordings();

const SIZE = 300_000;
const ranged = (url: string, range: string, headers: Record<string, string> = {}) =>
  fetch(url, { headers: { range, ...headers } });

/** A recording and its bytes, read once in the mode in which sizes are told. */
async function known(mode: 'range' | 'plain' | 'length' | 'redirect') {
  const captured = await recording({ minRecordingBytes: SIZE });
  const response = await fetch(captured.url);
  const all = await bytesOf(response);
  await subgraph.simulator.setContentMode(mode);
  return { ...captured, all, tag: response.headers.get('etag') ?? '' };
}

describe.each(['range', 'plain', 'length', 'redirect'] as const)('a recording that Microsoft serves by %s', (mode) => {
  it.each<[string, number, number]>([
    ['bytes=0-', 0, SIZE - 1],
    ['bytes=0-0', 0, 0],
    ['bytes=1000-1999', 1000, 1999],
    ['bytes=123456-', 123_456, SIZE - 1],
    ['bytes=-1', SIZE - 1, SIZE - 1],
    ['bytes=-999999999', 0, SIZE - 1],
    [`bytes=${SIZE - 1}-99999999999999999999999`, SIZE - 1, SIZE - 1],
    ['Bytes=5-9', 5, 9],
  ])('is served in part for %s', async (range, start, end) => {
    const { url, all, tag } = await known(mode);
    const response = await ranged(url, range);
    expect(response.status).toBe(206);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-range': `bytes ${start}-${end}/${SIZE}`,
      'content-length': String(end - start + 1),
      'content-type': 'video/mp4',
      'accept-ranges': 'bytes',
      etag: tag,
    });
    expect((await bytesOf(response)).equals(all.subarray(start, end + 1))).toBe(true);
  });

  it.each(['bytes=300000-', 'bytes=-0', 'bytes=99999999999999999999-'])(
    'has nothing for %s, and says how big it is',
    async (range) => {
      const { url } = await known(mode);
      const response = await ranged(url, range);
      expect([response.status, response.headers.get('content-range')]).toEqual([416, `bytes */${SIZE}`]);
      expect(await bytesOf(response)).toHaveLength(0);
    },
  );

  it.each(['bytes=5-4', 'bytes=', 'bytes=a-b', 'bytes=-', 'bytes=0-1,5-9', 'bytes=0-1, 5-9', 'bytes 0-1', 'items=0-1'])(
    'is served whole for %s, as a header that asks for no one part is ignored',
    async (range) => {
      const { url, all } = await known(mode);
      const response = await ranged(url, range);
      expect([response.status, response.headers.get('content-range')]).toEqual([200, null]);
      expect((await bytesOf(response)).equals(all)).toBe(true);
    },
  );

  it('is served in part for If-Range with its version, and whole for any other', async () => {
    const { url, all, tag, id } = await known(mode);
    expect(tag).toBe(`"${id}-${SIZE}"`);
    const part = await ranged(url, 'bytes=10-19', { 'if-range': tag });
    expect([part.status, (await bytesOf(part)).equals(all.subarray(10, 20))]).toEqual([206, true]);
    for (const other of ['"other"', `W/${tag}`, 'Wed, 21 Oct 2026 07:28:00 GMT', tag.slice(0, -1)]) {
      const response = await ranged(url, 'bytes=10-19', { 'if-range': other });
      expect([other, response.status, await whole(response)]).toEqual([other, 200, `${SIZE} bytes`]);
    }
  });

  it('is not sent again to who has it, and Microsoft is not asked', async () => {
    const { url, tag } = await known(mode);
    await subgraph.simulator.clearRequests();
    for (const header of [tag, `"x", ${tag}`, `W/${tag}`, '*']) {
      const response = await fetch(url, { headers: { 'if-none-match': header } });
      expect([header, response.status, response.headers.get('etag'), await response.text()]).toEqual([
        header,
        304,
        tag,
        '',
      ]);
    }
    expect(await subgraph.simulator.requests(CONTENT)).toEqual([]);
    const response = await fetch(url, { headers: { 'if-none-match': '"x"' } });
    expect([response.status, await whole(response)]).toEqual([200, `${SIZE} bytes`]);
  });

  it('answers HEAD with its size, whatever range is asked for', async () => {
    const { url, tag } = await known(mode);
    const response = await fetch(url, { method: 'HEAD', headers: { range: 'bytes=0-9' } });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-length': String(SIZE),
      'accept-ranges': 'bytes',
      etag: tag,
    });
  });
});

describe('a recording of unknown size', () => {
  it.each(['range', 'length', 'redirect'] as const)('is served in part all the same (%s)', async (mode) => {
    const { url, read } = await recording({ minRecordingBytes: SIZE });
    await subgraph.simulator.setContentMode(mode);
    expect((await read()).sizeBytes).toBeNull();
    const response = await ranged(url, 'bytes=-10');
    expect([response.status, response.headers.get('content-range')]).toEqual([
      206,
      `bytes ${SIZE - 10}-${SIZE - 1}/${SIZE}`,
    ]);
    expect(await whole(response)).toBe('10 bytes');
    expect((await read()).sizeBytes).toBe(SIZE);
  });

  it('is served whole where nobody tells its size, has no version, and has a size once it came whole', async () => {
    const { url, read } = await recording({ minRecordingBytes: SIZE });
    await subgraph.simulator.setContentMode('plain');
    const response = await ranged(url, 'bytes=0-9', { 'if-range': '"x"' });
    expect(response.status).toBe(200);
    const names = ['etag', 'content-length', 'content-range'];
    expect(names.map((name) => response.headers.get(name))).toEqual([null, null, null]);
    expect(response.headers.get('accept-ranges')).toBe('none');
    expect(await whole(response)).toBe(`${SIZE} bytes`);
    await expect.poll(async () => (await read()).sizeBytes).toBe(SIZE);
    expect((await ranged(url, 'bytes=0-9')).status).toBe(206);
  });

  it('learns no size from a stream that broke off', async () => {
    const { url, read } = await recording({ minRecordingBytes: SIZE });
    await subgraph.simulator.setContentMode('plain');
    await subgraph.simulator.addFault({ match: CONTENT, cutAfterBytes: 100_000 });
    expect(await whole(await fetch(url))).toBe('broken off');
    expect((await read()).sizeBytes).toBeNull();
  });

  it('is refused beyond the end by what Microsoft says', async () => {
    const { url } = await recording({ minRecordingBytes: SIZE });
    const response = await ranged(url, 'bytes=99999999-');
    expect([response.status, response.headers.get('content-range')]).toEqual([416, null]);
  });
});

describe('a recording that has another size than it had', () => {
  it('is another version: a range of the old one gets the whole', async () => {
    const { url, id, tag } = await known('range');
    await subgraph.database.query('UPDATE meeting_recordings SET size_bytes = 1000 WHERE id = $1', [id]);
    const response = await ranged(url, 'bytes=10-19', { 'if-range': `"${id}-1000"` });
    expect([response.status, response.headers.get('etag'), await whole(response)]).toEqual([200, tag, `${SIZE} bytes`]);
  });
});

describe('what the player sees on the wire', () => {
  it('is a connection that breaks off before its length, not one that ends', async () => {
    const { url } = await recording({ minRecordingBytes: 4 * MEBIBYTE });
    await subgraph.simulator.setContentMode('length');
    await subgraph.simulator.addFault({ match: CONTENT, cutAfterBytes: MEBIBYTE });
    const { hostname, port, pathname, search } = new URL(url);
    const raw = await new Promise<Buffer>((resolve) => {
      const chunks: Buffer[] = [];
      const socket = connect(Number(port), hostname, () =>
        socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
      );
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(Buffer.concat(chunks)));
    });
    expect(raw.toString('latin1')).toMatch(/content-length: 4194304/i);
    expect(raw.length).toBeLessThan(4 * MEBIBYTE);
  });
});
