import { z } from 'zod';
import type { CallPlan } from './call.ts';
import { unanswered } from './network-failure.ts';
import type { GraphRequests } from './requests.ts';

export const MAX_PAGES = 500;

/**
 * Reads a whole collection. Links to further pages are opaque and sent as they come (Microsoft Learn: paging); an
 * empty page with a link does not end the list; an item that appears again is left out (Microsoft Learn:
 * known-issues, paging that restarts); a link seen before ends it.
 * @throws GraphRequestError, also when a link leads away from Graph, so that the token stays there.
 */
export async function listAll<T extends { id: string }>(
  requests: GraphRequests,
  plan: CallPlan,
  item: z.ZodType<T>,
): Promise<T[]> {
  const page = z.object({ value: z.array(item), '@odata.nextLink': z.string().nullish() });
  const items = new Map<string, T>();
  const seenLinks = new Set<string>();
  let url: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const { value, '@odata.nextLink': nextLink } = await requests.json({ ...plan, url }, page);
    for (const entry of value) if (!items.has(entry.id)) items.set(entry.id, entry);
    if (nextLink == null || nextLink === '' || seenLinks.has(nextLink)) return [...items.values()];
    if (!leadsToGraph(nextLink, requests)) {
      throw unanswered('UNKNOWN', `${plan.operation}: a page's nextLink leads away from Microsoft Graph`);
    }
    seenLinks.add(nextLink);
    url = nextLink;
  }
  throw unanswered('UNKNOWN', `${plan.operation}: more than ${MAX_PAGES} pages`);
}

/** Whether a link may be called with our token. */
export function leadsToGraph(link: string, { graphBaseUrl }: GraphRequests): boolean {
  return URL.canParse(link) && new URL(link).origin === new URL(graphBaseUrl).origin;
}
