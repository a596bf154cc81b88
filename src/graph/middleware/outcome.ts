import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import { inSpan, type Span, SpanKind } from '../../telemetry/tracing.ts';
import { type GraphCall, hasRequiredRole } from '../call.ts';
import { graphFailure } from '../classify.ts';
import type { GraphLogger } from '../log.ts';
import { unanswered } from '../network-failure.ts';
import { type CallOutcome, type GraphObserver, outcomeOf } from '../observer.ts';
import { link } from './link.ts';

/** Logs, counts and traces each try, and turns an answer that is no success into a `GraphRequestError`. */
export function outcome(logger: GraphLogger, clock: () => Date, observer: GraphObserver): Middleware {
  async function attempt(call: GraphCall, context: Context, next: () => Promise<void>, span?: Span): Promise<void> {
    const startedAt = performance.now();
    context.response = undefined;
    try {
      await next();
    } finally {
      logTry(logger, call, context.response, Math.round(performance.now() - startedAt));
      span?.setAttributes(answerAttributes(context.response));
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
  }

  return link(async (call, context, next) => {
    const { operation, area, method, template } = call.plan;
    const startedAt = performance.now();
    const ended = (how: CallOutcome) =>
      observer.callEnded({ operation, area, outcome: how, seconds: (performance.now() - startedAt) / 1_000 });
    try {
      await inSpan(`${method} ${template}`, { kind: SpanKind.CLIENT, attributes: callAttributes(call) }, (span) =>
        attempt(call, context, next, span),
      );
    } catch (error) {
      ended(outcomeOf(error));
      throw error;
    }
    ended('SUCCESS');
  });
}

function callAttributes({ plan, tryNumber, clientRequestId }: GraphCall): Record<string, string | number> {
  return {
    'http.request.method': plan.method,
    'url.template': plan.template,
    'http.request.resend_count': tryNumber - 1,
    'microsoft.graph.operation': plan.operation,
    'microsoft.graph.client_request_id': clientRequestId,
  };
}

function answerAttributes(response: Response | undefined): Record<string, string | number> {
  if (response === undefined) return {};
  const requestId = response.headers.get('request-id');
  return {
    'http.response.status_code': response.status,
    ...(requestId === null ? {} : { 'microsoft.graph.request_id': requestId }),
  };
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
