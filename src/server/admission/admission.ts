import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Viewer } from '../../services/viewer.ts';
import type { Authenticate } from '../authenticator.ts';
import type { MetricsRegistry } from '../metrics.ts';
import { GATEWAY_SECRET_HEADER, makeIsGateway } from './gateway-secret.ts';
import { type LoadShedding, shedLoad } from './load-shedding.ts';
import { makeCountRequest, type RateLimits } from './rate-limits.ts';
import { makeRefuse } from './refusals.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What came of the one verification of the request's token; null before it was asked for. */
    verdict: Promise<Viewer | null> | null;
  }
}

export interface AdmissionOptions {
  /** What the gateway shows, any of them; none: everybody may ask. */
  gatewaySecrets: readonly string[];
  perMinute: RateLimits;
  shedding: LoadShedding;
}

/** Everybody is let in, as in tests that are about something else. */
export const OPEN_TO_ALL: AdmissionOptions = {
  gatewaySecrets: [],
  perMinute: { viewer: 0, tenant: 0, anonymous: 0 },
  shedding: { maxEventLoopDelayMs: 0 },
};

/**
 * Decides, before a body is read, whether the requests of `app` are let in: not under overload, not past the gateway,
 * not beyond the budget of viewer, tenant or address. Only routes of this very context are concerned.
 *
 * @returns who sent a request that was let in, by the one verification that was made of its token
 */
export async function admit(
  app: FastifyInstance,
  { gatewaySecrets, perMinute, shedding }: AdmissionOptions,
  { authenticate, metrics }: { authenticate: Authenticate; metrics: Pick<MetricsRegistry, 'requestRefused'> },
): Promise<(request: FastifyRequest) => Promise<Viewer | null>> {
  const refuse = makeRefuse(metrics);
  await shedLoad(app, shedding, refuse);

  if (gatewaySecrets.length > 0) {
    const isGateway = makeIsGateway(gatewaySecrets);
    app.addHook('onRequest', (request, reply, next) => {
      if (isGateway(request.headers[GATEWAY_SECRET_HEADER])) return next();
      refuse(request, reply, 'gateway-secret', {
        status: 403,
        code: 'FORBIDDEN',
        message: 'This subgraph answers its gateway alone.',
      });
    });
  }

  const countRequest = await makeCountRequest(app, perMinute);
  app.decorateRequest('verdict', null);
  const verdictOn = (request: FastifyRequest) => {
    request.verdict ??= authenticate(request.headers.authorization);
    return request.verdict;
  };
  if (countRequest === undefined) return verdictOn;
  app.addHook('onRequest', async (request, reply) => {
    // While nobody's token can be judged, all are counted as those who have none: the context refuses them anyway.
    const viewer = await verdictOn(request).catch(() => null);
    const exceeded = await countRequest(request, viewer);
    if (exceeded === null) return;
    const { reason, perMinute, retryAfter } = exceeded;
    refuse(request, reply, reason, {
      status: 429,
      code: 'RATE_LIMITED',
      message: `More than ${perMinute} requests in a minute. Try again in ${retryAfter} s.`,
      retryAfter,
      about: { tenantId: viewer?.tenantId, viewerId: viewer?.id },
    });
    return reply;
  });
  return verdictOn;
}
