import { addJob } from '../../db/job-queue.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphClient } from '../../graph/types.ts';
import { type StoredFailure, toStoredFailure } from '../failures.ts';
import { judge, waitBeforeRetry } from '../meetings/sync/retry-policy.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import { canBeCalled } from './addresses.ts';
import type { ClientStates } from './client-state.ts';
import { planSubscriptionsLater } from './planned.ts';
import { lifeFrom, subscribe } from './subscribe.ts';
import { createSubscriptionRows, failed, healthy, type SubscriptionRow, type Wanted } from './subscription-rows.ts';

/**
 * Brings a tenant's subscriptions at Microsoft to what is wanted: two while it is active with an app and an organizer,
 * none otherwise. Renews at about half of their life, makes lost ones again, and plans itself again. What fails is
 * stored in its row. Only one of them may run for a tenant at a time; its jobs are serial.
 */
export type EnsureSubscriptions = (scope: Scope) => Promise<void>;

/** The job looks at its rows at least so often, also when none is due. */
const LOOK_EVERY_MS = 6 * 3_600_000;
const SOONEST_MS = 1_000;

/** What a person has to mend is looked at again after so long, doubled each time. */
const FIRST_LOOK_AGAIN_MS = 15 * 60_000;

/** Repeats come within hours; older rows have nothing to tell any more. */
const KEEP_NOTIFICATIONS_MS = 30 * 24 * 3_600_000;

export function makeEnsureSubscriptions(
  deps: {
    microsoftApp: Pick<MicrosoftAppService, 'find' | 'graphFor' | 'graphForFormer'>;
    settings: Pick<SettingsService, 'find'>;
    states: ClientStates;
    publicUrl: string;
  },
  tools: ServiceTools,
): EnsureSubscriptions {
  const rows = createSubscriptionRows(tools);
  const { publicUrl, states } = deps;

  async function wantedBy(scope: Scope): Promise<Wanted | null> {
    const settings = await deps.settings.find(scope);
    if (settings?.installStatus !== 'ACTIVE' || settings.organizerObjectId === null) return null;
    const app = await deps.microsoftApp.find(scope);
    if (app === null) return null;
    return {
      appClientId: app.clientId,
      appDirectoryId: app.directoryId,
      appCloud: app.cloud,
      organizerObjectId: settings.organizerObjectId,
    };
  }

  function log(scope: Scope, row: SubscriptionRow, operation: string, outcome: string, more: object = {}): void {
    tools.metrics.operationEnded(operation, outcome);
    const level = outcome === outcome.toUpperCase() ? 'warn' : 'info';
    tools.logger[level](
      { tenantId: scope.db.tenantId, organizerId: row.organizerObjectId, kind: row.kind, outcome, ...more },
      `[TeamsMeetings] operation=${operation}`,
    );
  }

  /** About the middle of its life; by chance, so that what was made together is not renewed together. */
  function renewalOf(expiresAt: Date): Date {
    const now = tools.clock().getTime();
    return new Date(now + Math.max(0, expiresAt.getTime() - now) * (0.45 + 0.1 * tools.random()));
  }

  async function fail(scope: Scope, row: SubscriptionRow, failure: StoredFailure, waitMs: number): Promise<void> {
    const now = tools.clock().getTime();
    const left = (row.expiresAt?.getTime() ?? now) - now;
    // While it lives, there is to be another try before it lapses.
    const wait = left > 0 ? Math.min(waitMs, left / 2) : waitMs;
    await rows.change(scope, row, failed(row, failure), new Date(now + wait));
  }

  function waitAfter(row: SubscriptionRow, error: GraphRequestError): number {
    const failures = row.failedAttempts + 1;
    if (judge(error.kind, false) === 'transient') return waitBeforeRetry(failures, error.retryAfterMs, tools.random());
    return lookAgainAfter(failures);
  }

  const lookAgainAfter = (failures: number) =>
    Math.min(FIRST_LOOK_AGAIN_MS * 2 ** Math.min(failures - 1, 10), LOOK_EVERY_MS);

  /** Something about this installation is in the way; Microsoft is not even asked. */
  async function failHere(scope: Scope, row: SubscriptionRow, message: string, remedy: string): Promise<void> {
    const occurredAt = tools.clock().toISOString();
    const failure: StoredFailure = { code: 'NOT_CONFIGURED', message, remedy, occurredAt, graphRequestId: null };
    await fail(scope, row, failure, lookAgainAfter(row.failedAttempts + 1));
    log(scope, row, 'subscribe', 'NOT_CONFIGURED');
  }

  /** Its notifications would go to another address, or be foreign because their key is gone. */
  function isUseless({ retiredAt, subscriptionId, publicUrl: askedFor, keyId }: SubscriptionRow): boolean {
    if (retiredAt !== null || subscriptionId === null) return false;
    return askedFor !== publicUrl || keyId === null || !states.knows(keyId);
  }

  /** Removes what is not wanted any more. A subscription that nobody can remove lapses by itself within three days. */
  async function removeRetired(scope: Scope, row: SubscriptionRow): Promise<void> {
    const isLiving = row.subscriptionId !== null && (row.expiresAt?.getTime() ?? 0) > tools.clock().getTime();
    const graph = isLiving ? await deps.microsoftApp.graphForFormer(scope, row) : null;
    try {
      if (graph !== null && row.subscriptionId !== null) await graph.subscriptions.remove(row.subscriptionId);
      log(scope, row, 'unsubscribe', 'success');
    } catch (error) {
      if (!(error instanceof GraphRequestError)) throw error;
      const failure = toStoredFailure(error, tools.clock());
      log(scope, row, 'unsubscribe', failure.code, { graphRequestId: error.requestId });
      if (error.isTransient) return fail(scope, row, failure, waitAfter(row, error));
    }
    await rows.remove(scope, row);
  }

  /** True where it was renewed; false where Microsoft no longer has it. */
  async function renew(scope: Scope, row: SubscriptionRow, graph: GraphClient, id: string): Promise<boolean> {
    const now = tools.clock();
    try {
      const subscription = await graph.subscriptions.renew(id, { expiresAt: lifeFrom(now) });
      await rows.change(scope, row, healthy(subscription, now), renewalOf(subscription.expiresAt));
      log(scope, row, 'renew-subscription', 'success', { subscriptionId: id, expiresAt: subscription.expiresAt });
      return true;
    } catch (error) {
      if (error instanceof GraphRequestError && error.kind === 'NOT_FOUND') return false;
      throw error;
    }
  }

  /** What happened while there was no subscription is not told afterwards: it has to be looked for. */
  async function lookForMissed(scope: Scope, { organizerObjectId }: SubscriptionRow): Promise<void> {
    await scope.db.transaction((prisma) =>
      addJob(
        prisma,
        'capture_organizer',
        { organizerObjectId },
        { key: organizerObjectId, serial: organizerObjectId, keepTime: true },
      ),
    );
  }

  async function make(scope: Scope, row: SubscriptionRow, graph: GraphClient): Promise<void> {
    const issued = states.issue(scope.db.tenantId);
    if (issued === null) {
      const remedy = 'Recordings and transcripts are found by looking for them, only later.';
      return failHere(scope, row, 'The tenant’s id is too long for Microsoft’s notifications.', remedy);
    }
    const directoryId = await graph.directoryId();
    const known = { nonce: issued.nonce, keyId: issued.keyId, publicUrl, directoryId };
    // Stored first: a notification may come before the answer of the create does.
    await rows.change(scope, row, { ...known, subscriptionId: null, expiresAt: null }, row.nextAttemptAt);
    const now = tools.clock();
    const { subscription, nonce, keyId, isAdopted } = await subscribe(scope, row, {
      graph,
      publicUrl,
      states,
      now,
      issued,
    });
    await rows.change(scope, row, { ...healthy(subscription, now), nonce, keyId }, renewalOf(subscription.expiresAt));
    if (row.renewedAt !== null) await lookForMissed(scope, row);
    const { id: subscriptionId, expiresAt } = subscription;
    log(scope, row, 'subscribe', isAdopted ? 'adopted' : 'success', { subscriptionId, expiresAt });
  }

  async function bringAbout(scope: Scope, row: SubscriptionRow): Promise<void> {
    if (!canBeCalled(publicUrl)) {
      const remedy = 'Set PUBLIC_URL to an https address that Microsoft can reach from the internet.';
      return failHere(scope, row, 'Microsoft sends notifications to https addresses only.', remedy);
    }
    const graph = await deps.microsoftApp.graphFor(scope);
    if (graph === null) return;
    const isLiving = row.expiresAt !== null && row.expiresAt > tools.clock();
    if (row.subscriptionId !== null && isLiving) {
      // With a new key in the ring, the renewal is the time to leave the old one.
      const isKept = !isUseless(row) && row.keyId !== null && states.isSigning(row.keyId);
      if (isKept && (await renew(scope, row, graph, row.subscriptionId))) return;
      // Its lifecycle address and its clientState cannot be changed.
      if (!isKept) await graph.subscriptions.remove(row.subscriptionId);
    }
    await make(scope, row, graph);
  }

  async function work(scope: Scope, row: SubscriptionRow): Promise<void> {
    if (row.retiredAt !== null) return removeRetired(scope, row);
    try {
      await bringAbout(scope, row);
    } catch (error) {
      if (!(error instanceof GraphRequestError)) throw error;
      const failure = toStoredFailure(error, tools.clock());
      await fail(scope, row, failure, waitAfter(row, error));
      log(scope, row, 'subscribe', failure.code, { graphRequestId: error.requestId });
    }
  }

  return async (scope) => {
    const wanted = await wantedBy(scope);
    const before = new Date(tools.clock().getTime() - KEEP_NOTIFICATIONS_MS);
    await scope.db.transaction(async (prisma) => {
      // Planned first: whatever happens below, the next look comes.
      if (wanted !== null) await planSubscriptionsLater(prisma, LOOK_EVERY_MS);
      await rows.settle(prisma, wanted);
      await prisma.graphNotification.deleteMany({ where: { lastReceivedAt: { lt: before } } });
    });
    for (const row of await rows.due(scope, isUseless)) await work(scope, row);
    const next = await rows.nextDue(scope);
    if (next === null) return;
    const delayMs = Math.min(Math.max(next.getTime() - tools.clock().getTime(), SOONEST_MS), LOOK_EVERY_MS);
    await scope.db.transaction((prisma) => planSubscriptionsLater(prisma, delayMs));
  };
}
