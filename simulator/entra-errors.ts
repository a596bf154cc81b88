import type { Json } from './errors.ts';
import type { RequestIds } from './headers.ts';

/** A refusal of Entra with its AADSTS number. */
export class EntraFailure extends Error {
  readonly status: number;
  readonly error: string;
  readonly number: number;

  constructor(status: number, error: string, number: number, text: string) {
    super(text);
    this.status = status;
    this.error = error;
    this.number = number;
  }
}

/** Entra's error body: the description ends with the same ids and time that stand beside it. */
export function entraErrorBody(failure: EntraFailure, ids: RequestIds, now: Date): Json {
  const timestamp = `${now.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return {
    error: failure.error,
    error_description:
      `AADSTS${failure.number}: ${failure.message} Trace ID: ${ids.requestId} ` +
      `Correlation ID: ${ids.clientRequestId} Timestamp: ${timestamp}`,
    error_codes: [failure.number],
    timestamp,
    trace_id: ids.requestId,
    correlation_id: ids.clientRequestId,
    error_uri: `https://login.microsoftonline.com/error?code=${failure.number}`,
  };
}
