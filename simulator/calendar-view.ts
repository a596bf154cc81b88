import { GraphFailure, type Json } from './errors.ts';
import { eventIdFor, eventPreferences, eventView } from './event-view.ts';
import type { UserCall } from './graph-call.ts';
import { contextUrl, option } from './graph-call.ts';
import type { CalendarEvent } from './mailbox.ts';
import { select } from './odata.ts';
import { pageOf } from './paging.ts';
import type { Answer } from './serve.ts';
import { mailboxOf } from './state.ts';

interface Window {
  from: number;
  until: number;
}

/** Where a round of delta stands: what has been told, and up to where the changes of this round go. */
interface Token extends Window {
  epoch: number;
  since: number;
  upTo: number;
  offset: number;
}

const PAGE_SIZE = 10;

function refuse(message: string): GraphFailure {
  return new GraphFailure(400, 'ErrorInvalidParameter', message);
}

function instant(call: UserCall, name: string): number {
  const text = option(call, name);
  if (text === undefined)
    throw refuse(`This request requires a time window specified by the query string parameter ${name}.`);
  const time = new Date(/(Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`).getTime();
  if (Number.isNaN(time)) throw refuse(`The value '${text}' of parameter '${name}' is invalid.`);
  return time;
}

function isIn({ from, until }: Window, event: CalendarEvent): boolean {
  return event.start.instant.getTime() < until && event.end.instant.getTime() > from;
}

/** `GET /users/{id}/calendarView`: the events that overlap the window. */
export function listCalendarView(call: UserCall): Answer {
  const preferences = eventPreferences(call);
  const window = { from: instant(call, 'startDateTime'), until: instant(call, 'endDateTime') };
  const events = mailboxOf(call.world, call.user).events.filter((event) => isIn(window, event));
  const page = pageOf(call, events, PAGE_SIZE);
  return {
    status: 200,
    headers: preferences.headers,
    body: {
      '@odata.context': contextUrl(call, `users('${encodeURIComponent(call.params.user ?? '')}')/calendarView`),
      value: page.items.map((event) => select(call, eventView(call, event, preferences), 'event', ['id'])),
      ...(page.nextLink === undefined ? {} : { '@odata.nextLink': page.nextLink }),
    },
  };
}

/**
 * `GET /users/{id}/calendarView/delta`: all of the window at first, then what changed. Events that left the window are
 * told as removed, like deleted ones. Source: Microsoft Learn, event-delta.
 */
export function calendarViewDelta(call: UserCall): Answer {
  for (const name of ['$select', '$expand', '$filter', '$orderby', '$search']) {
    if (option(call, name) !== undefined) {
      throw new GraphFailure(
        400,
        'ErrorInvalidUrlQuery',
        `The following parameters are not supported with change tracking: '${name}'.`,
      );
    }
  }
  const preferences = eventPreferences(call);
  const mailbox = mailboxOf(call.world, call.user);
  const token = tokenOf(call) ?? {
    from: instant(call, 'startDateTime'),
    until: instant(call, 'endDateTime'),
    epoch: call.world.behaviour.deltaEpoch,
    since: -1,
    upTo: mailbox.sequence,
    offset: 0,
  };
  const isNew = ({ sequence }: { sequence: number }) => sequence > token.since;
  const present = mailbox.events.filter((event) => isNew(event) && (token.since >= 0 || isIn(token, event)));
  const gone = token.since < 0 ? [] : mailbox.removals.filter(isNew).map(({ event }) => event);
  const items: Json[] = [
    ...present.map((event) =>
      isIn(token, event) ? eventView(call, event, preferences) : removed(eventIdFor(event, preferences)),
    ),
    ...gone.map((event) => removed(eventIdFor(event, preferences))),
  ];
  const size = Number(call.prefer.get('odata.maxpagesize') ?? call.world.behaviour.paging.pageSize ?? PAGE_SIZE);
  const isEmptyFirst = token.offset === 0 && (call.world.behaviour.paging.emptyPageFirst ?? false);
  const end = isEmptyFirst ? 0 : token.offset + size;
  const isLast = !isEmptyFirst && end >= items.length;
  const link = isLast
    ? { '@odata.deltaLink': linkTo(call, '$deltatoken', { ...token, since: token.upTo, offset: 0 }) }
    : { '@odata.nextLink': linkTo(call, '$skiptoken', { ...token, offset: isEmptyFirst ? -1 : end }) };
  return {
    status: 200,
    headers: preferences.headers,
    body: {
      '@odata.context': contextUrl(call, 'Collection(event)'),
      value: isEmptyFirst ? [] : items.slice(Math.max(token.offset, 0), end),
      ...link,
    },
  };
}

function removed(id: string): Json {
  return { '@odata.type': '#microsoft.graph.event', id, '@removed': { reason: 'deleted' } };
}

function linkTo(call: UserCall, name: string, token: Token): string {
  const text = Buffer.from(JSON.stringify(token)).toString('base64url');
  return `${call.baseUrl}${call.path}?${name}=${text}`;
}

/** A round that goes on sees what was there when it began; a new one begins with the changes of today. */
function tokenOf(call: UserCall): Token | null {
  const skip = option(call, '$skiptoken');
  const text = skip ?? option(call, '$deltatoken');
  if (text === undefined) return null;
  const forgotten = new GraphFailure(410, 'SyncStateNotFound', 'The sync state generation is not found.');
  let token: Token;
  try {
    token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Token;
  } catch {
    throw forgotten;
  }
  if (token.epoch !== call.world.behaviour.deltaEpoch) throw forgotten;
  return skip === undefined ? { ...token, upTo: mailboxOf(call.world, call.user).sequence } : token;
}
