import { openBlobStore } from '../../../src/blobs/open-blob-store.ts';
import { startS3 } from '../../support/s3.ts';
import { describeStoring } from './storing.ts';
import { MEBIBYTE } from './support.ts';

describeStoring('S3', 5 * MEBIBYTE, async () => {
  const server = await startS3('recordings');
  const blobs = await openBlobStore(server.location('teams/'));
  return {
    blobs,
    async close() {
      blobs.close();
      await server.close();
    },
  };
});
