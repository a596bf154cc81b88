import type {
  LifecycleEventInput,
  ReleaseInput,
  SubscriptionBehaviourInput,
  SubscriptionSummary,
} from './control-types.ts';
import {
  heldNotifications,
  holdNotifications,
  livingSubscriptions,
  releaseNotifications,
  sendLifecycleEvent,
} from './notifications.ts';
import type { World } from './state.ts';
import { USUAL_SUBSCRIPTION_BEHAVIOUR } from './subscription-types.ts';

/** The operations of the control API that concern subscriptions and what is delivered to subscribers. */
export const subscriptionOperations = {
  listSubscriptions: (world: World, input: { directoryId: string }): SubscriptionSummary[] =>
    livingSubscriptions(world)
      .filter(({ directoryId }) => directoryId === input.directoryId)
      .map(({ watched: _watched, isPaused: _isPaused, changeType: _changeType, creatorId: _creatorId, ...rest }) => ({
        ...rest,
        createdAt: rest.createdAt.toISOString(),
        expiresAt: rest.expiresAt.toISOString(),
      })),
  loseSubscription(world: World, input: { subscriptionId: string }) {
    if (!world.subscriptions.delete(input.subscriptionId)) throw new Error(`no subscription ${input.subscriptionId}`);
  },
  setSubscriptionBehaviour(world: World, input: SubscriptionBehaviourInput) {
    world.behaviour.subscriptions = { ...USUAL_SUBSCRIPTION_BEHAVIOUR, ...input };
  },
  holdNotifications: (world: World) => holdNotifications(world),
  heldNotifications: (world: World) => heldNotifications(world),
  releaseNotifications: (world: World, input: ReleaseInput) => releaseNotifications(world, input),
  sendLifecycleEvent: (world: World, input: LifecycleEventInput) => sendLifecycleEvent(world, input),
  deliveriesDone: (world: World) => world.deliveries.done(),
};
