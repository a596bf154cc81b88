import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../errors.ts';
import type { MetricsRegistry, RefusalReason } from '../metrics.ts';

interface Refusal {
  status: number;
  code: ErrorCode;
  message: string;
  /** After how many seconds it may be worth another try. */
  retryAfter?: number;
  /** For the log alone. */
  about?: object;
}

export type Refuse = (request: FastifyRequest, reply: FastifyReply, reason: RefusalReason, refusal: Refusal) => void;

const LOG_EVERY_MS = 1_000;

/**
 * Makes what turns requests away: in the shape of a GraphQL answer, counted each, and logged once a second for each
 * reason, because they come in floods.
 */
export function makeRefuse(metrics: Pick<MetricsRegistry, 'requestRefused'>): Refuse {
  const logged = new Map<RefusalReason, number>();
  return (request, reply, reason, { status, code, message, retryAfter, about }) => {
    metrics.requestRefused(reason);
    const now = performance.now();
    if (now - (logged.get(reason) ?? Number.NEGATIVE_INFINITY) >= LOG_EVERY_MS) {
      logged.set(reason, now);
      request.log.warn({ reason, address: request.ip, ...about }, '[TeamsMeetings] operation=admission refused');
    }
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    reply
      .code(status)
      .header('cache-control', 'no-store')
      .send({ errors: [{ message, extensions: { code } }] });
  };
}
