import { innerErrorDate } from './clock.ts';

export type Json = Record<string, unknown>;

export interface FailureDetails {
  /** More members of `innerError`, e.g. the more specific `code`. */
  inner?: Json;
  /** `innerError` carries nothing but its code, as in the samples of the transcript switches. */
  bareInnerError?: boolean;
  /** More members of `error`, e.g. `@event.existingEventId`. */
  extra?: Json;
  headers?: Record<string, string>;
}

/** An answer of Graph that refuses. Thrown anywhere, rendered once at the edge. */
export class GraphFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: FailureDetails;

  constructor(status: number, code: string, message: string, details: FailureDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export interface ErrorContext {
  now: Date;
  requestId: string;
  clientRequestId: string;
}

/** Graph's error body. Source: the Graph page on errors; `innerError` is spelt as live answers spell it. */
export function graphErrorBody(failure: GraphFailure, context: ErrorContext): Json {
  const trace = failure.details.bareInnerError
    ? {}
    : {
        date: innerErrorDate(context.now),
        'request-id': context.requestId,
        'client-request-id': context.clientRequestId,
      };
  return {
    error: {
      code: failure.code,
      message: failure.message,
      ...failure.details.extra,
      innerError: { ...failure.details.inner, ...trace },
    },
  };
}

/** A request that Graph cannot understand. */
export function badRequest(message: string): GraphFailure {
  return new GraphFailure(400, 'BadRequest', message);
}

/** A missing, unreadable or expired bearer. */
export function invalidToken(message: string): GraphFailure {
  return new GraphFailure(401, 'InvalidAuthenticationToken', message, {
    headers: {
      'www-authenticate':
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ' +
        'client_id="00000003-0000-0000-c000-000000000000"',
    },
  });
}

/** A refusal by the Teams services behind onlineMeetings. */
export function teamsForbidden(message: string): GraphFailure {
  return new GraphFailure(403, 'Forbidden', message);
}

/** A miss in the Teams services; the exact text of live answers is not documented. */
export function teamsNotFound(message: string): GraphFailure {
  return new GraphFailure(404, 'NotFound', message);
}

export function itemNotFound(): GraphFailure {
  return new GraphFailure(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
}

/** Graph's usual error for a status that a fault asked for without a body; null where gateways answer with nothing. */
export function usualFailure(status: number): GraphFailure | null {
  switch (status) {
    case 401:
      return invalidToken('Access token has expired or is not yet valid.');
    case 403:
      return teamsForbidden('An error has occurred.');
    case 404:
      return new GraphFailure(404, 'ResourceNotFound', 'Resource could not be discovered.');
    case 429:
      return new GraphFailure(429, 'TooManyRequests', 'Please retry again later.', {
        inner: { code: '429', message: 'Please retry after', status: '429' },
        headers: { 'retry-after': '10' },
      });
    case 500:
      return new GraphFailure(500, 'UnknownError', '');
    case 503:
      return new GraphFailure(503, 'ServiceUnavailable', 'The service is temporarily unavailable.');
    case 502:
    case 504:
      return null;
    default:
      return new GraphFailure(status, 'UnknownError', '');
  }
}
