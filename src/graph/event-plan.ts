import type { CallPlan } from './call.ts';
import type { GraphPath } from './path.ts';
import type { CallOptions } from './types.ts';

export const EVENT_WRITE_ROLES = ['Calendars.ReadWrite'];
export const EVENT_READ_ROLES = [
  'Calendars.ReadBasic',
  'Calendars.ReadBasic.All',
  'Calendars.Read',
  'Calendars.ReadWrite',
];

export const EVENTS_PATH = '/users/{user}/events';
export const EVENT_PATH = '/users/{user}/events/{event}';
export const EVENT_FIELDS =
  'id,iCalUId,transactionId,subject,start,end,isOnlineMeeting,onlineMeetingProvider,onlineMeeting,isCancelled,attendees';

/** A call of Exchange that speaks of times in UTC. A POST counts as one that must not be repeated. */
export function eventPlan(
  operation: string,
  method: CallPlan['method'],
  user: string,
  path: GraphPath,
  options: CallOptions | undefined,
  roles: readonly string[],
): CallPlan & { headers: Record<string, string> } {
  return {
    operation,
    method,
    ...path,
    headers: { prefer: 'outlook.timezone="UTC"' },
    area: 'exchange',
    roles,
    user,
    isIdempotent: method !== 'POST',
    signal: options?.signal,
    maxTries: options?.maxTries,
    onRequestId: options?.onRequestId,
  };
}
