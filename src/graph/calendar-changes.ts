import { z } from 'zod';
import type { CallPlan } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { EVENT_READ_ROLES, eventPlan } from './event-plan.ts';
import { event } from './event-wire.ts';
import { unanswered } from './network-failure.ts';
import { leadsToGraph, MAX_PAGES } from './paging.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphEvent, GraphEvents } from './types.ts';

/** One item of a round, as it came last; null for a removed one. */
type RoundItems = Map<string, Record<string, unknown> | null>;

interface Round {
  items: RoundItems;
  deltaLink: string;
}

const page = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.string().nullish(),
  '@odata.deltaLink': z.string().nullish(),
});
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
    const { items, deltaLink } = continued ?? (await readRound(requests, plan, undefined));
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

/** The round that a stored link begins; null when the link is of no use any more. */
async function continuedRound(requests: GraphRequests, plan: CallPlan, deltaLink: string): Promise<Round | null> {
  // A link of another cloud or of an address that is no longer configured. The token stays with Graph.
  if (!leadsToGraph(deltaLink, requests)) return null;
  try {
    return await readRound(requests, plan, deltaLink);
  } catch (error) {
    if (error instanceof GraphRequestError && isStale(error)) return null;
    throw error;
  }
}

/** Microsoft documents 410 for a token that it has forgotten; 400 and 404 have been seen for unreadable ones. */
function isStale({ kind, status }: GraphRequestError): boolean {
  return status === 410 || (status === 404 && kind === 'NOT_FOUND') || (status === 400 && kind === 'INVALID_REQUEST');
}

async function readRound(requests: GraphRequests, plan: CallPlan, link: string | undefined): Promise<Round> {
  const items: RoundItems = new Map();
  let url = link;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const answer = await requests.json({ ...plan, url }, page);
    for (const value of answer.value) note(items, value);
    const deltaLink = answer['@odata.deltaLink'];
    if (deltaLink) return { items, deltaLink };
    const nextLink = answer['@odata.nextLink'];
    if (!nextLink) throw unanswered('UNKNOWN', `${plan.operation}: a page has neither a nextLink nor a deltaLink`);
    if (!leadsToGraph(nextLink, requests)) {
      throw unanswered('UNKNOWN', `${plan.operation}: a page's nextLink leads away from Microsoft Graph`);
    }
    url = nextLink;
  }
  throw unanswered('UNKNOWN', `${plan.operation}: more than ${MAX_PAGES} pages`);
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
