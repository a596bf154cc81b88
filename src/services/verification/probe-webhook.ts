import { randomBytes } from 'node:crypto';
import { GraphRequestError } from '../../graph/errors.ts';
import type { CallOptions, GraphSubscription } from '../../graph/types.ts';
import { addressesBelow, canBeCalled } from '../notifications/addresses.ts';
import { findExisting, resourceOf } from '../notifications/subscribe.ts';
import type { Checklist, Consequences, Warning } from './checklist.ts';
import { type ProbeContext, withoutRole } from './probe-context.ts';

/** The shortest life that Microsoft gives. Source: Microsoft Learn, resources/subscription. */
const LIFE_MS = 45 * 60_000;

/** Microsoft gives each of two addresses ten seconds before it answers. */
const LIMIT_MS = 28_000;

export interface WebhookProbe {
  publicUrl: string;
  /** The subscriptions that live at Microsoft as far as it is stored here. */
  activeSubscriptionIds: readonly string[];
}

const REACHED = 'Microsoft reaches the address at which it tells of recordings and transcripts';

/**
 * The check `webhook`. Microsoft calls the address before it makes a subscription, and before it gives one an address.
 * So one of ours that it still has is given the address that it has already; without one, one is made for a moment.
 * Others are left alone. What fails is a warning: without notifications, recordings and transcripts are found by
 * looking for them, only later. Microsoft Learn: change-notifications-delivery-webhooks.
 */
export async function probeWebhook(
  context: ProbeContext,
  list: Checklist,
  probe: WebhookProbe,
  consequences: Consequences,
): Promise<void> {
  if (!canBeCalled(probe.publicUrl)) {
    const detail =
      'Microsoft sends notifications to https addresses only, and the public address of this server is none.';
    const remedy = 'Set PUBLIC_URL to an https address that Microsoft can reach from the internet.';
    list.found('webhook', { detail, remedy }, { durationMs: 0, graphRequestId: null });
    return;
  }
  const asked = await list.ask((call) => look(context, probe, call), LIMIT_MS);
  const { failure } = asked;
  if (failure === undefined) {
    list.found('webhook', asked.value, asked);
    return;
  }
  const causes = { ...consequences, ...withoutRole(context, 'OnlineMeetingRecording.Read.All') };
  if (failure.kind && causes[failure.kind] !== undefined) list.failed('webhook', failure, asked, causes);
  else list.found('webhook', { detail: failure.detail, remedy: failure.remedy ?? '' }, asked);
}

async function look(context: ProbeContext, probe: WebhookProbe, call: CallOptions): Promise<string | Warning> {
  const { graph, userId, tools } = context;
  const addresses = addressesBelow(probe.publicUrl);
  const isOurs = (one: GraphSubscription | null) => one?.notificationUrl === addresses.notificationUrl;
  for (const id of probe.activeSubscriptionIds) {
    const subscription = await graph.subscriptions.get(id, call).catch(nullIfGone);
    if (subscription === null || !isOurs(subscription)) continue;
    const { expiresAt } = subscription;
    // Nothing is changed by it; but with an address in it, Microsoft calls the address before it answers.
    await graph.subscriptions.renew(id, { expiresAt, notificationUrl: addresses.notificationUrl }, call);
    return `${REACHED}: a subscription is active until ${expiresAt.toISOString()}.`;
  }
  const resource = resourceOf({ organizerObjectId: userId, kind: 'RECORDINGS' });
  try {
    const made = await graph.subscriptions.create(
      {
        resource,
        ...addresses,
        // Proves nothing to us: what comes for this subscription is dropped.
        clientState: randomBytes(16).toString('base64url'),
        expiresAt: new Date(tools.clock().getTime() + LIFE_MS),
      },
      call,
    );
    // Where this fails, the subscription lapses by itself.
    await graph.subscriptions.remove(made.id, call).catch(ignoreRefusal);
    return `${REACHED}: a subscription was made and removed.`;
  } catch (error) {
    if (!(error instanceof GraphRequestError) || error.kind !== 'SUBSCRIPTION_EXISTS') throw error;
    const existing = await findExisting(graph, resource, error.existingSubscriptionId, call);
    if (isOurs(existing)) return `${REACHED}: it has a subscription there already.`;
    throw error;
  }
}

function nullIfGone(error: unknown): null {
  if (error instanceof GraphRequestError && error.kind === 'NOT_FOUND') return null;
  throw error;
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof GraphRequestError)) throw error;
}
