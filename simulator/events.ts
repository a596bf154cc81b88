import type { Json } from './errors.ts';
import { GraphFailure, itemNotFound } from './errors.ts';
import { applyEventChange, newEvent, revealMeeting } from './event-changes.ts';
import { eventFilters } from './event-filter.ts';
import { propertyFailure, readEventInput } from './event-input.ts';
import type { EventPreferences } from './event-view.ts';
import { etagOf, eventIdFor, eventPreferences, eventView } from './event-view.ts';
import { expandedProperties } from './extended-properties.ts';
import type { UserCall } from './graph-call.ts';
import { contextUrl, jsonBody, option, optionalJsonBody } from './graph-call.ts';
import { isEventIdShape } from './ids.ts';
import { mailTo } from './mail.ts';
import type { CalendarEvent } from './mailbox.ts';
import { addEvent, removeEvent } from './mailbox.ts';
import { select } from './odata.ts';
import { pageOf } from './paging.ts';
import type { Answer } from './serve.ts';
import { mailboxOf } from './state.ts';

/** `POST /users/{id}/events`: 201. A repeated transactionId answers with the first event or is refused. */
export function createEvent(call: UserCall): Answer {
  const json = jsonBody(call);
  const preferences = eventPreferences(call);
  const input = readEventInput(json);
  const fingerprint = canonical(json);
  const mailbox = mailboxOf(call.world, call.user);
  const earlier = rememberedTransaction(call, input.transactionId);
  if (earlier !== undefined) {
    if (earlier.isRemoved || earlier.createFingerprint !== fingerprint)
      throw duplicateTransaction(earlier, preferences);
    return eventAnswer(call, 201, earlier, preferences);
  }
  if (input.start === undefined || input.end === undefined) {
    throw propertyFailure('At least one property failed validation: start and end are required.');
  }
  const event = newEvent(call.world, call.user, { ...input, start: input.start, end: input.end }, fingerprint);
  addEvent(mailbox, event);
  mailTo(call.world, call.user, event, event.attendees, 'invitation');
  return eventAnswer(call, 201, event, preferences);
}

/** `GET /users/{id}/events/{id}`. Each GET brings a delayed join link nearer. */
export function getEvent(call: UserCall): Answer {
  const preferences = eventPreferences(call);
  const event = eventInPath(call);
  const answer = eventAnswer(call, 200, event, preferences);
  revealMeeting(call.world, call.user, event);
  return answer;
}

/** `PATCH /users/{id}/events/{id}`: 200 with the whole event; only what was sent changes. */
export function updateEvent(call: UserCall): Answer {
  const input = readEventInput(jsonBody(call));
  const preferences = eventPreferences(call);
  const event = eventInPath(call);
  checkIfMatch(call, event);
  if (input.transactionId !== undefined && input.transactionId !== event.transactionId) {
    throw propertyFailure('The property transactionId can be set on create only.');
  }
  applyEventChange(call.world, call.user, event, input);
  return eventAnswer(call, 200, event, preferences);
}

/** How long Exchange remembers a transactionId after its event is gone is not documented. */
function rememberedTransaction(call: UserCall, transactionId: string | undefined): CalendarEvent | undefined {
  const earlier = mailboxOf(call.world, call.user).byTransaction.get(transactionId ?? '');
  return earlier?.isRemoved && call.world.behaviour.transactionMemory === 'untilDeleted' ? undefined : earlier;
}

/** `DELETE /users/{id}/events/{id}`: 204; attendees get a cancellation. */
export function deleteEvent(call: UserCall): Answer {
  const event = eventInPath(call);
  checkIfMatch(call, event);
  const mailbox = mailboxOf(call.world, call.user);
  if (event.isRemoved) mailbox.deleted.delete(event.immutableId);
  else {
    mailTo(call.world, call.user, event, event.attendees, 'cancellation');
    removeEvent(mailbox, event);
  }
  return { status: 204 };
}

/** `POST /users/{id}/events/{id}/cancel`: 202; the event leaves the calendar. Refused for an event without attendees. */
export function cancelEvent(call: UserCall): Answer {
  const comment = commentOf(optionalJsonBody(call));
  const event = eventInPath(call);
  if (event.attendees.length === 0) {
    throw new GraphFailure(
      400,
      'ErrorInvalidRequest',
      "Your request can't be completed. Only a meeting with attendees can be cancelled.",
    );
  }
  mailTo(call.world, call.user, event, event.attendees, 'cancellation', comment);
  removeEvent(mailboxOf(call.world, call.user), event);
  return { status: 202 };
}

/** Parameters of an action are named without regard to case. */
function commentOf(json: Json): string | null {
  const [name, value] = Object.entries(json)[0] ?? [];
  if (name === undefined || value === null) return null;
  if (Object.keys(json).length > 1 || name.toLowerCase() !== 'comment' || typeof value !== 'string') {
    throw new GraphFailure(400, 'RequestBodyRead', 'The action cancel takes a comment, which is a string.');
  }
  return value;
}

/** `GET /users/{id}/events`: ten a page, filtered and expanded as `eventFilters` and `expandedProperties` can. */
export function listEvents(call: UserCall): Answer {
  const preferences = eventPreferences(call);
  const filters = eventFilters(call);
  const expanded = expandedProperties(call);
  const matching = mailboxOf(call.world, call.user).events.filter((event) => filters.every((holds) => holds(event)));
  const page = pageOf(call, ordered(call, matching), 10);
  return {
    status: 200,
    headers: preferences.headers,
    body: {
      '@odata.context': contextUrl(call, `users('${encodeURIComponent(call.params.user ?? '')}')/events`),
      ...(option(call, '$count') === 'true' ? { '@odata.count': matching.length } : {}),
      value: page.items.map((event) => ({
        ...select(call, eventView(call, event, preferences), 'event', ['id']),
        ...expanded(event),
      })),
      ...(page.nextLink === undefined ? {} : { '@odata.nextLink': page.nextLink }),
    },
  };
}

function eventInPath(call: UserCall): CalendarEvent {
  const id = call.params.event ?? '';
  if (!isEventIdShape(id)) throw new GraphFailure(400, 'ErrorInvalidIdMalformed', 'Id is malformed.');
  const { byId, deleted } = mailboxOf(call.world, call.user);
  // Whether an item in Deleted Items is still read by its immutable id is not documented.
  const event = byId.get(id) ?? (call.world.behaviour.deletedItems === 'readable' ? deleted.get(id) : undefined);
  if (event === undefined) throw itemNotFound();
  return event;
}

function checkIfMatch(call: UserCall, event: CalendarEvent): void {
  const wanted = call.headers['if-match'];
  if (call.world.behaviour.ifMatch === 'ignored') return;
  if (wanted === undefined || wanted === '*' || wanted === etagOf(event)) return;
  throw new GraphFailure(
    412,
    'ErrorIrresolvableConflict',
    'The send or update operation could not be performed because the change key passed in the request does not match ' +
      'the current change key for the item.',
  );
}

function eventAnswer(call: UserCall, status: number, event: CalendarEvent, preferences: EventPreferences): Answer {
  const view = eventView(call, event, preferences);
  const path = `users('${encodeURIComponent(call.params.user ?? '')}')/events`;
  const location = `${call.baseUrl}/v1.0/${path}('${encodeURIComponent(eventIdFor(event, preferences))}')`;
  return {
    status,
    headers: { ...preferences.headers, etag: etagOf(event), ...(status === 201 ? { location } : {}) },
    body: {
      '@odata.context': contextUrl(call, `${path}/$entity`),
      ...(call.method === 'GET' && option(call, '$select') === undefined ? { '@microsoft.graph.tips': TIP } : {}),
      ...select(call, view, 'event', ['id']),
      ...(call.method === 'GET' ? expandedProperties(call)(event) : {}),
    },
  };
}

const TIP =
  "This request only returns a subset of the resource's properties. Your app will need to use $select to return non-default properties.";

function duplicateTransaction(earlier: CalendarEvent, preferences: EventPreferences): GraphFailure {
  return new GraphFailure(
    400,
    'ErrorDuplicateTransactionId',
    "Your request can't be completed. The TransactionId specified in the request has already been used to create a " +
      'different event.',
    { extra: { '@event.existingEventId': eventIdFor(earlier, preferences) } },
  );
}

function ordered(call: UserCall, events: CalendarEvent[]): CalendarEvent[] {
  const order = option(call, '$orderby')?.trim();
  if (order === undefined) return events;
  const match = /^(start|end)\/dateTime(?:\s+(asc|desc))?$/i.exec(order);
  if (match === null) {
    throw new GraphFailure(400, 'ErrorInvalidUrlQuery', `The query option $orderby=${order} is not supported.`);
  }
  const side = match[1]?.toLowerCase() === 'end' ? 'end' : 'start';
  const sign = match[2]?.toLowerCase() === 'desc' ? -1 : 1;
  return [...events].sort((a, b) => sign * (a[side].instant.getTime() - b[side].instant.getTime()));
}

/** JSON with sorted keys, so that the same content compares equal whatever its order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part as Json).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
