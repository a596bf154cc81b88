import { GraphRequestError } from './errors.ts';
import type { GraphFailureKind } from './types.ts';

/** The codes of system and fetch for a connection that never came about. */
const UNCONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether fetch failed before there was a connection, so that nothing was sent. */
export function isUnsent(error: unknown): boolean {
  return UNCONNECTED.has(systemCode(error) ?? '');
}

/** A call that got no answer because the connection failed. Keeps the system's error code, nothing of the request. */
export function networkFailure(who: string, error: unknown): GraphRequestError {
  const code = systemCode(error);
  return unanswered('NETWORK', `The connection to ${who} failed${code === null ? '' : ` (${code})`}`);
}

/** A call that was given up after `milliseconds`. */
export function timeoutFailure(who: string, milliseconds: number): GraphRequestError {
  return unanswered('TIMEOUT', `${who} did not answer within ${milliseconds} ms`);
}

/** A failure that is not Microsoft's refusal: an unusable answer, or an argument that cannot be sent. */
export function unanswered(kind: GraphFailureKind, message: string): GraphRequestError {
  return new GraphRequestError({
    kind,
    message,
    status: null,
    code: null,
    innermostCode: null,
    requestId: null,
    retryAfterMs: null,
  });
}

/** fetch hides the system's code (ECONNRESET, ENOTFOUND, UND_ERR_SOCKET…) in the chain of causes. */
function systemCode(error: unknown): string | null {
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth < 5; depth += 1) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    current = current.cause;
  }
  return null;
}
