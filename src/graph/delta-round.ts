import { z } from 'zod';
import type { CallPlan } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { unanswered } from './network-failure.ts';
import { leadsToGraph, MAX_PAGES } from './paging.ts';
import type { GraphRequests } from './requests.ts';

/** All pages of one round of change tracking. */
export interface DeltaRound {
  /** In the order in which they came; an id may come more than once. */
  values: unknown[];
  /** Begins the next round. */
  deltaLink: string;
}

const page = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.string().nullish(),
  '@odata.deltaLink': z.string().nullish(),
});

/** The round that a stored link begins; null when the link is of no use any more. */
export async function continuedRound(
  requests: GraphRequests,
  plan: CallPlan,
  deltaLink: string,
): Promise<DeltaRound | null> {
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

/**
 * Reads a round from its beginning, or from where `link` stands, to its deltaLink. Links are opaque and sent as they
 * come (Microsoft Learn: delta-query-overview); an empty page with a nextLink does not end the round.
 */
export async function readRound(requests: GraphRequests, plan: CallPlan, link?: string): Promise<DeltaRound> {
  const values: unknown[] = [];
  const seenLinks = new Set<string>();
  let url = link;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const answer = await requests.json({ ...plan, url }, page);
    values.push(...answer.value);
    const deltaLink = answer['@odata.deltaLink'];
    if (deltaLink) return { values, deltaLink };
    const nextLink = answer['@odata.nextLink'];
    if (!nextLink) throw unanswered('UNKNOWN', `${plan.operation}: a page has neither a nextLink nor a deltaLink`);
    if (!leadsToGraph(nextLink, requests)) {
      throw unanswered('UNKNOWN', `${plan.operation}: a page's nextLink leads away from Microsoft Graph`);
    }
    if (seenLinks.has(nextLink)) throw unanswered('UNKNOWN', `${plan.operation}: the pages lead in a circle`);
    seenLinks.add(nextLink);
    url = nextLink;
  }
  throw unanswered('UNKNOWN', `${plan.operation}: more than ${MAX_PAGES} pages`);
}
