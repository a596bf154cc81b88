import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type BlobStore, BlobStoreError, checkedKey, checkedPrefix, UploadLostError } from './blob-store.ts';

export interface S3Options {
  bucket: string;
  /** In front of every key; empty, or ending in a slash. */
  prefix: string;
  region: string;
  /** Of a server that is not Amazon's; buckets then stand in the path. */
  endpoint: string | undefined;
}

/** A part of 8 MiB takes 30 s at 2 Mbit/s; whoever is slower is as good as gone. */
const SILENCE_MS = 30_000;
const MAX_SOCKETS = 1_000;

/**
 * Blobs as objects of an S3 bucket, by multipart uploads. Credentials are found the SDK's own way: environment, shared
 * files, the role of the machine. Needs s3:GetObject, PutObject, DeleteObject, AbortMultipartUpload and ListBucket.
 * Parts are never listed: whoever uploads remembers them, and a part of unknown fate is written again under its number.
 */
export function createS3BlobStore({ bucket, prefix, region, endpoint }: S3Options): BlobStore {
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    // Not every server takes the trailers of the newer checksums; what is stored is read back and compared anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    // A streamed object holds its socket for as long as somebody plays it.
    requestHandler: {
      connectionTimeout: 5_000,
      socketTimeout: SILENCE_MS,
      httpAgent: { maxSockets: MAX_SOCKETS, keepAlive: true },
      httpsAgent: { maxSockets: MAX_SOCKETS, keepAlive: true },
    },
  });
  const place = (key: string) => ({ Bucket: bucket, Key: `${prefix}${checkedKey(key)}` });

  /** @throws BlobStoreError or UploadLostError, or the reason of the signal */
  async function asked<T>(what: string, work: Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw failure(what, error);
    }
  }

  /** The same, where a missing object is an answer. */
  async function found<T>(what: string, work: Promise<T>, signal?: AbortSignal): Promise<T | null> {
    return asked(
      what,
      work.catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      }),
      signal,
    );
  }

  return {
    async begin(key) {
      const { UploadId } = await asked('begin an upload', client.send(new CreateMultipartUploadCommand(place(key))));
      if (UploadId === undefined) throw new BlobStoreError('S3 named no upload');
      return UploadId;
    },

    async putPart({ key, id }, { number, bytes }, signal) {
      const command = new UploadPartCommand({
        ...place(key),
        UploadId: id,
        PartNumber: number,
        Body: bytes,
        ContentLength: bytes.length,
      });
      const { ETag } = await asked('take a part', client.send(command, withSignal(signal)), signal);
      if (ETag === undefined) throw new BlobStoreError('S3 gave a part no tag');
      return { number, size: bytes.length, tag: ETag };
    },

    async complete({ key, id }, parts) {
      const command = new CompleteMultipartUploadCommand({
        ...place(key),
        UploadId: id,
        MultipartUpload: { Parts: parts.map(({ number, tag }) => ({ PartNumber: number, ETag: tag })) },
      });
      await asked('complete an upload', client.send(command));
    },

    async abort({ key, id }) {
      const command = new AbortMultipartUploadCommand({ ...place(key), UploadId: id });
      await asked('give up an upload', client.send(command)).catch((error: unknown) => {
        if (!(error instanceof UploadLostError)) throw error;
      });
    },

    async get(key, { range, signal } = {}) {
      const command = new GetObjectCommand({
        ...place(key),
        ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }),
      });
      const answer = await found('read a blob', client.send(command, withSignal(signal)), signal);
      if (answer === null) return null;
      const { Body, ContentLength = 0, ContentRange } = answer;
      if (!(Body instanceof Readable)) throw new BlobStoreError('S3 answered without a body');
      const size = ContentRange === undefined ? ContentLength : Number(/\/(\d+)$/.exec(ContentRange)?.[1]);
      return { size, body: read(Body, ContentLength, signal) };
    },

    async stat(key) {
      const answer = await found('tell of a blob', client.send(new HeadObjectCommand(place(key))));
      return answer === null ? null : { size: answer.ContentLength ?? 0 };
    },

    async delete(key) {
      await found('delete a blob', client.send(new DeleteObjectCommand(place(key))));
    },

    async *list(inner) {
      const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${prefix}${checkedPrefix(inner)}` });
      try {
        for await (const { Contents = [] } of pages) {
          for (const { Key = '', Size = 0, LastModified } of Contents) {
            yield { key: Key.slice(prefix.length), size: Size, modifiedAt: LastModified ?? new Date() };
          }
        }
      } catch (error) {
        throw failure('list blobs', error);
      }
    },

    close: () => client.destroy(),
  };
}

const withSignal = (abortSignal: AbortSignal | undefined) => (abortSignal === undefined ? {} : { abortSignal });

async function* read(body: Readable, length: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = () => void body.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  let left = length;
  try {
    for await (const chunk of body) {
      left -= chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : failure('send a whole blob', error);
  } finally {
    signal?.removeEventListener('abort', stop);
    body.destroy();
  }
  signal?.throwIfAborted();
  if (left > 0) throw new BlobStoreError('S3 sent less of a blob than it said');
}

/** HEAD has no body, so that its 404 has no code. Source: Amazon S3 API reference, HeadObject and error responses. */
function isMissing(error: unknown): boolean {
  return nameOf(error) === 'NoSuchKey' || nameOf(error) === 'NotFound';
}

function failure(what: string, error: unknown): Error {
  if (error instanceof BlobStoreError || error instanceof UploadLostError) return error;
  if (nameOf(error) === 'NoSuchUpload') return new UploadLostError('S3 does not know the upload');
  // Only the name: messages may quote addresses and key ids.
  return new BlobStoreError(`S3 did not ${what} (${nameOf(error)})`);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
