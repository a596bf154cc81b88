import type { Middleware } from '@microsoft/microsoft-graph-client';
import { untilAborted } from '../abort.ts';
import type { TokenSource } from '../auth.ts';
import type { GraphCall } from '../call.ts';
import { GraphRequestError } from '../errors.ts';
import { link } from './link.ts';

/**
 * Gives the call its token. When Graph answers 401, a new token is fetched past the cache, once per call; a second
 * 401 is final.
 */
export function authorization(tokens: TokenSource): Middleware {
  const hasRenewed = new WeakSet<GraphCall>();
  return link(async (call, _context, next) => {
    call.token = await untilAborted(tokens.token(call.plan.rejectedToken), call.signal);
    try {
      await next();
    } catch (error) {
      const isRefused = error instanceof GraphRequestError && error.kind === 'UNAUTHORIZED';
      if (!isRefused || hasRenewed.has(call)) throw error;
      hasRenewed.add(call);
      call.token = await untilAborted(tokens.token(call.token.value), call.signal);
      await next();
    }
  });
}
