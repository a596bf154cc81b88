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
  const pages = new Pages<T>();
  const page = pageOf(item);
  let url: string | undefined;
  do url = pages.take(await requests.json({ ...plan, url }, page), plan, requests);
  while (url !== undefined);
  return pages.items;
}

export interface Page<T> {
  value: T[];
  nextLink: string | null;
}

/** A page of a collection of such items. */
export function pageOf<T>(item: z.ZodType<T>): z.ZodType<Page<T>> {
  return z
    .object({ value: z.array(item), '@odata.nextLink': z.string().nullish() })
    .transform(({ value, '@odata.nextLink': nextLink }) => ({ value, nextLink: nextLink || null }));
}

/** A collection in the course of being read. */
export class Pages<T extends { id: string }> {
  readonly #items = new Map<string, T>();
  readonly #seenLinks = new Set<string>();

  get items(): T[] {
    return [...this.#items.values()];
  }

  /**
   * Adds what the page has that is new.
   * @returns the link to the next page; undefined when the collection is complete.
   * @throws GraphRequestError when the link leads away from Graph, or is one too many.
   */
  take({ value, nextLink }: Page<T>, { operation }: CallPlan, requests: GraphRequests): string | undefined {
    for (const entry of value) if (!this.#items.has(entry.id)) this.#items.set(entry.id, entry);
    if (nextLink === null || this.#seenLinks.has(nextLink)) return undefined;
    if (!leadsToGraph(nextLink, requests)) {
      throw unanswered('UNKNOWN', `${operation}: a page's nextLink leads away from Microsoft Graph`);
    }
    this.#seenLinks.add(nextLink);
    if (this.#seenLinks.size >= MAX_PAGES) throw unanswered('UNKNOWN', `${operation}: more than ${MAX_PAGES} pages`);
    return nextLink;
  }
}

/** Whether a link may be called with our token. */
export function leadsToGraph(link: string, { graphBaseUrl }: GraphRequests): boolean {
  return URL.canParse(link) && new URL(link).origin === new URL(graphBaseUrl).origin;
}
