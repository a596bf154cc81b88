import { z } from 'zod';
import { calendarChanges } from './calendar-changes.ts';
import type { CallPlan } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { MEETING_MARKER, markerProperties, meetingFilter, tenantFilter } from './event-markers.ts';
import { event, eventBody, isAwaitingJoinUrl, type WireEvent } from './event-wire.ts';
import { listAll } from './paging.ts';
import { type GraphPath, graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { CallOptions, GraphCalendar, GraphClient, GraphEvent } from './types.ts';
import { optionalText } from './wire.ts';

const WRITE_ROLES = ['Calendars.ReadWrite'];
const READ_ROLES = ['Calendars.ReadBasic', 'Calendars.ReadBasic.All', 'Calendars.Read', 'Calendars.ReadWrite'];

const EVENTS = '/users/{user}/events';
const EVENT = '/users/{user}/events/{event}';
const FIELDS = 'id,iCalUId,subject,start,end,isOnlineMeeting,onlineMeetingProvider,onlineMeeting,isCancelled,attendees';

/** Pauses before the reads that look for a join link which the create did not bring. */
const JOIN_URL_WAITS_MS = [500, 1_000, 2_000];

const calendar: z.ZodType<GraphCalendar> = z.object({
  id: z.string(),
  allowedOnlineMeetingProviders: z
    .array(z.string())
    .nullish()
    .transform((providers) => providers ?? []),
  defaultOnlineMeetingProvider: optionalText,
});

/** Calendar events that carry a Teams meeting. Microsoft Learn: user-post-events, event-get, event-update. */
export function eventsClient(requests: GraphRequests): GraphClient['events'] {
  function read(user: string, eventId: string, fields: string, options: CallOptions | undefined): Promise<WireEvent> {
    const { path, template } = graphPath(EVENT, { user, event: eventId });
    return requests.json(
      plan('events.get', 'GET', user, { path: `${path}?$select=${fields}`, template }, options, READ_ROLES),
      event,
    );
  }

  /**
   * Exchange may attach the Teams meeting a little later than it answers. The event exists by then, so a failing
   * read is no failure of the create: the event goes back without a link.
   */
  async function withJoinUrl(user: string, created: WireEvent, options: CallOptions | undefined): Promise<GraphEvent> {
    let latest = created;
    for (const waitMs of JOIN_URL_WAITS_MS) {
      if (!isAwaitingJoinUrl(latest)) break;
      await requests.limits.sleep(waitMs, options?.signal);
      try {
        latest = { ...(await read(user, created.event.id, FIELDS, options)), provider: created.provider };
      } catch (error) {
        if (error instanceof GraphRequestError) break;
        throw error;
      }
    }
    return { ...latest.event, bodyHtml: created.event.bodyHtml };
  }

  return {
    defaultCalendar: async (user, options) => {
      const { path, template } = graphPath('/users/{user}/calendar', { user });
      const selected = {
        path: `${path}?$select=id,allowedOnlineMeetingProviders,defaultOnlineMeetingProvider`,
        template,
      };
      return requests.json(plan('events.defaultCalendar', 'GET', user, selected, options, READ_ROLES), calendar);
    },

    create: async (user, draft, options) => {
      const body = {
        ...eventBody(draft),
        body: { contentType: 'HTML', content: draft.bodyHtml },
        isOnlineMeeting: true,
        onlineMeetingProvider: 'teamsForBusiness',
        transactionId: draft.transactionId,
        ...(draft.markers === undefined ? {} : { singleValueExtendedProperties: markerProperties(draft.markers) }),
      };
      const created = await requests.json(
        {
          ...plan('events.create', 'POST', user, graphPath(EVENTS, { user }), options, WRITE_ROLES),
          body,
          // The transactionId makes Exchange answer a repeated create with the first event.
          isIdempotent: draft.transactionId !== '',
        },
        event,
      );
      return withJoinUrl(user, created, options);
    },

    get: async (user, eventId, options) => {
      const fields = options?.includeBody ? `${FIELDS},body` : FIELDS;
      return (await read(user, eventId, fields, options)).event;
    },

    update: async (user, eventId, change, options) => {
      const body = eventBody(change);
      if (Object.keys(body).length === 0) return (await read(user, eventId, FIELDS, options)).event;
      const path = graphPath(EVENT, { user, event: eventId });
      const updated = await requests.json(
        withIfMatch({ ...plan('events.update', 'PATCH', user, path, options, WRITE_ROLES), body }, options?.ifMatch),
        event,
      );
      return updated.event;
    },

    cancel: (user, eventId, comment, options) => {
      const path = graphPath(`${EVENT}/cancel`, { user, event: eventId });
      const body = comment === null ? {} : { comment };
      const call = { ...plan('events.cancel', 'POST', user, path, options, WRITE_ROLES), body, isIdempotent: true };
      return untilGone(requests.send(call));
    },

    findByMeeting: async (user, markers, options) => {
      const found = await listAll(
        requests,
        listPlan('events.findByMeeting', user, meetingFilter(markers), options),
        listed,
      );
      return found.map(({ event: found }) => found);
    },

    listMarked: async (user, tenantId, options) => {
      const { startsFrom, startsBefore } = options;
      const marked = tenantFilter(tenantId);
      const range = `start/dateTime ge '${startsFrom.toISOString()}' and start/dateTime lt '${startsBefore.toISOString()}'`;
      const list = (filter: string) => listAll(requests, listPlan('events.listMarked', user, filter, options), listed);
      let found: ListedEvent[];
      try {
        found = await list(`${marked} and ${range}`);
      } catch (error) {
        // Whether Graph takes both in one filter is not documented.
        if (!(error instanceof GraphRequestError) || error.kind !== 'INVALID_REQUEST') throw error;
        found = (await list(marked)).filter(
          ({ event: { startsAt } }) => startsAt >= startsFrom && startsAt < startsBefore,
        );
      }
      return found.map(({ event: found, meetingId }) => ({ event: found, meetingId }));
    },

    changes: (user, window, options) =>
      calendarChanges(requests, (path) => plan('events.changes', 'GET', user, path, options, READ_ROLES), user, window),

    delete: async (user, eventId, options) => {
      const path = graphPath(EVENT, { user, event: eventId });
      await untilGone(requests.send(plan('events.delete', 'DELETE', user, path, options, WRITE_ROLES)));
    },
  };
}

/** What is gone already needs no removal. A 404 without a code is some gateway's, and says nothing about the event. */
async function untilGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!(error instanceof GraphRequestError) || error.kind !== 'NOT_FOUND' || error.code === null) throw error;
  }
}

function withIfMatch(call: CallPlan, etag: string | undefined): CallPlan {
  return etag === undefined ? call : { ...call, headers: { ...call.headers, 'if-match': etag } };
}

type ListedEvent = WireEvent & { id: string };

/** Pages are put together by id, which a listed event therefore has outside as well. */
const listed: z.ZodType<ListedEvent> = event.transform((wire) => ({ ...wire, id: wire.event.id }));

function listPlan(operation: string, user: string, filter: string, options: CallOptions | undefined): CallPlan {
  const { path, template } = graphPath(EVENTS, { user });
  const query = `$filter=${encodeURIComponent(filter)}&$expand=${encodeURIComponent(MEETING_MARKER)}&$top=50`;
  return plan(operation, 'GET', user, { path: `${path}?${query}`, template }, options, READ_ROLES);
}

function plan(
  operation: string,
  method: CallPlan['method'],
  user: string,
  path: GraphPath,
  options: CallOptions | undefined,
  roles: readonly string[],
): CallPlan {
  return {
    operation,
    method,
    ...path,
    headers: { prefer: 'outlook.timezone="UTC"' },
    area: 'exchange',
    roles,
    user,
    isIdempotent: method !== 'POST',
    signal: options?.signal,
    maxTries: options?.maxTries,
  };
}
