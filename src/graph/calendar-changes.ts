import { z } from 'zod';
import type { CallPlan } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { event } from './event-wire.ts';
import { unanswered } from './network-failure.ts';
import { type GraphPath, graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { CalendarChanges, GraphEvent } from './types.ts';

const MAX_PAGES = 500;

const removed = z.object({ id: z.string(), '@removed': z.object({}).loose() }).transform(({ id }) => ({ id }));
/** An item that says too little to be read as an event only names one. */
const named = z.object({ id: z.string() }).transform(({ id }) => ({ id }));

const page = z.object({
  value: z.array(z.union([removed, event, named])),
  '@odata.nextLink': z.string().nullish(),
  '@odata.deltaLink': z.string().nullish(),
});

interface Window {
  from: Date;
  until: Date;
  deltaLink: string | null;
}

/** Microsoft has forgotten what it told: 410 `SyncStateNotFound`, and 400 or 404 for a token it cannot read. */
function isForgotten(error: unknown): boolean {
  return error instanceof GraphRequestError && [400, 404, 410].includes(error.status ?? 0);
}

/** Reads a calendar by its delta function. Links are sent as they come and must lead to Graph; repeated items count once. */
export async function calendarChanges(
  requests: GraphRequests,
  planOf: (path: GraphPath) => CallPlan,
  user: string,
  { from, until, deltaLink }: Window,
): Promise<CalendarChanges> {
  const { path, template } = graphPath('/users/{user}/calendarView/delta', { user });
  const fresh = `${path}?startDateTime=${from.toISOString()}&endDateTime=${until.toISOString()}`;

  async function read(firstLink: string | null): Promise<CalendarChanges> {
    const changed = new Map<string, GraphEvent>();
    const removedIds = new Set<string>();
    const base = planOf({ path: fresh, template });
    const headers = { ...base.headers, prefer: 'outlook.timezone="UTC", odata.maxpagesize=50' };
    let url = firstLink ?? undefined;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      if (url !== undefined) refuseForeign(url, requests.graphBaseUrl);
      const answer = await requests.json({ ...base, headers, url }, page);
      for (const item of answer.value) {
        if ('event' in item) {
          changed.set(item.event.id, item.event);
          removedIds.delete(item.event.id);
        } else {
          changed.delete(item.id);
          removedIds.add(item.id);
        }
      }
      const next = answer['@odata.nextLink'] || undefined;
      const delta = answer['@odata.deltaLink'] || undefined;
      if (next === undefined) {
        if (delta === undefined) throw unanswered('UNKNOWN', 'events.changes: the last page has no deltaLink');
        const isFullRead = firstLink === null;
        return { changed: [...changed.values()], removedIds: [...removedIds], deltaLink: delta, isFullRead };
      }
      url = next;
    }
    throw unanswered('UNKNOWN', `events.changes: more than ${MAX_PAGES} pages`);
  }

  try {
    return await read(deltaLink);
  } catch (error) {
    if (deltaLink === null || !isForgotten(error)) throw error;
    return read(null);
  }
}

/** The token goes to Graph and nowhere else. */
function refuseForeign(link: string, graphBaseUrl: string): void {
  if (URL.canParse(link) && new URL(link).origin === new URL(graphBaseUrl).origin) return;
  throw unanswered('UNKNOWN', 'events.changes: a link leads away from Microsoft Graph');
}
