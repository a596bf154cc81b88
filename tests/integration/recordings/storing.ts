import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type BlobStore, BlobStoreError } from '../../../src/blobs/blob-store.ts';
import { mutate, type UserErrorAnswer } from '../../support/setup.ts';
import { reachable } from '../../support/subgraph.ts';
import { admin, bytesOf, type Captured, CONTENT, recording, subgraph, useRecordings, whole } from './support.ts';

const DIRECTORY = '11111111-1111-4111-8111-111111111111';

/** A place for blobs of a test file. */
export interface BlobPlace {
  blobs: BlobStore;
  close(): Promise<void>;
}

const SWITCH =
  'mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { settings { downloadRecordings } userErrors { code message path remedy } } }';

/** Turns copies on or off as an admin does. */
export const turnCopies = (downloadRecordings: boolean) =>
  mutate<{ settings: { downloadRecordings: boolean } | null; userErrors: UserErrorAnswer[] }>(subgraph, admin, SWITCH, {
    downloadRecordings,
  });

interface CopyRow {
  parts: { number: number; size: number }[];
  failed_attempts: number;
  last_error: string | null;
  upload_id: string | null;
}

export async function copyOf({ id }: Captured): Promise<CopyRow | undefined> {
  const rows = await subgraph.database.query<CopyRow>('SELECT * FROM recording_copies WHERE recording_id = $1', [id]);
  return rows[0];
}

/** One run of the job, as a worker does it. */
export const run = ({ id }: Captured) =>
  subgraph.services.storeRecording(
    {
      viewer: { tenantId: 'tenant-a', id: 'background', kind: 'service', permissions: new Set() },
      db: subgraph.db.forTenant('tenant-a'),
    },
    id,
  );

/** The ranges that Microsoft was asked for since the log was cleared. */
const askedRanges = async () => (await subgraph.simulator.requests(CONTENT)).map(({ headers }) => headers.range);

/** Everything that the job must do, on any kind of store. Each run copies one part. */
export function describeStoring(kind: string, partBytes: number, open: () => Promise<BlobPlace>): void {
  /** Two whole parts and a rest. */
  const size = 2 * partBytes + 123_456;
  let place: BlobPlace;
  /** Replaces methods of the store for one test. */
  let spoiled: Partial<BlobStore> = {};
  useRecordings(async () => {
    place = await open();
    const blobs = new Proxy(place.blobs, {
      get: (target, name: keyof BlobStore) => spoiled[name] ?? target[name],
    });
    return { services: { blobs, copyLimits: { sliceMs: 0, partBytes } } };
  });
  afterAll(() => place.close());
  beforeEach(async () => {
    spoiled = {};
    await turnCopies(true);
    await subgraph.simulator.clearRequests();
  });

  const video = (over: object = {}) => recording({ minRecordingBytes: size, ...over });
  const keyOf = ({ id }: Captured) => `tenant-a/${id}`;

  describe(`copies of recordings in ${kind}`, () => {
    it('are made by themselves, part by part, and are what Microsoft sent', async () => {
      const captured = await video();
      const before = await fetch(captured.url);
      const all = await bytesOf(before);
      expect(await captured.read()).toMatchObject({ storage: 'GRAPH', isAvailable: true });
      await subgraph.simulator.clearRequests();
      await subgraph.runJobs();
      expect(await captured.read()).toMatchObject({ storage: 'INTERNAL', isAvailable: true, sizeBytes: size });
      expect(await askedRanges()).toEqual([undefined, `bytes=${partBytes}-`, `bytes=${2 * partBytes}-`]);
      expect(await copyOf(captured)).toBeUndefined();

      await subgraph.simulator.clearRequests();
      const after = await fetch(captured.url);
      expect((await bytesOf(after)).equals(all)).toBe(true);
      const names = ['etag', 'content-length', 'content-type', 'accept-ranges'];
      expect(names.map((name) => after.headers.get(name))).toEqual(names.map((name) => before.headers.get(name)));
      for (const [range, start, end] of [
        ['bytes=0-0', 0, 0],
        [`bytes=${partBytes - 5}-${partBytes + 5}`, partBytes - 5, partBytes + 5],
        ['bytes=-1000', size - 1000, size - 1],
      ] as const) {
        const part = await fetch(captured.url, { headers: { range, 'if-range': before.headers.get('etag') ?? '' } });
        expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes ${start}-${end}/${size}`]);
        expect((await bytesOf(part)).equals(all.subarray(start, end + 1))).toBe(true);
      }
      expect((await fetch(captured.url, { headers: { range: `bytes=${size}-` } })).status).toBe(416);
      expect((await fetch(captured.url, { method: 'HEAD' })).headers.get('content-length')).toBe(String(size));
      expect(await askedRanges()).toEqual([]);
    });

    it('are named by what is in them, and audited with ids and sizes', async () => {
      const captured = await video();
      await subgraph.runJobs();
      const [row] = await subgraph.database.query<{ checksum: string; stored_at: Date }>(
        'SELECT checksum, stored_at FROM meeting_recordings WHERE id = $1',
        [captured.id],
      );
      expect(row?.checksum).toMatch(/^[0-9a-f]{64}-3$/);
      expect(row?.stored_at).toBeInstanceOf(Date);
      const audits = await subgraph.database.query(
        "SELECT outcome, detail, meeting_id FROM audit_events WHERE operation = 'store-recording' AND detail->>'recordingId' = $1",
        [captured.id],
      );
      expect(audits).toEqual([
        { outcome: 'success', meeting_id: captured.meetingId, detail: { recordingId: captured.id, bytes: size } },
      ]);
    });

    it('are served although Microsoft lost its own, and only then', async () => {
      const captured = await video();
      const other = await video();
      await subgraph.runJobs();
      await subgraph.database.query("UPDATE meeting_recordings SET storage = 'GRAPH' WHERE id = $1", [other.id]);
      for (const { graphId } of [captured, other]) await subgraph.simulator.deleteArtifact(DIRECTORY, graphId);
      expect(await whole(await fetch(captured.url))).toBe(`${size} bytes`);
      expect(await captured.read()).toMatchObject({ storage: 'INTERNAL', isAvailable: true });
      expect((await fetch(other.url)).status).toBe(410);
      expect(await other.read()).toMatchObject({ storage: 'GRAPH', isAvailable: false });
    });

    it.each(['plain', 'length'] as const)(
      'go on where Microsoft takes no ranges: it is read anew (%s)',
      async (mode) => {
        const captured = await video();
        await subgraph.simulator.setContentMode(mode);
        await subgraph.runJobs();
        expect(await captured.read()).toMatchObject({ storage: 'INTERNAL', sizeBytes: size });
        expect((await askedRanges()).slice(1)).toEqual([`bytes=${partBytes}-`, `bytes=${2 * partBytes}-`]);
      },
    );

    it('come through a redirect and a cut', async () => {
      const captured = await video();
      await subgraph.simulator.setContentMode('redirect');
      await subgraph.simulator.addFault({ match: { path: '/content/video' }, cutAfterBytes: 200_000 });
      await run(captured);
      expect(await copyOf(captured)).toMatchObject({ failed_attempts: 1, last_error: 'NETWORK', parts: [] });
      await subgraph.runJobs({ early: true });
      expect((await captured.read()).storage).toBe('INTERNAL');
    });

    it('begin anew when Microsoft has another content', async () => {
      const captured = await video();
      await run(captured);
      expect((await copyOf(captured))?.parts).toHaveLength(1);
      await subgraph.simulator.addFault({
        match: CONTENT,
        status: 206,
        headers: { 'content-type': 'video/mp4', 'content-range': `bytes ${partBytes}-${partBytes + 4}/${size + 7}` },
        body: 'other',
      });
      await run(captured);
      expect(await copyOf(captured)).toMatchObject({ parts: [], last_error: 'CHANGED', upload_id: null });
      await subgraph.runJobs({ early: true });
      expect((await captured.read()).storage).toBe('INTERNAL');
    });

    it('begin anew when the store knows the upload no more', async () => {
      const captured = await video();
      await run(captured);
      const uploadId = (await copyOf(captured))?.upload_id ?? '';
      await place.blobs.abort({ key: keyOf(captured), id: uploadId });
      await run(captured);
      expect(await copyOf(captured)).toMatchObject({ parts: [], last_error: 'UPLOAD_LOST' });
      await subgraph.runJobs({ early: true });
      expect((await captured.read()).storage).toBe('INTERNAL');
    });

    it('that were put together before that was noted are taken as they are', async () => {
      const captured = await video();
      spoiled.complete = async (upload, parts) => {
        await place.blobs.complete(upload, parts);
        spoiled = {};
        throw new BlobStoreError('the process is gone');
      };
      await subgraph.runJobs();
      expect((await copyOf(captured))?.last_error).toContain('the process is gone');
      await subgraph.simulator.clearRequests();
      await subgraph.runJobs({ early: true });
      expect((await captured.read()).storage).toBe('INTERNAL');
      expect(await askedRanges()).toEqual([]);
    });

    it.each<[string, (bytes: Buffer) => Buffer]>([
      ['a changed byte', (bytes) => Buffer.concat([bytes.subarray(0, 7), Buffer.from('!'), bytes.subarray(8)])],
      ['a byte too few', (bytes) => bytes.subarray(1)],
    ])('that come out of the store with %s are no copies', async (_what, damage) => {
      const captured = await video();
      spoiled.putPart = (upload, part, signal) =>
        place.blobs.putPart(
          upload,
          { ...part, bytes: part.number === 3 ? damage(Buffer.from(part.bytes)) : part.bytes },
          signal,
        );
      await subgraph.runJobs();
      expect(await captured.read()).toMatchObject({ storage: 'GRAPH' });
      expect(await copyOf(captured)).toMatchObject({ parts: [], last_error: expect.stringMatching(/DAMAGED/) });
      expect(await place.blobs.stat(keyOf(captured))).toBeNull();
      spoiled = {};
      await subgraph.runJobs({ early: true });
      expect((await captured.read()).storage).toBe('INTERNAL');
    });

    it('wait, ever longer, while the store is down', async () => {
      const captured = await video();
      spoiled.begin = async () => {
        throw new BlobStoreError('S3 did not begin an upload (SlowDown)');
      };
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
      spoiled = {};
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

    it('are given up when Microsoft has the recording no more, and leave nothing behind', async () => {
      const captured = await video();
      await run(captured);
      const uploadId = (await copyOf(captured))?.upload_id ?? '';
      await subgraph.simulator.deleteArtifact(DIRECTORY, captured.graphId);
      await subgraph.runJobs();
      expect(await captured.read()).toMatchObject({ storage: 'GRAPH', isAvailable: false });
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

    it('that are lost in the store are fetched from Microsoft, told as such, and made again', async () => {
      const captured = await video();
      await subgraph.runJobs();
      await place.blobs.delete(keyOf(captured));
      expect(await whole(await fetch(captured.url))).toBe(`${size} bytes`);
      expect(await captured.read()).toMatchObject({ storage: 'GRAPH', isAvailable: true });
      await subgraph.runJobs({ early: true });
      await subgraph.runJobs({ early: true });
      expect(await captured.read()).toMatchObject({ storage: 'INTERNAL' });
    });

    it('cannot be had while the store is down: Microsoft is asked, and a lost original is no 410', async () => {
      const captured = await video();
      await subgraph.runJobs();
      spoiled.stat = async () => {
        throw new BlobStoreError('S3 did not tell of a blob (NetworkError)');
      };
      expect(await whole(await fetch(captured.url))).toBe(`${size} bytes`);
      await subgraph.simulator.deleteArtifact(DIRECTORY, captured.graphId);
      expect((await fetch(captured.url)).status).toBe(503);
      spoiled = {};
      expect(await whole(await fetch(captured.url))).toBe(`${size} bytes`);
    });

    it('break off at the player when the store does, resumed where that is possible', async () => {
      const captured = await video();
      await subgraph.runJobs();
      const all = await bytesOf(await fetch(captured.url));
      let cuts = 2;
      spoiled.get = async (key, options) => {
        const blob = await place.blobs.get(key, options);
        if (blob === null || cuts-- <= 0) return blob;
        return { ...blob, body: cutAfter(blob.body, 400_000) };
      };
      expect((await bytesOf(await fetch(captured.url))).equals(all)).toBe(true);
      cuts = Number.POSITIVE_INFINITY;
      spoiled.get = async (key, options) => {
        const blob = await place.blobs.get(key, options);
        return blob && { ...blob, body: cutAfter(blob.body, 10) };
      };
      expect(await whole(await fetch(captured.url))).toBe('broken off');
    });
  });

  describe(`the switch for copies (${kind})`, () => {
    it('turned on copies what is there already, but not what is gone', async () => {
      await turnCopies(false);
      const there = await video();
      const gone = await video();
      await subgraph.runJobs();
      expect((await there.read()).storage).toBe('GRAPH');
      await subgraph.simulator.deleteArtifact(DIRECTORY, gone.graphId);
      expect((await fetch(gone.url)).status).toBe(410);
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

  describe(`links to copies (${kind})`, () => {
    it('that were given out before are the same after the copy was made', async () => {
      const captured = await video();
      await subgraph.runJobs();
      expect(reachable(subgraph, (await captured.read()).contentUrl).split('?')[0]).toBe(captured.url.split('?')[0]);
      expect((await fetch(captured.url)).status).toBe(200);
    });
  });
}

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
