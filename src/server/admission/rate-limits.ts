import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Viewer } from '../../services/viewer.ts';
import type { RefusalReason } from './refusals.ts';

/** How many requests a minute; 0: as many as they like. */
export interface RateLimits {
  viewer: number;
  /** All viewers of a tenant together. */
  tenant: number;
  /** Requests without a good token, by address. */
  anonymous: number;
}

const MINUTE_MS = 60_000;

export interface ExceededLimit {
  reason: RefusalReason;
  perMinute: number;
  retryAfter: number;
}

/** Counts a request; resolves with the limit that it exceeds, or null. */
export type CountRequest = (request: FastifyRequest, viewer: Viewer | null) => Promise<ExceededLimit | null>;

/**
 * Makes the budgets of this process. Viewers and tenants are those of a verified token: what an unverified one says of
 * itself would let anybody use up somebody else's budget. Of each kind the library remembers 5,000 at once, and forgets
 * the one that was used least lately first.
 */
export async function makeCountRequest(app: FastifyInstance, limits: RateLimits): Promise<CountRequest> {
  await app.register(rateLimit, { global: false });
  const viewers = new WeakMap<FastifyRequest, Viewer>();
  const viewerOf = (request: FastifyRequest): Viewer => {
    const viewer = viewers.get(request);
    if (viewer === undefined) throw new Error('A request is counted for a viewer that it does not have');
    return viewer;
  };
  const budget = (reason: RefusalReason, max: number, keyGenerator?: (request: FastifyRequest) => string) => {
    const count = app.createRateLimit({
      max,
      timeWindow: MINUTE_MS,
      ...(keyGenerator === undefined ? {} : { keyGenerator }),
    });
    return async (request: FastifyRequest): Promise<ExceededLimit | null> => {
      if (max === 0) return null;
      const counted = await count(request);
      if (counted.isAllowed || !counted.isExceeded) return null;
      return { reason, perMinute: max, retryAfter: counted.ttlInSeconds };
    };
  };
  const ofViewer = budget('viewer-limit', limits.viewer, (request) => {
    const { tenantId, id } = viewerOf(request);
    // The length keeps ids apart that read as one when they are put together.
    return `${tenantId.length}:${tenantId}${id}`;
  });
  const ofTenant = budget('tenant-limit', limits.tenant, (request) => viewerOf(request).tenantId);
  const ofAddress = budget('anonymous-limit', limits.anonymous);

  return async (request, viewer) => {
    if (viewer === null) return ofAddress(request);
    viewers.set(request, viewer);
    // A viewer who asks too much uses nothing of what the others have.
    return (await ofViewer(request)) ?? ofTenant(request);
  };
}
