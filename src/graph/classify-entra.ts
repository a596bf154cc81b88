import { GraphRequestError } from './errors.ts';
import { parseRetryAfter } from './retry.ts';
import type { GraphFailureKind } from './types.ts';

/** What came back from a token request. */
export interface EntraAnswer {
  status: number;
  /** Parsed JSON; anything else when a gateway answered. */
  body: unknown;
  headers: Headers;
}

/** Microsoft Learn: "Microsoft Entra authentication and authorization error codes". */
const KIND_BY_AADSTS: ReadonlyMap<number, GraphFailureKind> = new Map<number, GraphFailureKind>([
  [7000215, 'CREDENTIALS_REJECTED'],
  [7000222, 'CREDENTIALS_REJECTED'],
  [700027, 'CREDENTIALS_REJECTED'],
  [7000112, 'CREDENTIALS_REJECTED'],
  [700016, 'APP_NOT_FOUND'],
  [90002, 'DIRECTORY_NOT_FOUND'],
  [900023, 'DIRECTORY_NOT_FOUND'],
  [90033, 'UNAVAILABLE'],
]);

const MESSAGES: Partial<Record<GraphFailureKind, string>> = {
  CREDENTIALS_REJECTED: 'Microsoft Entra refused the credential of the app',
  APP_NOT_FOUND: 'Microsoft Entra knows no such app in the directory',
  DIRECTORY_NOT_FOUND: 'Microsoft Entra knows no such directory',
  THROTTLED: 'Microsoft Entra asks to wait before the next token request',
  UNAVAILABLE: 'Microsoft Entra is unavailable at present',
};

/** How long msal itself refuses to ask again when Entra named no time (`@azure/msal-common`, ThrottlingUtils). */
const MSAL_THROTTLE_MS = 60_000;

/**
 * Tells the cause of a failed token request. The message is our own: Entra's may quote what was sent.
 * `innermostCode` is `AADSTS<n>` when Entra gave a number.
 */
export function entraFailure(answer: EntraAnswer, now: Date): GraphRequestError {
  const fields = fieldsOf(answer.body);
  const number = aadstsOf(fields);
  const code = typeof fields.error === 'string' ? fields.error : null;
  const traceId = fields.trace_id;
  const kind = (number === null ? undefined : KIND_BY_AADSTS.get(number)) ?? kindOf(answer.status, code);
  return new GraphRequestError({
    kind,
    message: withCode(kind, number === null ? `${answer.status}` : `AADSTS${number}`),
    status: answer.status,
    code,
    innermostCode: number === null ? code : `AADSTS${number}`,
    requestId: answer.headers.get('x-ms-request-id') ?? (typeof traceId === 'string' ? traceId : null),
    retryAfterMs: parseRetryAfter(answer.headers.get('retry-after'), now),
  });
}

/**
 * Tells the cause when msal failed without asking Entra: its own throttle (a `ServerError` without a code), or a
 * credential that it cannot use. Nothing of msal's error is kept, as it may hold the assertion or the key.
 */
export function msalFailure(error: unknown): GraphRequestError {
  const isThrottle = error instanceof Error && error.name === 'ServerError';
  const kind: GraphFailureKind = isThrottle ? 'THROTTLED' : isKeyProblem(error) ? 'CREDENTIALS_REJECTED' : 'UNKNOWN';
  return new GraphRequestError({
    kind,
    message: withCode(kind, 'before asking it'),
    status: null,
    code: null,
    innermostCode: null,
    requestId: null,
    retryAfterMs: isThrottle ? MSAL_THROTTLE_MS : null,
  });
}

/** Node's crypto complains in plain errors about a certificate or key, msal about an empty secret or key by its code. */
function isKeyProblem(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'errorCode' in error ? error.errorCode === 'invalid_client_credential' : true;
}

function kindOf(status: number, code: string | null): GraphFailureKind {
  if (status === 429) return 'THROTTLED';
  if (status >= 500 || code === 'temporarily_unavailable') return 'UNAVAILABLE';
  if (code === 'invalid_client') return 'CREDENTIALS_REJECTED';
  return status >= 400 ? 'INVALID_REQUEST' : 'UNKNOWN';
}

function withCode(kind: GraphFailureKind, detail: string): string {
  return `${MESSAGES[kind] ?? 'The token request to Microsoft Entra failed'} (${detail})`;
}

function fieldsOf(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}

function aadstsOf(fields: Record<string, unknown>): number | null {
  const codes = fields.error_codes;
  const first: unknown = Array.isArray(codes) ? codes[0] : null;
  if (typeof first === 'number') return first;
  const description = fields.error_description;
  const match = typeof description === 'string' ? /AADSTS(\d+)/.exec(description) : null;
  return match?.[1] === undefined ? null : Number(match[1]);
}
