import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBlobStore } from '../../../src/blobs/open-blob-store.ts';
import { describeStoring } from './storing.ts';

describeStoring('files', 512 * 1024, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recordings-'));
  return {
    blobs: await openBlobStore({ kind: 'file', folder }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});
