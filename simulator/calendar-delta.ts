import { calendarViewContext, isInWindow, windowOf } from './calendar-view.ts';
import type { Json } from './errors.ts';
import { GraphFailure } from './errors.ts';
import type { EventPreferences } from './event-view.ts';
import { eventIdFor, eventPreferences, eventView } from './event-view.ts';
import type { UserCall } from './graph-call.ts';
import { option } from './graph-call.ts';
import type { Mailbox } from './mailbox.ts';
import type { Answer } from './serve.ts';
import { mailboxOf } from './state.ts';

/** Where a round of change tracking stands. Opaque to the client, inside `$skiptoken` and `$deltatoken`. */
interface DeltaState {
  /** The mailbox's present epoch; states of an earlier one are forgotten. */
  epoch: string;
  from: string;
  until: string;
  /** The change up to which the client knows the calendar; null: it knows nothing yet. */
  since: number | null;
  /** The change up to which this round tells; what comes later belongs to the next round. */
  upTo: number;
  /** The change up to which this round has told already. */
  after: number;
}

interface DeltaItem {
  version: number;
  view(): Json;
}

const NOT_SUPPORTED = ['$orderby', '$filter', '$select', '$expand', '$search'];
const PAGE_SIZE = 50;

/**
 * `GET /users/{id}/calendarView/delta`. The first round tells all events in the window, a later one what changed.
 * Deleted events are `@removed`, and so is every changed event outside the window. Source: Microsoft Learn, event-delta.
 * That a token which is not known is a 410 `SyncStateNotFound` is an assumption.
 */
export function calendarDelta(call: UserCall): Answer {
  const refused = NOT_SUPPORTED.filter((name) => option(call, name) !== undefined);
  if (refused.length > 0) {
    throw new GraphFailure(
      400,
      'ErrorInvalidUrlQuery',
      `The following parameters are not supported with change tracking over the 'CalendarView' resource: '${refused.join(', ')}'.`,
    );
  }
  const preferences = eventPreferences(call);
  const mailbox = mailboxOf(call.world, call.user);
  const state = stateOf(call, mailbox);
  const size = pageSize(call);
  const isEmptyPage = option(call, '$skiptoken') === undefined && call.world.behaviour.paging.emptyPageFirst === true;
  const left = itemsOf(call, mailbox, state, preferences);
  const items = isEmptyPage ? [] : left.slice(0, size);
  const isLast = !isEmptyPage && items.length === left.length;
  return {
    status: 200,
    headers: preferenceHeaders(call, preferences),
    body: {
      '@odata.context': `${calendarViewContext(call)}/$delta`,
      value: items.map((item) => item.view()),
      ...(isLast
        ? { '@odata.deltaLink': link(call, '$deltatoken', { ...state, since: state.upTo, after: state.upTo }) }
        : { '@odata.nextLink': link(call, '$skiptoken', { ...state, after: items.at(-1)?.version ?? state.after }) }),
    },
  };
}

/** What the round has still to tell, in the order of the changes: so no change between two pages moves an item. */
function itemsOf(call: UserCall, mailbox: Mailbox, state: DeltaState, preferences: EventPreferences): DeltaItem[] {
  const window = { from: new Date(state.from), until: new Date(state.until) };
  const items: DeltaItem[] = [];
  for (const event of mailbox.events) {
    const id = eventIdFor(event, preferences);
    if (isInWindow(event, window)) {
      items.push({ version: event.version, view: () => eventView(call, event, preferences) });
    } else if (state.since !== null) {
      items.push({ version: event.version, view: () => removed(id) });
    }
  }
  for (const { version, defaultId, immutableId } of state.since === null ? [] : mailbox.tombstones) {
    const id = preferences.immutableId ? immutableId : defaultId;
    if (id !== null) items.push({ version, view: () => removed(id) });
  }
  return items
    .filter(({ version }) => version > state.after && version <= state.upTo)
    .sort((a, b) => a.version - b.version);
}

function removed(id: string): Json {
  return { id, '@removed': { reason: 'deleted' } };
}

/** The state in the call's token, or that of a first round. A delta token begins a round that ends now. */
function stateOf(call: UserCall, mailbox: Mailbox): DeltaState {
  const skipToken = option(call, '$skiptoken');
  const deltaToken = option(call, '$deltatoken');
  if (skipToken !== undefined) return decode(skipToken, mailbox);
  if (deltaToken !== undefined) return { ...decode(deltaToken, mailbox), upTo: mailbox.version };
  const { from, until } = windowOf(call);
  return {
    epoch: mailbox.deltaEpoch,
    from: from.toISOString(),
    until: until.toISOString(),
    since: null,
    upTo: mailbox.version,
    after: 0,
  };
}

function link(call: UserCall, name: '$skiptoken' | '$deltatoken', state: DeltaState): string {
  const token = Buffer.from(JSON.stringify(state)).toString('base64url');
  return `${call.baseUrl}${call.path}?${name}=${token}`;
}

/** Tokens are only ever made here, so one that carries the mailbox's epoch has the whole shape. */
function decode(token: string, mailbox: Mailbox): DeltaState {
  try {
    const state = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as DeltaState;
    if (state.epoch === mailbox.deltaEpoch) return state;
  } catch {
    // Told below.
  }
  throw new GraphFailure(410, 'SyncStateNotFound', 'The sync state generation is not found; begin afresh.');
}

function pageSize(call: UserCall): number {
  const asked = Number(call.prefer.get('odata.maxpagesize') ?? PAGE_SIZE);
  const size = Number.isSafeInteger(asked) && asked > 0 ? asked : PAGE_SIZE;
  return Math.min(size, call.world.behaviour.paging.pageSize ?? size);
}

function preferenceHeaders(call: UserCall, { headers }: EventPreferences): Record<string, string> {
  const size = call.prefer.get('odata.maxpagesize');
  if (size === undefined) return headers;
  const applied = [headers['preference-applied'], `odata.maxpagesize=${size}`].filter((one) => one !== undefined);
  return { ...headers, 'preference-applied': applied.join(', ') };
}
