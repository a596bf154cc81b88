import { GraphFailure } from './errors.ts';
import { eventPreferences, eventView } from './event-view.ts';
import { expandedProperties } from './extended-properties.ts';
import type { UserCall } from './graph-call.ts';
import { contextUrl, option } from './graph-call.ts';
import type { CalendarEvent } from './mailbox.ts';
import { select } from './odata.ts';
import { pageOf } from './paging.ts';
import type { Answer } from './serve.ts';
import { mailboxOf } from './state.ts';

/** A range of time of a calendar; an event that overlaps it is in it. */
export interface CalendarWindow {
  from: Date;
  until: Date;
}

/** `GET /users/{id}/calendarView`: the events of a range of time, by start. Source: Microsoft Learn, user-list-calendarview. */
export function listCalendarView(call: UserCall): Answer {
  const preferences = eventPreferences(call);
  const window = windowOf(call);
  const expanded = expandedProperties(call);
  const events = mailboxOf(call.world, call.user)
    .events.filter((event) => isInWindow(event, window))
    .sort((a, b) => a.start.instant.getTime() - b.start.instant.getTime());
  const page = pageOf(call, events, 10);
  return {
    status: 200,
    headers: preferences.headers,
    body: {
      '@odata.context': calendarViewContext(call),
      value: page.items.map((event) => ({
        ...select(call, eventView(call, event, preferences), 'event', ['id']),
        ...expanded(event),
      })),
      ...(page.nextLink === undefined ? {} : { '@odata.nextLink': page.nextLink }),
    },
  };
}

export function calendarViewContext(call: UserCall): string {
  return contextUrl(call, `users('${encodeURIComponent(call.params.user ?? '')}')/calendarView`);
}

/** The window that the call asks for; times without an offset are UTC. Throws 400 without one. */
export function windowOf(call: UserCall): CalendarWindow {
  const from = instant(option(call, 'startDateTime'));
  const until = instant(option(call, 'endDateTime'));
  if (from === null || until === null) {
    throw invalidParameter(
      'This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.',
    );
  }
  if (until < from) throw invalidParameter('The end of the time window must not be earlier than its start.');
  return { from, until };
}

export function isInWindow(event: CalendarEvent, { from, until }: CalendarWindow): boolean {
  return event.start.instant < until && event.end.instant > from;
}

function instant(text: string | undefined): Date | null {
  const date = new Date(/(Z|[+-]\d{2}:\d{2})$/i.test(text ?? '') ? (text ?? '') : `${text}Z`);
  return text === undefined || Number.isNaN(date.getTime()) ? null : date;
}

function invalidParameter(message: string): GraphFailure {
  return new GraphFailure(400, 'ErrorInvalidParameter', message);
}
