import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import { openFileBlobStore } from '../../src/blobs/file-blob-store.ts';
import { blobKey, blobPrefix } from '../../src/services/recordings/blob-key.ts';
import { attempts } from './attempts.ts';

const TENANTS = [
  ...['..', '.', '/', '../tenant-a', 'tenant-a/', 'tenant-a/..', './tenant-a', 'tenant-a/../tenant-b', '..\\tenant-a'],
  ...[
    '/etc/passwd',
    'C:\\Windows',
    '\\\\host\\share',
    '%2e%2e%2f',
    '..%2f',
    '....//',
    'tenant-a\0',
    'tenant-a\n',
    ' tenant-a',
  ],
  ...[
    'TENANT-A',
    'Tenant-a',
    'tenant-a ',
    'tenant-a.',
    'con',
    'nul',
    '.uploads',
    '~',
    '~root',
    '-rf',
    'a'.repeat(255),
    'téñant',
    '',
  ],
];
const ID = '01a22fca-a293-7006-b1dd-a9798573c66c';

let root: string;
let store: BlobStore;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'blob-keys-'));
  store = await openFileBlobStore(join(root, 'blobs'));
});
afterAll(async () => {
  store.close();
  await rm(root, { recursive: true, force: true });
});

describe('the key of a tenant’s blobs', () => {
  const traversal = attempts('a path in the name of a tenant');
  for (const tenantId of TENANTS)
    traversal(
      `stays in its own folder, and in nobody else’s, for ${JSON.stringify(tenantId.slice(0, 40))}`,
      async () => {
        const key = blobKey(tenantId, ID);
        expect(key).toMatch(/^[a-z0-9~][a-z0-9_-]*\/[0-9a-f-]{36}$/);
        expect(relative(root, resolve(root, key))).toBe(key);
        expect(TENANTS.filter((other) => blobPrefix(other) === blobPrefix(tenantId))).toEqual([tenantId]);
        expect(blobPrefix(tenantId)).not.toBe('tenant-a/');
        const id = await store.begin(key);
        await store.abort({ key, id });
      },
    );
});

describe('the key of a blob', () => {
  const traversal = attempts('a path in the key of a blob');
  const KEYS = [
    ...['../x', 'a/../../x', 'a/..', './x', '/x', 'a//x', 'a/', '', '.', '..', 'a/.hidden', '.uploads/x'],
    ...['a\\..\\x', 'a/x\0', 'a/x\n', 'a/x ', 'a/ x', 'a/%2e%2e', 'C:x', 'a/x:stream', 'a/*', 'a/x?y', 'a/-x', 'a/é'],
  ];
  for (const key of KEYS)
    traversal(`is refused: ${JSON.stringify(key)}`, async () => {
      await expect(store.begin(key)).rejects.toThrow(TypeError);
      await expect(store.get(key)).rejects.toThrow(TypeError);
      await expect(store.delete(key)).rejects.toThrow(TypeError);
    });
  for (const id of ['../x', '..', 'a/b/../../..', '/etc/passwd', '\0'])
    traversal(`is refused in the id of an upload: ${JSON.stringify(id)}`, async () => {
      await expect(store.abort({ key: 'a/x', id })).rejects.toThrow(TypeError);
    });

  it('leaves nothing beside the folder', async () => {
    expect(await readdir(root)).toEqual(['blobs']);
  });
});
