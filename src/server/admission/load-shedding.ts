import { getHeapStatistics } from 'node:v8';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import type { Refuse } from './refusals.ts';

export interface LoadShedding {
  /** For how long, on average over a second, work that is ready waits for its turn; 0 sheds nothing. */
  maxEventLoopDelayMs: number;
  /** Default: 95 % of what the process may have. */
  maxHeapUsedBytes?: number;
}

const RETRY_AFTER_SECONDS = 5;
const SHARE_OF_HEAP = 0.95;

/**
 * Turns the requests of `app` away while the process has more to do than it can: those that are let in are answered in
 * time, instead of all of them too late.
 */
export async function shedLoad(
  app: FastifyInstance,
  { maxEventLoopDelayMs, maxHeapUsedBytes = getHeapStatistics().heap_size_limit * SHARE_OF_HEAP }: LoadShedding,
  refuse: Refuse,
): Promise<void> {
  if (maxEventLoopDelayMs === 0) return;
  await app.register(underPressure, {
    maxEventLoopDelay: maxEventLoopDelayMs,
    maxHeapUsedBytes,
    pressureHandler: (request, reply, type, value) => {
      refuse(request, reply, 'overload', {
        status: 503,
        code: 'SERVICE_UNAVAILABLE',
        message: 'The service has too much to do at the moment. Try again shortly.',
        retryAfter: RETRY_AFTER_SECONDS,
        about: { pressure: type, value },
      });
    },
  });
}
