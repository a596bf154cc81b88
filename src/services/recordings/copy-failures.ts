import { BlobStoreError, UploadLostError } from '../../blobs/blob-store.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import { explain } from '../failures.ts';
import { ContentChangedError, ContentCutError } from './copy-parts.ts';
import { NotAloneError } from './copy-progress.ts';
import { CopyDamagedError } from './verify-copy.ts';

/** What follows from a failure of a copy. */
export type CopyFailure =
  /** Somebody else is at it. */
  | { kind: 'not-alone' }
  /** Microsoft has the recording no more. */
  | { kind: 'gone' }
  /** To be tried again; `beginAnew` where what was copied so far is of no use. */
  | { kind: 'later'; why: string; beginAnew: boolean; retryAfterMs: number };

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 6 * 3_600_000;

/** How long to wait after so many failures in a row: a minute, then twice as long each time, six hours at most. */
export function waitAfter(failedAttempts: number, retryAfterMs: number): number {
  return Math.max(retryAfterMs, Math.min(FIRST_WAIT_MS * 2 ** (failedAttempts - 1), LONGEST_WAIT_MS));
}

export const later = (why: string, beginAnew = false, retryAfterMs = 0): CopyFailure & { kind: 'later' } => ({
  kind: 'later',
  why,
  beginAnew,
  retryAfterMs,
});

/** Says what a failure of a copy means. @throws the error itself when it is none of those that can be expected */
export function copyFailure(error: unknown): CopyFailure {
  if (error instanceof NotAloneError) return { kind: 'not-alone' };
  if (error instanceof ContentChangedError) return later('CHANGED', true);
  if (error instanceof CopyDamagedError) return later('DAMAGED', true);
  if (error instanceof UploadLostError) return later('UPLOAD_LOST', true);
  if (error instanceof ContentCutError) return later('CUT');
  if (error instanceof BlobStoreError) return later(`BLOB_STORE: ${error.message}`);
  // Node's streams of files end with an AbortError of their own when the time of the slice is over.
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')) return later('TIMEOUT');
  const { kind } = explain(error);
  if (!(error instanceof GraphRequestError)) throw error;
  if (kind === 'NOT_FOUND' || error.status === 410) return { kind: 'gone' };
  // The part that is still to come is not there: the content is shorter than it was.
  if (error.status === 416) return later('CHANGED', true);
  return later(kind, false, error.retryAfterMs ?? 0);
}
