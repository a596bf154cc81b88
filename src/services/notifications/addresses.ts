const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Microsoft calls https only; what is on this computer is the simulator's to call. */
export function canBeCalled(publicUrl: string): boolean {
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === 'https:' || LOOPBACK.has(hostname);
}

/** Where Microsoft is to send notifications and lifecycle events. */
export function addressesBelow(publicUrl: string): { notificationUrl: string; lifecycleNotificationUrl: string } {
  return {
    notificationUrl: `${publicUrl}/webhooks/graph/notifications`,
    lifecycleNotificationUrl: `${publicUrl}/webhooks/graph/lifecycle`,
  };
}
