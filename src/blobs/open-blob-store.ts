import type { BlobStore } from './blob-store.ts';
import { openFileBlobStore } from './file-blob-store.ts';
import type { BlobStoreLocation } from './location.ts';

/** Opens the store; S3's library is loaded only where it is used. @throws BlobStoreError when a folder cannot be used */
export async function openBlobStore(location: BlobStoreLocation): Promise<BlobStore> {
  if (location.kind === 'file') return openFileBlobStore(location.folder);
  const { createS3BlobStore } = await import('./s3-blob-store.ts');
  return createS3BlobStore(location);
}
