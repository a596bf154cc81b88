import type { StoredFailure } from '../failures.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { SubscriptionRow } from './subscription-rows.ts';

/** How a subscription stands, for diagnostics. */
export interface SubscriptionStatus {
  kind: SubscriptionRow['kind'];
  organizerObjectId: string;
  /** REMOVING: no longer wanted. LAPSED: it lived and does so no more. PENDING: it was never made yet. */
  state: 'ACTIVE' | 'PENDING' | 'LAPSED' | 'REMOVING';
  subscriptionId: string | null;
  expiresAt: Date | null;
  renewedAt: Date | null;
  nextAttemptAt: Date;
  /** Why the last try failed; an ACTIVE one may have a failure too, of its renewal. */
  failure: StoredFailure | null;
  lastNotificationAt: Date | null;
}

/** The tenant's subscriptions, wanted ones first. */
export type SubscriptionsOf = (scope: Scope) => Promise<SubscriptionStatus[]>;

export function makeSubscriptionsOf(tools: ServiceTools): SubscriptionsOf {
  function stateOf({ retiredAt, subscriptionId, expiresAt, renewedAt }: SubscriptionRow): SubscriptionStatus['state'] {
    if (retiredAt !== null) return 'REMOVING';
    if (subscriptionId !== null && expiresAt !== null && expiresAt > tools.clock()) return 'ACTIVE';
    return renewedAt === null ? 'PENDING' : 'LAPSED';
  }

  return async (scope) => {
    const [rows, received] = await scope.db.run(async (prisma) => [
      await prisma.graphSubscription.findMany({
        orderBy: [{ retiredAt: { sort: 'asc', nulls: 'first' } }, { kind: 'asc' }],
      }),
      await prisma.graphNotification.groupBy({ by: ['graphSubscriptionId'], _max: { lastReceivedAt: true } }),
    ]);
    const lastOf = new Map(received.map((one) => [one.graphSubscriptionId, one._max.lastReceivedAt]));
    return rows.map((row) => ({
      kind: row.kind,
      organizerObjectId: row.organizerObjectId,
      state: stateOf(row),
      subscriptionId: row.subscriptionId,
      expiresAt: row.expiresAt,
      renewedAt: row.renewedAt,
      nextAttemptAt: row.nextAttemptAt,
      // Only ensure-subscriptions writes it, from the same type.
      failure: row.lastFailure as unknown as StoredFailure | null,
      lastNotificationAt: lastOf.get(row.id) ?? null,
    }));
  };
}
