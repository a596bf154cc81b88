import type { Middleware } from '@microsoft/microsoft-graph-client';
import type { GraphLogger } from '../log.ts';
import { type RetryLimits, withRetries } from '../retry.ts';
import { link } from './link.ts';

/** Repeats the rest of the chain within the limits; bounds the time of all tries together. */
export function retry(limits: RetryLimits, logger: GraphLogger): Middleware {
  return link((call, _context, next) => {
    const { operation, isIdempotent, maxTries } = call.plan;
    return withRetries(
      limits,
      {
        signal: call.plan.signal,
        isIdempotent,
        maxTries,
        onRetry: (failure, waitMs, nextTry) =>
          logger.warn(
            {
              operation,
              kind: failure.kind,
              status: failure.status,
              requestId: failure.requestId,
              clientRequestId: call.clientRequestId,
              waitMs,
              nextTry,
            },
            'Microsoft Graph call is tried again',
          ),
      },
      async (signal, tryNumber) => {
        call.signal = signal;
        call.tryNumber = tryNumber;
        await next();
      },
    );
  });
}
