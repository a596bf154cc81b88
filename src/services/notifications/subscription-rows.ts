import type { TenantPrisma } from '../../db/database.ts';
import { type GraphSubscription, Prisma } from '../../generated/prisma/client.ts';
import type { StoredFailure } from '../failures.ts';
import type { Scope, ServiceTools } from '../scope.ts';

export type SubscriptionRow = GraphSubscription;

const KINDS = ['RECORDINGS', 'TRANSCRIPTS'] as const;

/** The app and the organizer whose recordings and transcripts a tenant wants to hear of. */
export type Wanted = Pick<SubscriptionRow, 'appClientId' | 'appDirectoryId' | 'appCloud' | 'organizerObjectId'>;

const HEALTHY = { failedAttempts: 0, lastFailure: Prisma.DbNull } as const;

/** The rows of a tenant's subscriptions. */
export interface SubscriptionRows {
  /** Makes rows for what is wanted and marks the others for removal; talks to nobody. */
  settle(prisma: TenantPrisma, wanted: Wanted | null): Promise<void>;
  /** What is due, and what lives but is of no use any more; removals first. */
  due(scope: Scope, isUseless: (row: SubscriptionRow) => boolean): Promise<SubscriptionRow[]>;
  /** When the next one is due; null without any. */
  nextDue(scope: Scope): Promise<Date | null>;
  /** Stores what a try brought; the time of the next one only where nobody asked for an earlier one meanwhile. */
  change(
    scope: Scope,
    row: SubscriptionRow,
    data: Prisma.GraphSubscriptionUpdateManyMutationInput,
    nextAttemptAt: Date,
  ): Promise<void>;
  remove(scope: Scope, row: SubscriptionRow): Promise<void>;
}

/** What a row looks like after a try that succeeded. */
export function healthy(subscription: { id: string; expiresAt: Date }, now: Date) {
  return { ...HEALTHY, subscriptionId: subscription.id, expiresAt: subscription.expiresAt, renewedAt: now };
}

/** What a row looks like after a try that failed. */
export function failed(row: SubscriptionRow, failure: StoredFailure) {
  return { failedAttempts: row.failedAttempts + 1, lastFailure: { ...failure } };
}

export function createSubscriptionRows(tools: ServiceTools): SubscriptionRows {
  return {
    async settle(prisma, wanted) {
      const now = tools.clock();
      const isWanted = wanted === null ? { id: { in: [] } } : { ...wanted };
      await prisma.graphSubscription.updateMany({
        where: { retiredAt: null, NOT: isWanted },
        data: { ...HEALTHY, retiredAt: now, nextAttemptAt: now, updatedAt: now },
      });
      if (wanted === null) return;
      await prisma.graphSubscription.updateMany({
        where: { ...wanted, retiredAt: { not: null } },
        data: { ...HEALTHY, retiredAt: null, formerCredentialCiphertext: null, nextAttemptAt: now, updatedAt: now },
      });
      await prisma.graphSubscription.createMany({
        data: KINDS.map((kind) => ({
          ...wanted,
          kind,
          id: tools.newId(),
          nextAttemptAt: now,
          createdAt: now,
          updatedAt: now,
        })),
        skipDuplicates: true,
      });
    },

    async due(scope, isUseless) {
      const rows = await scope.db.run((prisma) =>
        prisma.graphSubscription.findMany({ orderBy: [{ retiredAt: { sort: 'asc', nulls: 'last' } }, { id: 'asc' }] }),
      );
      const now = tools.clock();
      return rows.filter((row) => row.nextAttemptAt <= now || (row.lastFailure === null && isUseless(row)));
    },

    async nextDue(scope) {
      const row = await scope.db.run((prisma) =>
        prisma.graphSubscription.findFirst({ orderBy: { nextAttemptAt: 'asc' }, select: { nextAttemptAt: true } }),
      );
      return row?.nextAttemptAt ?? null;
    },

    change: (scope, row, data, nextAttemptAt) =>
      scope.db.transaction(async (prisma) => {
        const { id } = row;
        await prisma.graphSubscription.updateMany({ where: { id }, data: { ...data, updatedAt: tools.clock() } });
        await prisma.graphSubscription.updateMany({
          where: { id, nextAttemptAt: row.nextAttemptAt },
          data: { nextAttemptAt },
        });
      }),

    async remove(scope, { id }) {
      await scope.db.run((prisma) => prisma.graphSubscription.deleteMany({ where: { id, retiredAt: { not: null } } }));
    },
  };
}
