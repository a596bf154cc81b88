import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type BlobStore, BlobStoreError } from '../../../src/blobs/blob-store.ts';
import { mutate, type UserErrorAnswer } from '../../support/setup.ts';
import { admin, bytesOf, type Captured, CONTENT, recording, subgraph, useRecordings, whole } from './support.ts';

export const DIRECTORY = '11111111-1111-4111-8111-111111111111';

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
/** The ranges of a recording that Microsoft was asked for; undefined for the whole. */
const askedRanges = async ({ graphId }: Captured) =>
  (await subgraph.simulator.requests(CONTENT))
    .filter(({ path }) => decodeURIComponent(path).includes(graphId))
    .map(({ headers }) => headers.range);

export let place: BlobPlace;
let spoiled: Partial<BlobStore> = {};

/** Replaces methods of the store for the rest of one test. */
export function spoil(methods: Partial<BlobStore>): void {
  spoiled = methods;
}

export const keyOf = ({ id }: Captured) => `tenant-a/${id}`;

/**
 * What the job must do on any kind of store. Each run copies one part.
 */
export function describeStoring(kind: string, partBytes: number, open: () => Promise<BlobPlace>): void {
  /** Two whole parts and a rest. */
  const size = 2 * partBytes + 123_456;
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

  describe(`copies of recordings in ${kind}`, () => {
    it('are made by themselves, part by part, and are what Microsoft sent', async () => {
      const captured = await video();
      const before = await fetch(captured.url);
      const all = await bytesOf(before);
      expect(await captured.read()).toMatchObject({ storage: 'GRAPH', isAvailable: true });
      await subgraph.simulator.clearRequests();
      await subgraph.runJobs();
      expect(await captured.read()).toMatchObject({ storage: 'INTERNAL', isAvailable: true, sizeBytes: size });
      expect(await askedRanges(captured)).toEqual([undefined, `bytes=${partBytes}-`, `bytes=${2 * partBytes}-`]);
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
      expect(await askedRanges(captured)).toEqual([]);
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
        expect((await askedRanges(captured)).slice(1)).toEqual([`bytes=${partBytes}-`, `bytes=${2 * partBytes}-`]);
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
      expect(await askedRanges(captured)).toEqual([]);
    });
  });
}
