/**
 * How subscriptions and their deliveries behave where Microsoft's page gives no answer or several, and how long things
 * take. Absent fields get their defaults.
 */
export interface SubscriptionBehaviourInput {
  /** A further subscription of the directory beyond so many is refused with 403; default null: no limit. */
  quota?: number | null;
  /** The message of a 409 names the subscription that exists; default true. */
  conflictNamesId?: boolean;
  /** GETs show the clientState; default true. */
  showsClientState?: boolean;
  /** Whether a user's resource needs the Teams application access policy; default checked. */
  policy?: 'checked' | 'ignored';
  /** The code of a 404; default ResourceNotFound. */
  unknownCode?: 'ResourceNotFound' | 'ExtensionError';
  /** The code of a failed validation; default InvalidRequest. */
  validationCode?: 'InvalidRequest' | 'ValidationError';
  /** Whether Microsoft gets through to the addresses of subscribers; default true. */
  reachesAddresses?: boolean;
  /** How `resource` is written in notifications: `communications/onlineMeetings('…')/…` (default), or below the user. */
  resourceForm?: 'communications' | 'users';
  /** How long an address has for its answer; default 10,000. */
  answerWithinMs?: number;
  /** Before the second try of a delivery; doubles with each. Default 10,000. */
  firstRetryMs?: number;
  /** Tries of a delivery; default 10, which is more than an hour. */
  maxTries?: number;
}

export interface SubscriptionSummary {
  id: string;
  directoryId: string;
  appId: string;
  resource: string;
  clientState: string | null;
  notificationUrl: string;
  lifecycleNotificationUrl: string | null;
  createdAt: string;
  expiresAt: string;
}

/** One change notification on its way, as it is sent. */
export interface NotificationItem {
  id: string;
  subscriptionId: string;
  subscriptionExpirationDateTime: string;
  changeType: string;
  clientState: string | null;
  tenantId: string;
  resource: string;
  resourceData: { id: string; '@odata.type': string; '@odata.id': string };
}

/** How the held notifications leave. */
export interface ReleaseInput {
  /** The newest first. */
  reversed?: boolean;
  /** Each so many times; default 1. */
  times?: number;
  /** All of one address in one POST. */
  together?: boolean;
  /** Instead of the true values. */
  clientState?: string;
  tenantId?: string;
}

export interface LifecycleEventInput {
  subscriptionId: string;
  event: 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed';
  /** Instead of the true values. */
  clientState?: string;
  tenantId?: string;
  /** Deliveries stop until the subscription is renewed or reauthorized; default false. */
  pauses?: boolean;
}

/** What became of one POST to an address of a subscriber. */
export interface DeliveryReport {
  url: string;
  items: number;
  tries: number;
  /** Of the last try; null when there was no answer in time. */
  status: number | null;
}
