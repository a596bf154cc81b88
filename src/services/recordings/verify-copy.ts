import { createHash } from 'node:crypto';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { type CopiedPart, copiedBytes, type Progress } from './copy-progress.ts';

/** What came back out of the store is not what was put in. */
export class CopyDamagedError extends Error {
  override readonly name = 'CopyDamagedError';
}

/**
 * Reads a blob back, from the first part that was not compared yet, and compares length and SHA-256 of each part with
 * what Microsoft had sent.
 *
 * @returns how many parts are compared; all of them, unless the time was over before
 * @throws CopyDamagedError, and what the store throws
 */
export async function verifyParts(
  { blobs, key, progress }: { blobs: BlobStore; key: string; progress: Progress },
  { signal, isTimeOver }: { signal: AbortSignal; isTimeOver: () => boolean },
): Promise<number> {
  const { parts } = progress;
  const size = copiedBytes(progress);
  let at = progress.verifiedParts;
  const start = parts.slice(0, at).reduce((sum, part) => sum + part.size, 0);
  if ((await blobs.stat(key))?.size !== size) throw new CopyDamagedError('The copy has another length');
  if (start === size) return at;
  const blob = await blobs.get(key, { range: { start, end: size - 1 }, signal });
  let hash = createHash('sha256');
  let left = parts[at]?.size ?? 0;
  for await (const chunk of blob?.body ?? []) {
    for (let from = 0; from < chunk.length; ) {
      const piece = chunk.subarray(from, from + left);
      hash.update(piece);
      from += piece.length;
      left -= piece.length;
      if (left > 0) continue;
      if (hash.digest('hex') !== parts[at]?.sha256) throw new CopyDamagedError('The copy has other bytes');
      at += 1;
      if (at === parts.length || isTimeOver()) return at;
      hash = createHash('sha256');
      left = parts[at]?.size ?? 0;
    }
  }
  throw new CopyDamagedError('The copy ends early');
}

/** SHA-256 over the SHA-256 of the parts: it can be computed in slices, whatever the size of the whole. */
export function checksumOf(parts: readonly CopiedPart[]): string {
  const whole = createHash('sha256');
  for (const { sha256 } of parts) whole.update(Buffer.from(sha256, 'hex'));
  return `${whole.digest('hex')}-${parts.length}`;
}
