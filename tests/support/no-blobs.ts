import type { BlobStore } from '../../src/blobs/blob-store.ts';

const refuse = async () => {
  throw new Error('This store was not to be used');
};

/** A blob store for tests in which nothing is stored: it only makes that copies can be turned on. */
export const UNUSED_BLOBS: BlobStore = {
  begin: refuse,
  putPart: refuse,
  complete: refuse,
  abort: refuse,
  get: refuse,
  stat: refuse,
  delete: refuse,
  list: () => {
    throw new Error('This store was not to be used');
  },
  close: () => undefined,
};
