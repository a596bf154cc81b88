import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BlobStore, BlobStoreError, type StoredPart, UploadLostError } from '../../../src/blobs/blob-store.ts';
import { openBlobStore } from '../../../src/blobs/open-blob-store.ts';
import { startS3 } from '../../support/s3.ts';

const MEBIBYTE = 1024 * 1024;
/** S3 takes no smaller part but the last one. */
const PART = 5 * MEBIBYTE;

interface Place {
  /** Opened anew, as another process would. */
  open(): Promise<BlobStore>;
  close(): Promise<void>;
}

const PLACES: Record<'file' | 's3', () => Promise<Place>> = {
  async file() {
    const folder = await mkdtemp(join(tmpdir(), 'blobs-'));
    return {
      open: () => openBlobStore({ kind: 'file', folder }),
      close: () => rm(folder, { recursive: true, force: true }),
    };
  },
  async s3() {
    const server = await startS3('recordings');
    return {
      open: () => openBlobStore(server.location('some/prefix/')),
      close: () => server.close(),
    };
  },
};

async function collect(blob: { body: AsyncIterable<Uint8Array> } | null): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob?.body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function keysOf(store: BlobStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys.sort();
}

/** Writes `bytes` in parts and completes the blob. */
async function write(store: BlobStore, key: string, bytes: Buffer): Promise<void> {
  const upload = { key, id: await store.begin(key) };
  const parts: StoredPart[] = [];
  for (let offset = 0; offset < bytes.length; offset += PART) {
    const part = { number: parts.length + 1, offset, bytes: bytes.subarray(offset, offset + PART) };
    parts.push(await store.putPart(upload, part));
  }
  await store.complete(upload, parts);
}

describe.each(['file', 's3'] as const)('a blob store (%s)', (kind) => {
  let place: Place;
  let store: BlobStore;
  beforeAll(async () => {
    place = await PLACES[kind]();
    store = await place.open();
  });
  afterAll(async () => {
    store.close();
    await place.close();
  });

  const patterned = (size: number) => Buffer.from(Uint32Array.from({ length: size / 4 }, (_, index) => index).buffer);

  it('gives back what was put in, whole and in parts', async () => {
    const bytes = patterned(2 * PART + 400);
    await write(store, 'tenant-a/whole', bytes);
    expect(await store.stat('tenant-a/whole')).toEqual({ size: bytes.length });
    const whole = await store.get('tenant-a/whole');
    expect(whole?.size).toBe(bytes.length);
    expect((await collect(whole)).equals(bytes)).toBe(true);
    for (const [start, end] of [
      [0, 0],
      [PART - 3, PART + 3],
      [bytes.length - 10, bytes.length - 1],
    ] as const) {
      const part = await store.get('tenant-a/whole', { range: { start, end } });
      expect(part?.size).toBe(bytes.length);
      expect((await collect(part)).equals(bytes.subarray(start, end + 1))).toBe(true);
    }
  });

  it('shows nothing under a key before it is complete', async () => {
    const upload = { key: 'tenant-hidden/blob', id: await store.begin('tenant-hidden/blob') };
    await store.putPart(upload, { number: 1, offset: 0, bytes: Buffer.from('half') });
    expect(await store.stat(upload.key)).toBeNull();
    expect(await store.get(upload.key)).toBeNull();
    expect(await keysOf(store, 'tenant-hidden/')).toEqual([]);
    await store.abort(upload);
  });

  it('goes on with an upload in another process, and a part written again replaces the first', async () => {
    const bytes = patterned(PART + 8);
    const upload = { key: 'tenant-a/resumed', id: await store.begin('tenant-a/resumed') };
    const first = await store.putPart(upload, { number: 1, offset: 0, bytes: bytes.subarray(0, PART) });
    await store.putPart(upload, { number: 2, offset: PART, bytes: Buffer.from('of unknown fate') });
    const other = await place.open();
    const second = await other.putPart(upload, { number: 2, offset: PART, bytes: bytes.subarray(PART) });
    await other.complete(upload, [first, second]);
    other.close();
    expect((await collect(await store.get(upload.key))).equals(bytes)).toBe(true);
  });

  it('replaces a blob in one step', async () => {
    await write(store, 'tenant-a/twice', Buffer.from('the first'));
    await write(store, 'tenant-a/twice', Buffer.from('second'));
    expect((await collect(await store.get('tenant-a/twice'))).toString()).toBe('second');
  });

  it('tells an upload that it does not know (any more)', async () => {
    const upload = { key: 'tenant-a/lost', id: await store.begin('tenant-a/lost') };
    const part = { number: 1, offset: 0, bytes: Buffer.from('bytes') };
    const stored = await store.putPart(upload, part);
    await store.abort(upload);
    await store.abort(upload);
    await expect(store.putPart(upload, part)).rejects.toThrow(UploadLostError);
    await expect(store.complete(upload, [stored])).rejects.toThrow(UploadLostError);
    expect(await store.stat(upload.key)).toBeNull();
  });

  it('deletes, also what is not there', async () => {
    await write(store, 'tenant-a/deleted', Buffer.from('bytes'));
    await store.delete('tenant-a/deleted');
    await store.delete('tenant-a/deleted');
    expect(await store.get('tenant-a/deleted')).toBeNull();
    expect(await store.stat('tenant-a/deleted')).toBeNull();
  });

  it('lists what lies under a prefix and nothing else', async () => {
    for (const key of ['listed/a', 'listed/deep/b', 'listed-not/c']) await write(store, key, Buffer.from(key));
    expect(await keysOf(store, 'listed/')).toEqual(['listed/a', 'listed/deep/b']);
    expect(await keysOf(store, 'nothing/')).toEqual([]);
    for await (const blob of store.list('listed-not/')) {
      expect(blob).toMatchObject({ key: 'listed-not/c', size: 12 });
      expect(Math.abs(blob.modifiedAt.getTime() - Date.now())).toBeLessThan(60_000);
    }
  });

  it.each([
    '../outside',
    'a/../../outside',
    '/etc/passwd',
    'a//b',
    '',
    '.uploads/x',
    'a/.hidden',
    'a\\b',
    'a/b\0',
    'ä',
  ])('refuses the key %j', async (key) => {
    await expect(store.begin(key)).rejects.toThrow(TypeError);
    await expect(store.stat(key)).rejects.toThrow(TypeError);
    await expect(store.get(key)).rejects.toThrow(TypeError);
    await expect(store.delete(key)).rejects.toThrow(TypeError);
    await expect(keysOf(store, `${key}/`)).rejects.toThrow(TypeError);
  });

  it('refuses an upload whose id is a path', async () => {
    const upload = { key: 'tenant-a/blob', id: '../../outside' };
    await expect(store.putPart(upload, { number: 1, offset: 0, bytes: Buffer.from('x') })).rejects.toThrow();
  });

  it('ends a body when its reader is gone, and throws the reason of a signal', async () => {
    await write(store, 'tenant-a/left', patterned(PART));
    const reading = new AbortController();
    const blob = await store.get('tenant-a/left', { signal: reading.signal });
    const iterator = blob?.body[Symbol.asyncIterator]();
    await iterator?.next();
    reading.abort(new Error('the player is gone'));
    await expect(
      (async () => {
        while ((await iterator?.next())?.done === false);
      })(),
    ).rejects.toThrow();
    const again = await store.get('tenant-a/left');
    for await (const chunk of again?.body ?? []) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });
});

describe('the folder of a blob store', () => {
  it('is made, and holds no half blobs under a key', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'blobs-'));
    const folder = join(parent, 'made', 'deep');
    const store = await openBlobStore({ kind: 'file', folder });
    const upload = { key: 'tenant-a/blob', id: await store.begin('tenant-a/blob') };
    await store.putPart(upload, { number: 1, offset: 0, bytes: Buffer.from('half') });
    expect(await readdir(folder)).toEqual(['.uploads']);
    await store.complete(upload, [{ number: 1, size: 4, tag: '' }]);
    expect((await readdir(folder)).sort()).toEqual(['.uploads', 'tenant-a']);
    expect(await readdir(join(folder, '.uploads'))).toEqual([]);
    await rm(parent, { recursive: true, force: true });
  });

  it('that cannot be made is told when it is opened', async () => {
    await expect(openBlobStore({ kind: 'file', folder: '/dev/null/blobs' })).rejects.toThrow(BlobStoreError);
  });
});

describe('a bucket that cannot be reached', () => {
  it('is an error without address and key', async () => {
    const server = await startS3('gone');
    const location = server.location('');
    await server.close();
    const store = await openBlobStore(location);
    const error = await store.stat('tenant-a/blob').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BlobStoreError);
    expect(String(error)).not.toMatch(/127\.0\.0\.1|tenant-a/);
    store.close();
  });

  it('does not have the bucket: an error that names the cause', async () => {
    const server = await startS3('there');
    const store = await openBlobStore({ ...server.location(''), bucket: 'elsewhere' });
    await expect(store.begin('tenant-a/blob')).rejects.toThrow(/NoSuchBucket/);
    store.close();
    await server.close();
  });
});
