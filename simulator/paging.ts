import { badRequest } from './errors.ts';
import { option } from './graph-call.ts';
import type { ServedCall } from './serve.ts';

export interface Page<Item> {
  items: Item[];
  /** Absolute and opaque; absent on the last page. */
  nextLink?: string;
}

const MAX_TOP = 1000;

/**
 * One page of a list by `$top`, `$skip` and the simulator's own `$skiptoken`. A list may begin with an empty page
 * that has a nextLink, as Graph's do now and then. Throws 400 for a token or number that is none.
 */
export function pageOf<Item>(call: ServedCall, all: Item[], defaultSize: number): Page<Item> {
  const paging = call.world.behaviour.paging;
  const token = option(call, '$skiptoken');
  const top = wholeNumber(call, '$top', MAX_TOP);
  const size = top ?? paging.pageSize ?? defaultSize;
  const offset = token === undefined ? (wholeNumber(call, '$skip', Number.MAX_SAFE_INTEGER) ?? 0) : decode(token);
  if (token === undefined && paging.emptyPageFirst) return { items: [], nextLink: nextLink(call, offset) };
  const end = offset + size;
  const items = all.slice(offset, end);
  return end < all.length ? { items, nextLink: nextLink(call, end) } : { items };
}

function wholeNumber(call: ServedCall, name: string, max: number): number | undefined {
  const text = option(call, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) throw badRequest(`Invalid value '${text}' for ${name} query option found.`);
  return value;
}

function nextLink(call: ServedCall, offset: number): string {
  const query = new URLSearchParams(
    [...call.query].filter(([name]) => !['$skiptoken', '$skip'].includes(name.toLowerCase())),
  );
  query.set('$skiptoken', Buffer.from(JSON.stringify({ after: offset })).toString('base64url'));
  return `${call.baseUrl}${call.path}?${query}`;
}

function decode(token: string): number {
  try {
    const { after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { after: unknown };
    if (typeof after === 'number' && Number.isSafeInteger(after) && after >= 0) return after;
  } catch {
    // Told below.
  }
  throw badRequest('Skip token is invalid.');
}
