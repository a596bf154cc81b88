/**
 * A store of big pieces of bytes under keys, as services see it. Blobs are written in parts by uploads that survive the
 * death of the process: whoever knows the upload's id and what its parts answered can go on. A blob is there whole or
 * not at all. Nothing here knows what the bytes are.
 */
export interface BlobStore {
  /** Begins an upload; nothing is under the key until it is completed. */
  begin(key: string): Promise<string>;
  /** Writes a part; writing the same number again replaces it. @throws UploadLostError */
  putPart(upload: Upload, part: NewPart, signal?: AbortSignal): Promise<StoredPart>;
  /** Makes the blob of the parts, in order and without gaps, in one step. @throws UploadLostError */
  complete(upload: Upload, parts: readonly StoredPart[]): Promise<void>;
  /** Gives an upload up; one that is gone already is no error. */
  abort(upload: Upload): Promise<void>;
  /**
   * Opens a blob or a part of it; null when there is none. The caller reads the body to its end or leaves its loop.
   * A body that ends early throws.
   */
  get(key: string, options?: { range?: BlobRange; signal?: AbortSignal }): Promise<OpenBlob | null>;
  stat(key: string): Promise<{ size: number } | null>;
  /** One that is not there is no error. */
  delete(key: string): Promise<void>;
  /** Every blob whose key begins with `prefix`, which ends in a slash; in no promised order. */
  list(prefix: string): AsyncIterable<ListedBlob>;
  close(): void;
}

/** First and last byte, both included; `end` lies within the blob. */
export interface BlobRange {
  start: number;
  end: number;
}

export interface Upload {
  key: string;
  id: string;
}

export interface NewPart {
  /** From 1. */
  number: number;
  /** Where in the blob it begins. */
  offset: number;
  /** At least 5 MiB but for the last one, which is S3's rule. */
  bytes: Uint8Array;
}

export interface StoredPart {
  number: number;
  size: number;
  /** What the store calls this version of the part. */
  tag: string;
}

export interface OpenBlob {
  /** Of the whole blob. */
  size: number;
  body: AsyncIterable<Uint8Array>;
}

export interface ListedBlob {
  key: string;
  size: number;
  modifiedAt: Date;
}

/** The store does not know the upload (any more): it has to begin again. */
export class UploadLostError extends Error {
  override readonly name = 'UploadLostError';
}

/** The store cannot be used at the moment; the message says why and holds no address and no secret. */
export class BlobStoreError extends Error {
  override readonly name = 'BlobStoreError';
}

const SEGMENT = /^[A-Za-z0-9~_][A-Za-z0-9~._-]{0,199}$/;

/**
 * Refuses what is no plain path: a key must never lead out of its prefix, on no file system.
 * @throws TypeError
 */
export function checkedKey(key: string): string {
  if (!key.split('/').every((segment) => SEGMENT.test(segment))) throw new TypeError('A key of a blob is malformed');
  return key;
}

/** The same for a prefix, which ends in a slash. @throws TypeError */
export function checkedPrefix(prefix: string): string {
  if (!prefix.endsWith('/')) throw new TypeError('A prefix of blobs does not end in a slash');
  checkedKey(prefix.slice(0, -1));
  return prefix;
}
