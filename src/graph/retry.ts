import { GraphRequestError, havingMaybeWorked } from './errors.ts';

/** The bounds within which one call may be tried again. Times are milliseconds. */
export interface RetryLimits {
  maxTries: number;
  totalTimeoutMs: number;
  sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** A number from 0 up to, not including, 1. */
  random: () => number;
}

export interface RetriedCall {
  /** The caller's own signal. */
  signal: AbortSignal | undefined;
  /** False for a call whose repetition could do something twice. */
  isIdempotent: boolean;
  /** Instead of the limits' number, when it is given. */
  maxTries?: number;
  onRetry: (failure: GraphRequestError, waitMs: number, nextTry: number) => void;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 8_000;

/** Microsoft Learn: "Microsoft Graph throttling guidance" names 429; 503 and 504 are its SDK's other two. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([429, 503, 504]);

/**
 * Runs `attempt` until it succeeds, fails for good, or the tries or the time are used up; the wait is what Microsoft
 * asked for, otherwise exponential with jitter. A wait that does not fit in the remaining time is not begun: the
 * failure is thrown at once, with its `retryAfterMs`. A failure may have worked if any of the tries may.
 * @throws GraphRequestError, or the reason of the caller's signal when that aborted.
 */
export async function withRetries<T>(
  limits: RetryLimits,
  call: RetriedCall,
  attempt: (signal: AbortSignal, tryNumber: number) => Promise<T>,
): Promise<T> {
  const total = new AbortController();
  const timer = setTimeout(() => total.abort(totalTimeout(limits.totalTimeoutMs)), limits.totalTimeoutMs);
  const signal = call.signal === undefined ? total.signal : AbortSignal.any([call.signal, total.signal]);
  const startedAt = performance.now();
  const maxTries = call.maxTries ?? limits.maxTries;
  let waitedMs = 0;
  let mayHaveWorked = false;
  try {
    for (let tryNumber = 1; ; tryNumber += 1) {
      try {
        signal.throwIfAborted();
        return await attempt(signal, tryNumber);
      } catch (error) {
        if (error instanceof GraphRequestError) mayHaveWorked ||= error.mayHaveWorked;
        if (signal.aborted) throw signal.reason;
        if (!(error instanceof GraphRequestError)) throw error;
        if (!call.isIdempotent || tryNumber >= maxTries || !isRetried(error)) throw error;
        const waitMs = error.retryAfterMs ?? backoff(tryNumber, limits.random);
        const elapsedMs = Math.max(performance.now() - startedAt, waitedMs);
        if (elapsedMs + waitMs >= limits.totalTimeoutMs) throw error;
        call.onRetry(error, waitMs, tryNumber + 1);
        await limits.sleep(waitMs, signal);
        waitedMs += waitMs;
      }
    }
  } catch (error) {
    throw mayHaveWorked && error instanceof GraphRequestError ? havingMaybeWorked(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads a `Retry-After` header: seconds, or an HTTP date relative to `now`.
 * @returns milliseconds, never negative; null when the header is missing or unreadable.
 */
export function parseRetryAfter(value: string | null | undefined, now: Date): number | null {
  const text = value?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1_000);
  // Anything that is not a weekday's name first would be guessed at by Date.parse.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

/** Whether the same call is worth another try at once, in the sense of `RETRIED_STATUSES`; silence counts as well. */
export function isRetried(error: GraphRequestError): boolean {
  return error.isTransient && (error.status === null || RETRIED_STATUSES.has(error.status));
}

/** How long to wait after so many tries when Microsoft does not say: exponential, half of it jitter. Milliseconds. */
export function backoff(tryNumber: number, random: () => number): number {
  const ceiling = Math.min(FIRST_WAIT_MS * 2 ** (tryNumber - 1), LONGEST_WAIT_MS);
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}

function totalTimeout(milliseconds: number): GraphRequestError {
  return new GraphRequestError({
    kind: 'TIMEOUT',
    message: `Microsoft did not answer within ${milliseconds} ms, all tries together`,
    status: null,
    code: null,
    innermostCode: null,
    requestId: null,
    retryAfterMs: null,
  });
}
