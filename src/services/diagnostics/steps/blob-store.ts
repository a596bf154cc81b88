import type { BlobStore, Upload } from '../../../blobs/blob-store.ts';
import { blobKey } from '../../recordings/blob-key.ts';
import type { Scope, ServiceTools } from '../../scope.ts';
import { type Finding, fail, pass, skip } from '../finding.ts';
import type { Look } from '../look.ts';

const REMEDY = 'Check BLOB_STORE, its rights and its free space.';

async function readAll(blobs: BlobStore, key: string): Promise<string | null> {
  const blob = await blobs.get(key);
  if (blob === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function writeReadAndDelete(blobs: BlobStore, key: string): Promise<Finding> {
  const text = `diagnosis ${key.split('/').at(-1)}`;
  const upload: Upload = { key, id: await blobs.begin(key) };
  try {
    const part = await blobs.putPart(upload, { number: 1, offset: 0, bytes: Buffer.from(text) });
    await blobs.complete(upload, [part]);
  } catch (error) {
    await blobs.abort(upload).catch(() => undefined);
    throw error;
  }
  const read = await readAll(blobs, key);
  await blobs.delete(key);
  if (read !== text) return fail('The store of recordings gave something else back than was written.', REMEDY);
  if ((await blobs.stat(key)) !== null)
    return fail('The store of recordings keeps what it was told to delete.', REMEDY);
  return pass('A small object was written to the store of recordings, read back and deleted.');
}

async function look(
  blobs: BlobStore | undefined,
  scope: Scope,
  wantsCopies: boolean,
  newId: ServiceTools['newId'],
): Promise<Finding> {
  if (blobs === undefined)
    return wantsCopies
      ? fail(
          'Copies of recordings are switched on, and there is no store to keep them in.',
          'Set BLOB_STORE, or switch downloadRecordings off with updateTeamsSettings.',
        )
      : skip('No store of recordings is configured, and none is asked for.');
  // Named like a recording that nobody knows: should this process die in between, retention clears it up.
  return writeReadAndDelete(blobs, blobKey(scope.db.tenantId, newId()));
}

/** Whether copies of recordings could be kept: writes, reads and deletes a small object of the tenant's own. */
export function blobStoreLook(blobs: BlobStore | undefined, { newId }: Pick<ServiceTools, 'newId'>): Look {
  return {
    name: 'blob-store',
    title: 'Store of recordings',
    limitMs: 15_000,
    look: ({ scope, settings }) => look(blobs, scope, settings?.downloadRecordings ?? false, newId),
  };
}
