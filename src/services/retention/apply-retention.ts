import { type BlobStore, BlobStoreError } from '../../blobs/blob-store.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { createExpiredArtifacts } from './expired-artifacts.ts';
import { expiredBefore } from './expiry.ts';
import { HOUSEKEEPING } from './housekeeping.ts';
import { deleteOrphanedBlobs } from './orphaned-blobs.ts';
import { planNextRetention, planRestOfRetention } from './planned-retention.ts';

/** Deletes what a tenant has kept for long enough. Plans itself again. */
export type ApplyRetention = (scope: Scope) => Promise<void>;

const SLICE_MS = 40_000;
const HOUSEKEEPING_MS = 30 * 24 * 3_600_000;

/**
 * Makes the daily job: recordings and transcripts beyond the tenant's retention, with their copies; blobs without a
 * recording; and rows of finished work. Everything may be done twice.
 */
export function makeApplyRetention({ blobs }: { blobs: BlobStore | undefined }, tools: ServiceTools): ApplyRetention {
  const expired = createExpiredArtifacts(blobs, tools);

  /** True when nothing is left to delete. */
  async function deleteExpired(scope: Scope): Promise<boolean> {
    const now = tools.clock();
    const settings = await scope.db.run((prisma) => prisma.teamsIntegration.findFirst());
    const before = expiredBefore(settings, now);
    if (before === null) return true;
    const isTimeOver = () => tools.clock().getTime() >= now.getTime() + SLICE_MS;
    const work = { scope, before, isTimeOver };
    return (await expired.recordings(work)) && (await expired.transcripts(work));
  }

  async function deleteOrphans(scope: Scope): Promise<void> {
    if (blobs === undefined) return;
    try {
      await deleteOrphanedBlobs(scope, blobs, tools);
    } catch (error) {
      if (!(error instanceof BlobStoreError)) throw error;
      tools.logger.warn(
        { tenantId: scope.db.tenantId, cause: error.message },
        '[TeamsMeetings] operation=retention the blob store was not looked over',
      );
    }
  }

  async function keepHouse(scope: Scope): Promise<void> {
    const before = new Date(tools.clock().getTime() - HOUSEKEEPING_MS);
    const counts: Record<string, number> = {};
    for (const [name, clean] of Object.entries(HOUSEKEEPING)) {
      counts[name] = (await scope.db.run((prisma) => clean(prisma, before))).count;
    }
    tools.logger.info({ tenantId: scope.db.tenantId, ...counts }, '[TeamsMeetings] operation=retention kept house');
  }

  return async (scope) => {
    // Planned first: whatever happens below, the next run comes.
    await scope.db.transaction(planNextRetention);
    if (await deleteExpired(scope)) {
      await deleteOrphans(scope);
      await keepHouse(scope);
    } else {
      await scope.db.transaction(planRestOfRetention);
    }
  };
}
