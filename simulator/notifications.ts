import { randomUUID } from 'node:crypto';
import type { LifecycleEventInput, NotificationItem, ReleaseInput } from './control-types.ts';
import type { CallArtifact, OnlineMeeting } from './meeting-store.ts';
import type { World } from './state.ts';
import type { AddressedNotification, Subscription, WatchedResource } from './subscription-types.ts';

/** Graph's spelling of an instant in notifications. */
function withOffset(instant: Date): string {
  return instant.toISOString().replace('Z', '0000+00:00');
}

/** The subscription if it has not lapsed by the simulator's clock; a lapsed one is gone. */
export function livingSubscription(world: World, id: string): Subscription | undefined {
  const subscription = world.subscriptions.get(id);
  if (subscription === undefined || subscription.expiresAt > world.clock.now()) return subscription;
  world.subscriptions.delete(id);
  return undefined;
}

export function livingSubscriptions(world: World): Subscription[] {
  return [...world.subscriptions.keys()].flatMap((id) => livingSubscription(world, id) ?? []);
}

/**
 * Tells subscribers of the artifacts that have become available since the last time. Only who subscribed before a call
 * was transcribed hears of its transcript. Source: change-notifications-overview.
 */
export function notifyOfArtifacts(world: World): void {
  const now = world.clock.now();
  let nextAt = Number.POSITIVE_INFINITY;
  for (const meeting of world.meetings.byId.values()) {
    for (const kind of ['recordings', 'transcripts'] as const) {
      for (const artifact of meeting[kind]) {
        if (artifact.isAnnounced) continue;
        if (artifact.availableAt > now) {
          nextAt = Math.min(nextAt, artifact.availableAt.getTime());
          continue;
        }
        artifact.isAnnounced = true;
        for (const subscription of livingSubscriptions(world)) {
          const isInTime = kind === 'recordings' || subscription.createdAt <= artifact.createdAt;
          if (subscription.isPaused || !isInTime || !watches(subscription, meeting, kind)) continue;
          send(world, { url: subscription.notificationUrl, item: itemOf(world, subscription, meeting, artifact) });
        }
      }
    }
  }
  world.deliveries.later(nextAt - now.getTime(), () => notifyOfArtifacts(world));
}

function watches({ directoryId, watched }: Subscription, meeting: OnlineMeeting, kind: WatchedResource['kind']) {
  return (
    directoryId === meeting.directoryId &&
    watched.kind === kind &&
    (watched.organizerId === null || watched.organizerId === meeting.organizerId) &&
    (watched.meetingId === null || watched.meetingId === meeting.id)
  );
}

function itemOf(
  world: World,
  subscription: Subscription,
  meeting: OnlineMeeting,
  artifact: CallArtifact,
): NotificationItem {
  const { kind } = subscription.watched;
  const path = `onlineMeetings('${meeting.id}')/${kind}('${artifact.id}')`;
  const resource =
    world.behaviour.subscriptions.resourceForm === 'users'
      ? `users('${meeting.organizerId}')/${path}`
      : `communications/${path}`;
  return {
    id: randomUUID(),
    subscriptionId: subscription.id,
    subscriptionExpirationDateTime: withOffset(subscription.expiresAt),
    changeType: subscription.changeType,
    clientState: subscription.clientState,
    tenantId: subscription.directoryId,
    resource,
    resourceData: {
      id: artifact.id,
      '@odata.type': kind === 'recordings' ? '#Microsoft.Graph.callRecording' : '#Microsoft.Graph.callTranscript',
      '@odata.id': resource,
    },
  };
}

function send(world: World, addressed: AddressedNotification): void {
  if (world.heldNotifications !== null) world.heldNotifications.push(addressed);
  else world.deliveries.post(addressed.url, [addressed.item], world.behaviour.subscriptions);
}

export function holdNotifications(world: World): void {
  world.heldNotifications ??= [];
}

export function heldNotifications(world: World): NotificationItem[] {
  return (world.heldNotifications ?? []).map(({ item }) => item);
}

export function releaseNotifications(world: World, input: ReleaseInput): void {
  const kept = world.heldNotifications ?? [];
  world.heldNotifications = null;
  const { reversed, times = 1, together, ...instead } = input;
  const all = (reversed ? [...kept].reverse() : kept)
    .flatMap((one) => Array.from({ length: times }, () => one))
    .map(({ url, item }) => ({ url, item: { ...item, ...instead } }));
  const posts = together ? Map.groupBy(all, ({ url }) => url) : all.map((one) => [one.url, [one]] as const);
  for (const [url, group] of posts) {
    const items = group.map(({ item }) => item);
    world.deliveries.post(url, items, world.behaviour.subscriptions);
  }
}

/** Source: change-notifications-lifecycle-events. A removed subscription is gone before its subscriber hears of it. */
export function sendLifecycleEvent(world: World, input: LifecycleEventInput): void {
  const subscription = livingSubscription(world, input.subscriptionId);
  if (subscription === undefined) throw new Error(`no subscription ${input.subscriptionId}`);
  if (input.event === 'subscriptionRemoved') world.subscriptions.delete(subscription.id);
  if (input.pauses) subscription.isPaused = true;
  if (subscription.lifecycleNotificationUrl === null) return;
  const item = {
    subscriptionId: subscription.id,
    subscriptionExpirationDateTime: withOffset(subscription.expiresAt),
    tenantId: input.tenantId ?? subscription.directoryId,
    clientState: input.clientState ?? subscription.clientState,
    lifecycleEvent: input.event,
  };
  world.deliveries.post(subscription.lifecycleNotificationUrl, [item], world.behaviour.subscriptions);
}
