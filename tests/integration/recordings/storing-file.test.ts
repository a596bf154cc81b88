import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BlobStoreError } from '../../../src/blobs/blob-store.ts';
import { openBlobStore } from '../../../src/blobs/open-blob-store.ts';
import { reachable } from '../../support/subgraph.ts';
import { literally } from '../domain/support.ts';
import { copyOf, DIRECTORY, describeStoring, keyOf, place, run, spoil, turnCopies } from './storing.ts';
import { bytesOf, CONTENT, recording, subgraph, whole } from './support.ts';

const partBytes = 512 * 1024;
const size = 2 * partBytes + 123_456;
const video = (over: object = {}) => recording({ minRecordingBytes: size, ...over });

describeStoring('files', partBytes, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recordings-'));
  return {
    blobs: await openBlobStore({ kind: 'file', folder }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

/** Lets a day pass since Microsoft first said that it has a recording no more. */
const lastsADay = ({ id }: { id: string }) =>
  subgraph.database.query("UPDATE meeting_recordings SET gone_at = gone_at - interval '25 hours' WHERE id = $1", [id]);

describe('copies of recordings, when things go wrong,', () => {
  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['a changed byte', (bytes) => Buffer.concat([bytes.subarray(0, 7), Buffer.from('!'), bytes.subarray(8)])],
    ['a byte too few', (bytes) => bytes.subarray(1)],
  ])('that come out of the store with %s are no copies', async (_what, damage) => {
    const captured = await video();
    spoil({
      putPart: (upload, part, signal) =>
        place.blobs.putPart(
          upload,
          { ...part, bytes: part.number === 3 ? damage(Buffer.from(part.bytes)) : part.bytes },
          signal,
        ),
    });
    await subgraph.runJobs();
    expect(await captured.read()).toMatchObject({ storage: 'GRAPH' });
    expect(await copyOf(captured)).toMatchObject({ parts: [], last_error: expect.stringMatching(/DAMAGED/) });
    expect(await place.blobs.stat(keyOf(captured))).toBeNull();
    spoil({});
    await subgraph.runJobs({ early: true });
    expect((await captured.read()).storage).toBe('INTERNAL');
  });

  it('wait, ever longer, while the store is down', async () => {
    const captured = await video();
    spoil({
      begin: async () => {
        throw new BlobStoreError('S3 did not begin an upload (SlowDown)');
      },
    });
    const waits: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await run(captured);
      const [job] = await subgraph.database.query<{ seconds: number; queue_name: string | null }>(
        'SELECT extract(epoch FROM run_at - now())::int AS seconds, queue_name FROM graphile_worker.jobs WHERE key = $1',
        [`store_recording:tenant-a:${captured.id}`],
      );
      waits.push(Math.round((job?.seconds ?? 0) / 60));
      expect(job?.queue_name).toMatch(/^store_recording:\d+$/);
    }
    expect(waits).toEqual([1, 2, 4]);
    expect(await copyOf(captured)).toMatchObject({
      failed_attempts: 3,
      last_error: expect.stringContaining('SlowDown'),
    });
    spoil({});
    await subgraph.runJobs({ early: true });
    expect((await captured.read()).storage).toBe('INTERNAL');
  });

  it('wait while the store is full, keep what fitted in, and play from Microsoft meanwhile', async () => {
    const captured = await video();
    spoil({
      putPart: async (upload, part, signal) => {
        if (part.number > 1) throw new BlobStoreError('An upload failed (ENOSPC)');
        return place.blobs.putPart(upload, part, signal);
      },
    });
    await run(captured);
    await run(captured);
    expect(await copyOf(captured)).toMatchObject({
      parts: [{ number: 1 }],
      failed_attempts: 1,
      last_error: expect.stringContaining('ENOSPC'),
    });
    expect(await captured.read()).toMatchObject({ storage: 'GRAPH', isAvailable: true });
    expect(await whole(await fetch(captured.url))).toBe(`${size} bytes`);
    spoil({});
    await subgraph.runJobs({ early: true });
    expect((await captured.read()).storage).toBe('INTERNAL');
  });

  it('wait as long as Microsoft asks', async () => {
    const captured = await video();
    await subgraph.simulator.addFault({ match: CONTENT, status: 429, headers: { 'retry-after': '900' }, times: 100 });
    await run(captured);
    const [job] = await subgraph.database.query<{ seconds: number }>(
      'SELECT extract(epoch FROM run_at - now())::int AS seconds FROM graphile_worker.jobs WHERE key = $1',
      [`store_recording:tenant-a:${captured.id}`],
    );
    expect(job?.seconds).toBeGreaterThan(880);
    expect((await copyOf(captured))?.last_error).toBe('THROTTLED');
  });

  it('are given up when Microsoft has had the recording no more for a day, and leave nothing behind', async () => {
    const captured = await video();
    await run(captured);
    const uploadId = (await copyOf(captured))?.upload_id ?? '';
    await subgraph.simulator.deleteArtifact(DIRECTORY, captured.graphId);
    await subgraph.runJobs();
    expect(await captured.read()).toMatchObject({ storage: 'GRAPH', isAvailable: false });
    expect((await copyOf(captured))?.last_error).toBe('GONE');
    await lastsADay(captured);
    await subgraph.runJobs({ early: true });
    expect(await copyOf(captured)).toBeUndefined();
    const part = { number: 1, offset: 0, bytes: Buffer.from('x') };
    await expect(place.blobs.putPart({ key: keyOf(captured), id: uploadId }, part)).rejects.toThrow();
  });

  it('by two workers at once are one copy', async () => {
    const captured = await video();
    await Promise.all([run(captured), run(captured)]);
    await Promise.all([run(captured), run(captured), run(captured)]);
    await subgraph.runJobs({ early: true });
    expect((await captured.read()).storage).toBe('INTERNAL');
    const [row] = await subgraph.database.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM audit_events WHERE operation = 'store-recording' AND detail->>'recordingId' = $1",
      [captured.id],
    );
    expect(row?.count).toBe(1);
  });

  it('go on when Microsoft says only for a while that it has the recording no more', async () => {
    const captured = await video();
    await run(captured);
    const path = `/recordings/${literally(captured.graphId)}/content`;
    await subgraph.simulator.addFault({ match: { path }, status: 404, times: 1 });
    await subgraph.runJobs();
    expect((await captured.read()).storage).toBe('GRAPH');
    await subgraph.runJobs({ early: true });
    await subgraph.runJobs({ early: true });
    expect(await captured.read()).toMatchObject({ storage: 'INTERNAL', isAvailable: true });
  });

  it('that are not in the store are fetched from Microsoft, and not given up: its disk may not be mounted', async () => {
    const captured = await video();
    await subgraph.runJobs();
    await place.blobs.delete(keyOf(captured));
    expect(await whole(await fetch(captured.url))).toBe(`${size} bytes`);
    expect(await captured.read()).toMatchObject({ storage: 'INTERNAL', isAvailable: true });
    await subgraph.simulator.deleteArtifact(DIRECTORY, captured.graphId);
    expect((await fetch(captured.url)).status).toBe(503);
    expect(await captured.read()).toMatchObject({ storage: 'INTERNAL', isAvailable: true });
  });

  it('cannot be had while the store is down: Microsoft is asked, and a lost original is no 410', async () => {
    const captured = await video();
    await subgraph.runJobs();
    spoil({
      stat: async () => {
        throw new BlobStoreError('S3 did not tell of a blob (NetworkError)');
      },
    });
    expect(await whole(await fetch(captured.url))).toBe(`${size} bytes`);
    await subgraph.simulator.deleteArtifact(DIRECTORY, captured.graphId);
    expect((await fetch(captured.url)).status).toBe(503);
    spoil({});
    expect(await whole(await fetch(captured.url))).toBe(`${size} bytes`);
  });

  it('break off at the player when the store does, resumed where that is possible', async () => {
    const captured = await video();
    await subgraph.runJobs();
    const all = await bytesOf(await fetch(captured.url));
    let cuts = 2;
    spoil({
      get: async (key, options) => {
        const blob = await place.blobs.get(key, options);
        if (blob === null || cuts-- <= 0) return blob;
        return { ...blob, body: cutAfter(blob.body, 400_000) };
      },
    });
    expect((await bytesOf(await fetch(captured.url))).equals(all)).toBe(true);
    cuts = Number.POSITIVE_INFINITY;
    spoil({
      get: async (key, options) => {
        const blob = await place.blobs.get(key, options);
        return blob && { ...blob, body: cutAfter(blob.body, 10) };
      },
    });
    expect(await whole(await fetch(captured.url))).toBe('broken off');
  });
});

describe('the switch for copies', () => {
  it('turned on copies what is there already, but not what is gone', async () => {
    await turnCopies(false);
    const there = await video();
    const gone = await video();
    await subgraph.runJobs();
    expect((await there.read()).storage).toBe('GRAPH');
    await subgraph.simulator.deleteArtifact(DIRECTORY, gone.graphId);
    expect((await fetch(gone.url)).status).toBe(410);
    await lastsADay(gone);
    await turnCopies(true);
    await subgraph.simulator.clearRequests();
    await subgraph.runJobs();
    expect((await there.read()).storage).toBe('INTERNAL');
    expect(await copyOf(gone)).toBeUndefined();
  });

  it('turned off keeps what is there, finishes what has begun and begins nothing', async () => {
    const stored = await video();
    await subgraph.runJobs();
    const begun = await video();
    await run(begun);
    const waiting = await video();
    await turnCopies(false);
    const later = await video();
    await subgraph.runJobs({ early: true });
    expect((await stored.read()).storage).toBe('INTERNAL');
    expect((await begun.read()).storage).toBe('INTERNAL');
    expect((await waiting.read()).storage).toBe('GRAPH');
    expect((await later.read()).storage).toBe('GRAPH');
    expect(await whole(await fetch(stored.url))).toBe(`${size} bytes`);
  });

  it('is looked after by the sweep, should a job be lost', async () => {
    const captured = await video();
    await subgraph.database.query("DELETE FROM graphile_worker._private_jobs WHERE key LIKE 'store_recording:%'");
    await subgraph.runJobs({ early: true });
    expect((await captured.read()).storage).toBe('INTERNAL');
  });
});

describe('links to copies', () => {
  it('that were given out before are the same after the copy was made', async () => {
    const captured = await video();
    await subgraph.runJobs();
    expect(reachable(subgraph, (await captured.read()).contentUrl).split('?')[0]).toBe(captured.url.split('?')[0]);
    expect((await fetch(captured.url)).status).toBe(200);
  });
});

async function* cutAfter(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of body) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      throw new BlobStoreError('the store broke off');
    }
    left -= chunk.length;
    yield chunk;
  }
}
