import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Viewer } from '../../services/viewer.ts';
import type { RefusalReason } from '../metrics.ts';

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

type Budget = (request: FastifyRequest) => Promise<ExceededLimit | null>;
const UNLIMITED: Budget = async () => null;

declare module 'fastify' {
  interface FastifyRequest {
    /** For whom this request is counted; null where it has no good token. */
    countedFor: Viewer | null;
  }
}

function viewerOf({ countedFor }: FastifyRequest): Viewer {
  if (countedFor === null) throw new Error('A request is counted for a viewer that it does not have');
  return countedFor;
}

/**
 * Makes the budgets of this process. Viewers and tenants are those of a verified token: what an unverified one says of
 * itself would let anybody use up somebody else's budget. Of each kind the library remembers 5,000 at once, and forgets
 * the one that was used least lately first.
 *
 * @returns undefined where nothing has a limit
 */
export async function makeCountRequest(app: FastifyInstance, limits: RateLimits): Promise<CountRequest | undefined> {
  if (Object.values(limits).every((limit) => limit === 0)) return undefined;
  await app.register(rateLimit, { global: false });
  app.decorateRequest('countedFor', null);
  const budget = (reason: RefusalReason, max: number, keyGenerator?: (request: FastifyRequest) => string): Budget => {
    if (max === 0) return UNLIMITED;
    const options = { max, timeWindow: MINUTE_MS };
    const count = app.createRateLimit(keyGenerator === undefined ? options : { ...options, keyGenerator });
    return async (request) => {
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
    request.countedFor = viewer;
    // A viewer who asks too much uses nothing of what the others have.
    return (await ofViewer(request)) ?? ofTenant(request);
  };
}
