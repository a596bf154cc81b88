import { BlobStoreError } from '../../blobs/blob-store.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import type { ContentSource, OpenContent } from './content-source.ts';

/** A cut is mended that often in a row; bytes that came through in between start the count again. */
const RESUMES = 3;
const PROGRESS_BYTES = 256 * 1024;

/** How often a stream that goes on for long asks whether it still may. */
const CHECK_EVERY_MS = 60_000;

/** The content ended or changed before all of it was sent: what was sent must not pass for the whole. */
class ContentBrokenError extends Error {
  override readonly name = 'ContentBrokenError';
}

export interface RelayOptions {
  source: ContentSource;
  opened: OpenContent;
  start: number;
  /** The last byte; null when nobody knows: then all that comes is sent, and no cut can be mended. */
  end: number | null;
  signal: AbortSignal;
  clock: () => Date;
  /** Asked once a minute; false ends the stream with an error. */
  isStillAllowed: () => Promise<boolean>;
  onResume: (atByte: number, cause: unknown) => void;
}

/**
 * Hands bytes on from `start` to `end`, as fast as they are taken. Bytes before `start` are dropped, where the source
 * takes no ranges. When the source breaks off, it is opened again at the byte that was reached, if it then still has the
 * same content. Ends only when everything was handed on; throws otherwise.
 *
 * @throws ContentBrokenError, what the source throws, or the reason of the signal
 */
export async function* relay(options: RelayOptions): AsyncGenerator<Uint8Array> {
  const { source, start, end, signal, clock } = options;
  let current = options.opened;
  let at = start;
  let checkAt = clock().getTime() + CHECK_EVERY_MS;
  let resumes = 0;
  let resumedAt = start;
  for (;;) {
    let cause: unknown;
    try {
      let toSkip = at - current.offset;
      for await (const chunk of current.body) {
        if (toSkip >= chunk.length) {
          toSkip -= chunk.length;
          continue;
        }
        // A body that ends where we do is read to its end, as its connection can then be used again.
        if (end !== null && at > end) return;
        const piece = chunk.subarray(toSkip, end === null ? chunk.length : toSkip + end - at + 1);
        toSkip = 0;
        at += piece.length;
        yield piece;
        if (clock().getTime() < checkAt) continue;
        if (!(await options.isStillAllowed())) throw new ContentBrokenError('The recording may not be seen any more');
        checkAt = clock().getTime() + CHECK_EVERY_MS;
      }
      if (end === null || at > end) return;
      cause = new ContentBrokenError('The content ended early');
    } catch (error) {
      if (signal.aborted || !isCut(error)) throw error;
      cause = error;
    }
    resumes = at - resumedAt >= PROGRESS_BYTES ? 1 : resumes + 1;
    if (end === null || resumes > RESUMES) throw cause;
    options.onResume(at, cause);
    resumedAt = at;
    current = await reopened(source, options.opened, { first: at, last: end }, signal, cause);
  }
}

function isCut(error: unknown): boolean {
  return (error instanceof GraphRequestError && error.isTransient) || error instanceof BlobStoreError;
}

/** The same content from a byte on. @throws the cause of the cut when that is not to be had */
async function reopened(
  source: ContentSource,
  before: OpenContent,
  range: { first: number; last: number },
  signal: AbortSignal,
  cause: unknown,
): Promise<OpenContent> {
  const opened = await source.open(range, signal);
  if (opened === null) throw cause;
  const isSame =
    (before.size === null || opened.size === null || before.size === opened.size) &&
    (before.tag === null || opened.tag === null || before.tag === opened.tag);
  if (isSame && opened.offset === range.first) return opened;
  await opened.cancel();
  throw cause;
}
