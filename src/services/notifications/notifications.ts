import type { RingKey } from '../microsoft-app/key-ring.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { ServiceTools } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import { createClientStates } from './client-state.ts';
import { type EnsureSubscriptions, makeEnsureSubscriptions } from './ensure-subscriptions.ts';
import { makeProveNotifications, type ProveNotifications } from './prove.ts';
import { makeNotificationReceiver, type NotificationReceiver } from './receive-notifications.ts';
import { makeSubscriptionsOf, type SubscriptionsOf } from './subscriptions-of.ts';

/** Microsoft's change notifications: the subscriptions that bring them, and what becomes of them. */
export interface NotificationService extends NotificationReceiver {
  prove: ProveNotifications;
  ensureSubscriptions: EnsureSubscriptions;
  /** How the subscriptions stand, for diagnostics. */
  subscriptionsOf: SubscriptionsOf;
  /** Counts a delivery that was refused as a whole. */
  refused(): void;
}

/**
 * @param keys sign the clientStates; the first signs, all verify
 * @param publicUrl where Microsoft reaches this server
 */
export function createNotificationService(
  deps: { microsoftApp: MicrosoftAppService; settings: SettingsService; keys: readonly RingKey[]; publicUrl: string },
  tools: ServiceTools,
): NotificationService {
  const states = createClientStates(deps.keys);
  return {
    ...makeNotificationReceiver(tools),
    prove: makeProveNotifications(states, tools),
    ensureSubscriptions: makeEnsureSubscriptions({ ...deps, states }, tools),
    subscriptionsOf: makeSubscriptionsOf(tools),
    refused: () => tools.metrics.notificationsReceived('malformed', 1),
  };
}
