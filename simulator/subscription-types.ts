import type { NotificationItem, SubscriptionBehaviourInput } from './control-types.ts';

/** What a subscription watches: the artifacts of one kind, of one organizer or of the whole directory. */
export interface WatchedResource {
  kind: 'recordings' | 'transcripts';
  /** Null: the whole directory. */
  organizerId: string | null;
  /** Null: every meeting. */
  meetingId: string | null;
}

export interface Subscription {
  id: string;
  directoryId: string;
  appId: string;
  resource: string;
  watched: WatchedResource;
  changeType: string;
  clientState: string | null;
  notificationUrl: string;
  lifecycleNotificationUrl: string | null;
  creatorId: string;
  createdAt: Date;
  expiresAt: Date;
  /** Nothing is delivered until it is renewed or reauthorized; what happens meanwhile is lost. */
  isPaused: boolean;
}

/** A notification and where it goes. */
export interface AddressedNotification {
  url: string;
  item: NotificationItem;
}

export type SubscriptionBehaviour = Required<SubscriptionBehaviourInput>;

/** Times are real milliseconds; the gaps between tries double. */
export const USUAL_SUBSCRIPTION_BEHAVIOUR: SubscriptionBehaviour = {
  quota: null,
  conflictNamesId: true,
  showsClientState: true,
  policy: 'checked',
  unknownCode: 'ResourceNotFound',
  validationCode: 'InvalidRequest',
  reachesAddresses: true,
  resourceForm: 'communications',
  answerWithinMs: 10_000,
  firstRetryMs: 10_000,
  maxTries: 10,
};
