import type { CallOptions } from './call-options.ts';

/** Change notifications of one resource to one address, as Graph holds it. */
export interface GraphSubscription {
  id: string;
  resource: string;
  notificationUrl: string | null;
  lifecycleNotificationUrl: string | null;
  /** Null where Graph does not show it; its pages differ on when it does. */
  clientState: string | null;
  /** The truth about its life, whatever was asked for. */
  expiresAt: Date;
}

export interface GraphSubscriptionDraft {
  /** E.g. `users/{object id}/onlineMeetings/getAllRecordings`. */
  resource: string;
  notificationUrl: string;
  /** Cannot be changed afterwards. */
  lifecycleNotificationUrl: string;
  /** Comes back with each notification; at most 128 characters. */
  clientState: string;
  expiresAt: Date;
}

/**
 * Subscriptions of one app in one directory. Every method may throw `GraphRequestError`. Microsoft Learn:
 * subscription-post-subscriptions, resources/subscription, subscription-update, change-notifications-lifecycle-events.
 */
export interface GraphSubscriptions {
  /**
   * Asks to be told of what is created in the resource. Graph calls both addresses before it answers. Failures of its
   * own: `SUBSCRIPTION_EXISTS` (with `existingSubscriptionId` where the answer names it), `SUBSCRIPTION_LIMIT`,
   * `NOTIFICATION_URL_REFUSED`.
   */
  create(draft: GraphSubscriptionDraft, options?: CallOptions): Promise<GraphSubscription>;
  get(subscriptionId: string, options?: CallOptions): Promise<GraphSubscription>;
  /** All of this app in this directory. */
  list(options?: CallOptions): Promise<GraphSubscription[]>;
  /** Lengthens its life, which reauthorizes it too; with an address, Graph calls that first. */
  renew(
    subscriptionId: string,
    change: { expiresAt: Date; notificationUrl?: string },
    options?: CallOptions,
  ): Promise<GraphSubscription>;
  /** Not within ten minutes of a renewal, Microsoft says. */
  reauthorize(subscriptionId: string, options?: CallOptions): Promise<void>;
  /** Removing what is already gone succeeds. */
  remove(subscriptionId: string, options?: CallOptions): Promise<void>;
}
