import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import { type GraphCall, hasRequiredRole } from '../call.ts';
import { graphFailure } from '../classify.ts';
import type { GraphLogger } from '../log.ts';
import { unanswered } from '../network-failure.ts';
import { link } from './link.ts';

/** Logs each try, and turns an answer that is no success into a `GraphRequestError`. */
export function outcome(logger: GraphLogger, clock: () => Date): Middleware {
  return link(async (call, context, next) => {
    const startedAt = performance.now();
    context.response = undefined;
    try {
      await next();
    } finally {
      logTry(logger, call, context.response, Math.round(performance.now() - startedAt));
    }
    const response = answerOf(context);
    const requestId = response.headers.get('request-id');
    if (requestId !== null && call.isAnsweredByGraph) call.plan.onRequestId?.(requestId);
    if (response.ok) return;
    throw graphFailure({
      status: response.status,
      body: await response.text(),
      headers: response.headers,
      area: call.isAnsweredByGraph ? call.plan.area : 'media',
      hasRequiredRole: hasRequiredRole(call.token, call.plan),
      now: clock(),
    });
  });
}

function answerOf(context: Context): Response {
  if (context.response === undefined) throw unanswered('UNKNOWN', 'Microsoft Graph gave no answer');
  return context.response;
}

function logTry(logger: GraphLogger, call: GraphCall, response: Response | undefined, durationMs: number): void {
  logger.debug(
    {
      operation: call.plan.operation,
      method: call.plan.method,
      path: call.plan.template,
      status: response?.status ?? null,
      durationMs,
      requestId: response?.headers.get('request-id') ?? null,
      clientRequestId: call.clientRequestId,
      try: call.tryNumber,
    },
    'Microsoft Graph call',
  );
}
