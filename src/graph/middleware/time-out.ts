import type { Middleware } from '@microsoft/microsoft-graph-client';
import { GraphRequestError, havingMaybeWorked } from '../errors.ts';
import { isUnsent, networkFailure, timeoutFailure } from '../network-failure.ts';
import { link } from './link.ts';

/** Statuses whose answers must not be constructed with a body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Bounds one try. A body that is not streamed on is read here, so that a slow or cut body counts as a failed try;
 * of a streamed one only the headers are waited for.
 */
export function timeOut(perTryTimeoutMs: number): Middleware {
  return link(async (call, context, next) => {
    const late = new AbortController();
    const timeoutMs = call.plan.perTryTimeoutMs ?? perTryTimeoutMs;
    const timer = setTimeout(() => late.abort(timeoutFailure('Microsoft Graph', timeoutMs)), timeoutMs);
    call.trySignal = AbortSignal.any([call.signal, late.signal]);
    try {
      await next();
      const { response } = context;
      if (response !== undefined && !(call.plan.isStreamed && response.ok)) {
        context.response = await withReadBody(response);
      }
    } catch (error) {
      // An answer that broke off is none: the log must not show its status as the outcome.
      context.response = undefined;
      if (call.trySignal.aborted) throw maybeWorked(call.trySignal.reason);
      if (error instanceof GraphRequestError) throw error;
      const failure = networkFailure('Microsoft Graph', error);
      throw isUnsent(error) ? failure : havingMaybeWorked(failure);
    } finally {
      clearTimeout(timer);
    }
  });
}

/** The reason is the caller's own, or a time-out: then nobody knows what became of the call. */
function maybeWorked(reason: unknown): unknown {
  return reason instanceof GraphRequestError ? havingMaybeWorked(reason) : reason;
}

async function withReadBody(response: Response): Promise<Response> {
  const bytes = await response.arrayBuffer();
  const body = WITHOUT_BODY.has(response.status) ? null : bytes;
  return new Response(body, { status: response.status, headers: response.headers });
}
