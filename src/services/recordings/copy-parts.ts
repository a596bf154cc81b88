import { createHash } from 'node:crypto';
import type { BlobStore, Upload } from '../../blobs/blob-store.ts';
import type { ContentSource, OpenContent } from './content-source.ts';
import { type Change, type CopiedPart, copiedBytes, type Progress } from './copy-progress.ts';

/** What was fetched now is not what was fetched before: the copy has to begin anew. */
export class ContentChangedError extends Error {
  override readonly name = 'ContentChangedError';
}

/** The content ended before its size, or in a way that tells no end. It is taken up again where it stopped. */
export class ContentCutError extends Error {
  override readonly name = 'ContentCutError';
}

export interface CopyOptions {
  source: ContentSource;
  blobs: BlobStore;
  upload: Upload;
  progress: Progress;
  partBytes: number;
  signal: AbortSignal;
  /** Whether the time of this slice is over; asked after each part. */
  isTimeOver: () => boolean;
  save: (progress: Progress, change: Change) => Promise<Progress>;
}

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/**
 * Fetches a recording part by part into an upload, from where it stopped, until it is whole or the time is over. Only one
 * part is ever in memory. A source that takes no ranges begins at its first byte again: parts that are there already are
 * then compared instead of written.
 *
 * @returns how far it has come; whole when `expectedBytes` are there
 * @throws ContentChangedError, ContentCutError, NotAloneError, and what source and store throw
 */
export async function copyParts(options: CopyOptions): Promise<Progress> {
  const { source, signal, save } = options;
  let progress = options.progress;
  const from = copiedBytes(progress);
  const content = await source.open(from === 0 ? null : { first: from, last: null }, signal);
  if (content === null) throw new ContentCutError('The content is not there');
  try {
    refuseOther(progress, content, from);
    const expectedBytes = content.size ?? progress.expectedBytes;
    const sourceTag = content.tag ?? progress.sourceTag;
    if (expectedBytes !== progress.expectedBytes || sourceTag !== progress.sourceTag) {
      progress = await save(progress, { expectedBytes, sourceTag });
    }
    return await readParts(options, progress, content);
  } finally {
    await content.cancel().catch(() => undefined);
  }
}

function refuseOther({ expectedBytes, sourceTag }: Progress, content: OpenContent, from: number): void {
  const isOther =
    (expectedBytes !== null && content.size !== null && expectedBytes !== content.size) ||
    (sourceTag !== null && content.tag !== null && sourceTag !== content.tag);
  if (isOther) throw new ContentChangedError('Microsoft has another content now');
  if (content.offset !== 0 && content.offset !== from) throw new ContentCutError('Microsoft sent another part');
}

async function readParts(options: CopyOptions, begun: Progress, content: OpenContent): Promise<Progress> {
  const { partBytes, isTimeOver, save } = options;
  const buffer = Buffer.allocUnsafe(partBytes);
  let progress = begun;
  let filled = 0;
  /** Where in the content the part in the buffer begins, and which part that is. */
  let offset = content.offset;
  let index = offset === 0 ? 0 : progress.parts.length;

  /** Takes over what is in the buffer; false when the time is over. */
  const take = async (isLast: boolean): Promise<boolean> => {
    const bytes = buffer.subarray(0, filled);
    const known = progress.parts[index];
    if (known !== undefined) comparePart(known, bytes);
    else if (filled > 0) progress = await putPart(options, progress, bytes, offset);
    index += 1;
    offset += filled;
    filled = 0;
    if (isLast) progress = await save(progress, { expectedBytes: offset });
    return isLast || known !== undefined || !isTimeOver();
  };

  for await (const chunk of content.body) {
    for (let at = 0; at < chunk.length; ) {
      const size = Math.min(chunk.length - at, partBytes - filled);
      buffer.set(chunk.subarray(at, at + size), filled);
      filled += size;
      at += size;
      if (filled === partBytes && !(await take(false))) return progress;
    }
  }
  const isEnd = begun.expectedBytes === null ? content.isEndMarked : offset + filled === begun.expectedBytes;
  if (!isEnd || offset + filled === 0) throw new ContentCutError('The content ended early');
  await take(true);
  return progress;
}

function comparePart(known: CopiedPart, bytes: Uint8Array): void {
  if (known.size !== bytes.length || known.sha256 !== sha256Of(bytes)) {
    throw new ContentChangedError('Microsoft sends other bytes than before');
  }
}

async function putPart(
  { blobs, upload, signal, save }: CopyOptions,
  progress: Progress,
  bytes: Uint8Array,
  offset: number,
): Promise<Progress> {
  const number = progress.parts.length + 1;
  const stored = await blobs.putPart(upload, { number, offset, bytes }, signal);
  const parts = [...progress.parts, { ...stored, size: bytes.length, sha256: sha256Of(bytes) }];
  return save(progress, { parts, failedAttempts: 0, lastError: null });
}
