import type { Middleware } from '@microsoft/microsoft-graph-client';
import { GraphRequestError } from '../errors.ts';
import { networkFailure, timeoutFailure } from '../network-failure.ts';
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
    const timer = setTimeout(() => late.abort(timeoutFailure('Microsoft Graph', perTryTimeoutMs)), perTryTimeoutMs);
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
      // It was sent: whether it took effect is not known.
      if (call.trySignal.aborted) throw unclear(call.trySignal.reason);
      throw error instanceof GraphRequestError ? error : networkFailure('Microsoft Graph', error).afterUnclearTry();
    } finally {
      clearTimeout(timer);
    }
  });
}

async function withReadBody(response: Response): Promise<Response> {
  const bytes = await response.arrayBuffer();
  const body = WITHOUT_BODY.has(response.status) ? null : bytes;
  return new Response(body, { status: response.status, headers: response.headers });
}

function unclear(reason: unknown): unknown {
  return reason instanceof GraphRequestError ? reason.afterUnclearTry() : reason;
}
