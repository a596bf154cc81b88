import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream, type Dirent } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type BlobStore,
  BlobStoreError,
  checkedKey,
  checkedPrefix,
  type ListedBlob,
  type Upload,
  UploadLostError,
} from './blob-store.ts';

/** No key begins with a dot, so that no blob can be called this. */
const UPLOADS = '.uploads';

const READ_BYTES = 256 * 1024;

/**
 * Blobs as files under `root`. An upload is one file beside them that is flushed and renamed when it is whole, so that
 * neither a crash nor a full disk leaves half a blob under a key. Any number of processes may share the folder.
 *
 * @throws BlobStoreError when the folder cannot be made or written
 */
export async function openFileBlobStore(root: string): Promise<BlobStore> {
  const pathOf = (key: string) => join(root, ...checkedKey(key).split('/'));
  const partialOf = ({ id }: Upload) => join(root, UPLOADS, checkedKey(id).replace('/', '_'));
  try {
    await mkdir(join(root, UPLOADS), { recursive: true });
    await access(root, constants.W_OK);
  } catch (error) {
    throw failure('The folder of the blob store cannot be written', error);
  }

  /** Runs work on an upload's file; one that is not there is a lost upload. */
  async function withPartial<T>(upload: Upload, flags: number, work: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = await open(partialOf(upload), flags).catch((error: unknown) => {
      throw isMissing(error) ? new UploadLostError('The upload is not there') : failure('An upload failed', error);
    });
    try {
      return await work(file);
    } catch (error) {
      throw failure('An upload failed', error);
    } finally {
      await file.close();
    }
  }

  async function* listFolder(folder: string, prefix: string): AsyncGenerator<ListedBlob> {
    for (const entry of await entriesOf(folder)) {
      if (entry.name === UPLOADS) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) yield* listFolder(path, `${prefix}${entry.name}/`);
      const found = entry.isFile() ? await statOf(path) : null;
      if (found !== null) yield { key: `${prefix}${entry.name}`, size: found.size, modifiedAt: found.mtime };
    }
  }

  return {
    async begin(key) {
      checkedKey(key);
      const upload = { key, id: randomUUID() };
      const file = await open(partialOf(upload), 'wx').catch((error: unknown) => {
        throw failure('An upload could not be begun', error);
      });
      await file.close();
      return upload.id;
    },

    async putPart(upload, { number, offset, bytes }, signal) {
      return withPartial(upload, constants.O_WRONLY, async (file) => {
        signal?.throwIfAborted();
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
          at += bytesWritten;
        }
        await file.datasync();
        return { number, size: bytes.length, tag: createHash('sha256').update(bytes).digest('hex') };
      });
    },

    async complete(upload, parts) {
      const size = parts.reduce((sum, part) => sum + part.size, 0);
      await withPartial(upload, constants.O_RDWR, async (file) => {
        // What a part that was given up wrote beyond the end.
        await file.truncate(size);
        await file.sync();
      });
      const path = pathOf(upload.key);
      try {
        await mkdir(dirname(path), { recursive: true });
        await rename(partialOf(upload), path);
        await syncFolder(dirname(path));
      } catch (error) {
        throw failure('A blob could not be put in its place', error);
      }
    },

    async abort(upload) {
      await remove(partialOf(upload));
    },

    async get(key, { range, signal } = {}) {
      const path = pathOf(key);
      const found = await statOf(path);
      if (found === null) return null;
      const { start, end } = range ?? { start: 0, end: found.size - 1 };
      return { size: found.size, body: read(path, start, end, signal) };
    },

    async stat(key) {
      const found = await statOf(pathOf(key));
      return found === null ? null : { size: found.size };
    },

    async delete(key) {
      await remove(pathOf(key));
    },

    async *list(prefix) {
      yield* listFolder(pathOf(checkedPrefix(prefix).slice(0, -1)), prefix);
    },

    close: () => undefined,
  };
}

/** Opened when it is read, so that a body that nobody reads holds no file. */
async function* read(path: string, start: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (end < start) return;
  let left = end - start + 1;
  try {
    const options = { start, end, highWaterMark: READ_BYTES, ...(signal === undefined ? {} : { signal }) };
    for await (const chunk of createReadStream(path, options)) {
      left -= chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw failure('A blob could not be read', error);
  }
  if (left > 0) throw new BlobStoreError('A blob is shorter than it was');
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw failure('Blobs could not be listed', error);
  }
}

async function statOf(path: string): Promise<{ size: number; mtime: Date } | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw failure('A blob could not be looked at', error);
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw failure('A blob could not be deleted', error);
  }
}

/** Without it a rename may be lost when the power fails. Some systems cannot flush a folder; theirs keep it anyway. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } catch (error) {
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'EPERM') throw error;
  } finally {
    await folder.close();
  }
}

/** The system's code, and never the path. */
function failure(what: string, error: unknown): Error {
  if (error instanceof BlobStoreError || error instanceof UploadLostError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  return new BlobStoreError(`${what} (${codeOf(error) ?? 'unknown'})`, { cause: error });
}

const isMissing = (error: unknown) => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
