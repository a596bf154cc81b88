import { z } from 'zod';
import { continuedRound, readRound } from './delta-round.ts';
import { GraphRequestError } from './errors.ts';
import { EVENT_READ_ROLES, eventPlan } from './event-plan.ts';
import { event } from './event-wire.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphEvent, GraphEvents } from './types.ts';

/** One item of a round, as it came last; null for a removed one. */
type RoundItems = Map<string, Record<string, unknown> | null>;

const item = z.looseObject({ id: z.string().min(1) });

/** What an item must have to stand for the whole event: an update may bring the changed properties only. */
const COMPLETE = ['subject', 'start', 'end', 'isCancelled', 'isOnlineMeeting', 'onlineMeeting', 'attendees'];

/**
 * Follows a calendar's changes. Microsoft Learn: event-delta (no `$select`, `$expand`, `$filter`; the links carry the
 * window), delta-query-overview (links are opaque, an id may come more than once, updates may be partial, 410 means
 * begin afresh).
 */
export function calendarChanges(
  requests: GraphRequests,
  readEvent: (user: string, eventId: string, options: Parameters<GraphEvents['get']>[2]) => Promise<GraphEvent>,
): GraphEvents['changes'] {
  return async (user, window, options) => {
    const { path, template } = graphPath('/users/{user}/calendarView/delta', { user });
    const query = `startDateTime=${encodeURIComponent(window.from.toISOString())}&endDateTime=${encodeURIComponent(window.until.toISOString())}`;
    const calendar = { path: `${path}?${query}`, template };
    const plan = eventPlan('events.changes', 'GET', user, calendar, options, EVENT_READ_ROLES);
    plan.headers.prefer += ', odata.maxpagesize=50';

    const continued = window.deltaLink === null ? null : await continuedRound(requests, plan, window.deltaLink);
    const { values, deltaLink } = continued ?? (await readRound(requests, plan));
    const items: RoundItems = new Map();
    for (const value of values) note(items, value);
    const changed: GraphEvent[] = [];
    const removedIds: string[] = [];
    for (const [id, fields] of items) {
      const outcome = fields === null ? 'removed' : await eventOf(fields, () => readEvent(user, id, options));
      if (outcome === 'removed') removedIds.push(id);
      else if (outcome !== 'unreadable') changed.push(outcome);
    }
    return { changed, removedIds, deltaLink, isFullRead: continued === null };
  };
}

function note(items: RoundItems, value: unknown): void {
  const { success, data } = item.safeParse(value);
  if (!success || data.type === 'occurrence') return;
  items.delete(data.id);
  items.set(data.id, data['@removed'] === undefined ? data : null);
}

async function eventOf(
  fields: Record<string, unknown>,
  read: () => Promise<GraphEvent>,
): Promise<GraphEvent | 'removed' | 'unreadable'> {
  const parsed = COMPLETE.every((name) => name in fields) ? event.safeParse(fields) : undefined;
  if (parsed?.success) return { ...parsed.data.event, bodyHtml: '' };
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof GraphRequestError)) throw error;
    if (error.kind === 'NOT_FOUND') return 'removed';
    // Trying again would not help, and one odd event must not hold up the calendar for good.
    if (error.kind === 'INVALID_REQUEST' || error.kind === 'UNKNOWN') return 'unreadable';
    throw error;
  }
}
