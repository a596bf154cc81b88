import type { TenantPrisma } from '../../db/database.ts';
import { addJob, addJobs } from '../../db/job-queue.ts';
import { isSameSecret } from '../same-secret.ts';
import type { NotificationOutcome, Scope, ServiceTools } from '../scope.ts';
import type { ReadClientState } from './client-state.ts';
import { planSubscriptionsNow } from './planned.ts';
import type { Proven } from './prove.ts';
import type { ArtifactNotification, LifecycleNotification } from './read-notification.ts';
import type { SubscriptionRow } from './subscription-rows.ts';

/** How many items came to what. */
export type Received = Partial<Record<NotificationOutcome, number>>;

/**
 * Stores what notifications of one tenant tell, together with the jobs that follow from it, and does nothing else: the
 * sender is answered before any work is done. The number of statements does not depend on the number of items.
 */
export interface NotificationReceiver {
  artifacts(scope: Scope, items: readonly Proven<ArtifactNotification>[]): Promise<Received>;
  lifecycle(scope: Scope, items: readonly Proven<LifecycleNotification>[]): Promise<Received>;
}

/** Microsoft tries a delivery for four hours; a subscription that was over longer ago cannot have sent it. */
const LATE_MS = 4 * 3_600_000;

/** An artifact that is told of again so long after its capture was asked for is looked for again. */
const REOPEN_AFTER_MS = 6 * 3_600_000;

/** A renewal so recent answers a request for reauthorization; the next one comes in 15 minutes if it did not. */
const JUST_RENEWED_MS = 60_000;

/**
 * What a tenant gets one by one in a minute: more than any meetings end in. Whoever learned a clientState could fill the
 * table and the queue otherwise. What comes beyond is found by one round over the organizer's changes.
 */
const MOST_A_MINUTE = 1_000;
const MINUTE_MS = 60_000;

type Head = { subscriptionId: string; directoryId: string };
type Matched<Item> = { item: Item; row: SubscriptionRow };

interface Sorted<Item> {
  matched: Matched<Item>[];
  counts: Received;
}

const count = (counts: Received, outcome: NotificationOutcome, by = 1): void => {
  counts[outcome] = (counts[outcome] ?? 0) + by;
};

/** The clientState has proven the tenant; here the item is held against the subscription that it names. */
function isOf(row: SubscriptionRow, item: Head, { nonce }: ReadClientState): boolean {
  if (row.nonce === null || !isSameSecret(row.nonce, nonce)) return false;
  // Without an id the create is not answered yet.
  if (row.subscriptionId !== null && row.subscriptionId !== item.subscriptionId) return false;
  return row.directoryId === null || row.directoryId === item.directoryId;
}

export function makeNotificationReceiver(tools: ServiceTools): NotificationReceiver {
  async function sort<Item extends Head>(
    prisma: TenantPrisma,
    items: readonly Proven<Item>[],
    isFitting: (row: SubscriptionRow, item: Item) => boolean,
  ): Promise<Sorted<Item>> {
    const nonces = [...new Set(items.map(({ state }) => state.nonce))];
    const found = await prisma.graphSubscription.findMany({ where: { nonce: { in: nonces } } });
    const byNonce = new Map(found.map((row) => [row.nonce, row]));
    const now = tools.clock().getTime();
    const sorted: Sorted<Item> = { matched: [], counts: {} };
    for (const { item, state } of items) {
      const row = byNonce.get(state.nonce);
      if (row === undefined || !isOf(row, item, state) || !isFitting(row, item)) count(sorted.counts, 'foreign');
      else if (row.retiredAt !== null || (row.expiresAt !== null && row.expiresAt.getTime() < now - LATE_MS))
        count(sorted.counts, 'lapsed');
      else sorted.matched.push({ item, row });
    }
    return sorted;
  }

  /** Each artifact once, however often it is in the delivery. */
  function distinct(matched: readonly Matched<ArtifactNotification>[]) {
    const byArtifact = new Map<string, { subscription: string; artifact: string; meeting: string; times: number }>();
    for (const { item, row } of matched) {
      const known = byArtifact.get(`${row.id}/${item.artifactId}`);
      if (known !== undefined) known.times += 1;
      else
        byArtifact.set(`${row.id}/${item.artifactId}`, {
          subscription: row.id,
          artifact: item.artifactId,
          meeting: item.onlineMeetingId,
          times: 1,
        });
    }
    return [...byArtifact.values()];
  }

  /** The meetings of which something is new, or is told of again after a long time. */
  async function store(prisma: TenantPrisma, matched: readonly Matched<ArtifactNotification>[]) {
    const now = tools.clock();
    const before = new Date(now.getTime() - REOPEN_AFTER_MS);
    const rows = await prisma.$queryRaw<{ meeting: string; subscription: string }[]>`
      WITH stored AS (
        INSERT INTO graph_notifications AS n
          (graph_subscription_id, artifact_id, online_meeting_id, times, first_received_at, last_received_at, queued_at)
        SELECT r.subscription::uuid, r.artifact, r.meeting, r.times, ${now}, ${now}, ${now}
          FROM jsonb_to_recordset(${JSON.stringify(distinct(matched))}::jsonb)
            AS r(subscription text, artifact text, meeting text, times int)
         ORDER BY r.subscription, r.artifact
        ON CONFLICT (tenant_id, graph_subscription_id, artifact_id) DO UPDATE
          SET times = n.times + EXCLUDED.times, last_received_at = EXCLUDED.last_received_at,
              queued_at = CASE WHEN n.queued_at < ${before} THEN EXCLUDED.queued_at ELSE n.queued_at END
        RETURNING graph_subscription_id, online_meeting_id,
          (xmax = 0 OR (queued_at = ${now} AND first_received_at < ${before})) AS is_news)
      SELECT online_meeting_id AS meeting, graph_subscription_id::text AS subscription FROM stored WHERE is_news`;
    return rows;
  }

  async function isFlooded(prisma: TenantPrisma): Promise<boolean> {
    const since = new Date(tools.clock().getTime() - MINUTE_MS);
    const recent = await prisma.graphNotification.count({
      where: { lastReceivedAt: { gt: since }, queuedAt: { gt: since } },
      take: MOST_A_MINUTE,
    });
    return recent >= MOST_A_MINUTE;
  }

  /** Rounds over the changes of organizers, a minute from now and not more than one each, however often it is asked. */
  async function deferToChanges(prisma: TenantPrisma, matched: readonly Matched<ArtifactNotification>[]) {
    const organizers = [...new Set(matched.map(({ row }) => row.organizerObjectId))];
    for (const organizerObjectId of organizers) {
      const options = { key: `deferred:${organizerObjectId}`, serial: organizerObjectId };
      await addJob(
        prisma,
        'capture_organizer',
        { organizerObjectId },
        { ...options, delayMs: MINUTE_MS, keepTime: true },
      );
    }
  }

  function log(scope: Scope, operation: string, received: Received): Received {
    tools.logger.info({ tenantId: scope.db.tenantId, ...received }, `[TeamsMeetings] operation=${operation}`);
    for (const [outcome, by] of Object.entries(received)) {
      tools.metrics.notificationsReceived(outcome as NotificationOutcome, by);
    }
    return received;
  }

  return {
    async artifacts(scope, items) {
      const received = await scope.db.transaction(async (prisma) => {
        const { matched, counts } = await sort(
          prisma,
          items,
          (row, item) =>
            item.kind === row.kind &&
            (item.organizerObjectId === null || item.organizerObjectId === row.organizerObjectId.toLowerCase()),
        );
        if (matched.length === 0) return counts;
        if (await isFlooded(prisma)) {
          await deferToChanges(prisma, matched);
          count(counts, 'deferred', matched.length);
          return counts;
        }
        const news = await store(prisma, matched);
        const organizers = new Map(matched.map(({ row }) => [row.id, row.organizerObjectId]));
        const jobs = news.map(({ meeting, subscription }) => ({
          payload: { organizerObjectId: organizers.get(subscription) ?? '', onlineMeetingId: meeting },
          key: meeting,
          serial: meeting,
        }));
        await addJobs(prisma, 'capture_online_meeting', jobs);
        if (news.length > 0) count(counts, 'stored', news.length);
        if (matched.length > news.length) count(counts, 'repeated', matched.length - news.length);
        return counts;
      });
      return log(scope, 'notification', received);
    },

    async lifecycle(scope, items) {
      const received = await scope.db.transaction(async (prisma) => {
        const { matched, counts } = await sort(prisma, items, () => true);
        const now = tools.clock();
        const idsOf = (event: LifecycleNotification['event']) => [
          ...new Set(matched.filter(({ item }) => item.event === event).map(({ row }) => row.id)),
        ];
        const renewed = new Date(now.getTime() - JUST_RENEWED_MS);
        const reauthorized = await prisma.graphSubscription.updateMany({
          where: {
            id: { in: idsOf('reauthorizationRequired') },
            renewedAt: { lt: renewed },
            nextAttemptAt: { gt: now },
          },
          data: { nextAttemptAt: now, updatedAt: now },
        });
        const lost = await prisma.graphSubscription.updateMany({
          where: { id: { in: idsOf('subscriptionRemoved') }, subscriptionId: { not: null } },
          data: { subscriptionId: null, expiresAt: null, nextAttemptAt: now, updatedAt: now },
        });
        const missed = matched.filter(({ item }) => item.event === 'missed').map(({ row }) => row.organizerObjectId);
        const organizers = [...new Set(missed)];
        await addJobs(
          prisma,
          'capture_organizer',
          organizers.map((organizerObjectId) => ({
            payload: { organizerObjectId },
            key: organizerObjectId,
            serial: organizerObjectId,
          })),
        );
        if (reauthorized.count + lost.count > 0) await planSubscriptionsNow(prisma);
        const done = reauthorized.count + lost.count + organizers.length;
        if (done > 0) count(counts, 'stored', done);
        if (matched.length > done) count(counts, 'repeated', matched.length - done);
        return counts;
      });
      return log(scope, 'lifecycle-event', received);
    },
  };
}
