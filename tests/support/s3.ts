import { startFauxqs } from 'fauxqs';
import type { BlobStoreLocation } from '../../src/blobs/location.ts';

export interface S3Server {
  url: string;
  location(prefix: string): BlobStoreLocation & { kind: 's3' };
  close(): Promise<void>;
}

/** A server that speaks S3 over HTTP, with one bucket, in memory. It takes any credentials. */
export async function startS3(bucket: string): Promise<S3Server> {
  process.env.AWS_ACCESS_KEY_ID ??= 'test';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  server.createBucket(bucket);
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    location: (prefix) => ({ kind: 's3', bucket, prefix, region: 'us-east-1', endpoint: url }),
    close: () => server.stop(),
  };
}
