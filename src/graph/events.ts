import { z } from 'zod';
import { calendarChanges } from './calendar-changes.ts';
import { GraphRequestError } from './errors.ts';
import { markerProperties } from './event-markers.ts';
import { EVENT_FIELDS, EVENT_PATH, EVENT_READ_ROLES, EVENT_WRITE_ROLES, EVENTS_PATH, eventPlan } from './event-plan.ts';
import { event, eventBody, isAwaitingJoinUrl, type WireEvent } from './event-wire.ts';
import { markedEvents } from './marked-events.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { CallOptions, GraphCalendar, GraphEvent, GraphEvents } from './types.ts';
import { optionalText } from './wire.ts';

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

/**
 * Calendar events that carry a Teams meeting. Microsoft Learn: user-post-events, event-get, event-update, event-delete,
 * event-cancel.
 */
export function eventsClient(requests: GraphRequests): GraphEvents {
  function read(user: string, eventId: string, fields: string, options: CallOptions | undefined): Promise<WireEvent> {
    const { path, template } = graphPath(EVENT_PATH, { user, event: eventId });
    return requests.json(
      eventPlan('events.get', 'GET', user, { path: `${path}?$select=${fields}`, template }, options, EVENT_READ_ROLES),
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
        latest = { ...(await read(user, created.event.id, EVENT_FIELDS, options)), provider: created.provider };
      } catch (error) {
        if (error instanceof GraphRequestError) break;
        throw error;
      }
    }
    return { ...latest.event, bodyHtml: created.event.bodyHtml };
  }

  async function get(user: string, eventId: string, options: Parameters<GraphEvents['get']>[2]): Promise<GraphEvent> {
    const fields = options?.includeBody ? `${EVENT_FIELDS},body` : EVENT_FIELDS;
    return (await read(user, eventId, fields, options)).event;
  }

  return {
    defaultCalendar: async (user, options) => {
      const { path, template } = graphPath('/users/{user}/calendar', { user });
      const selected = {
        path: `${path}?$select=id,allowedOnlineMeetingProviders,defaultOnlineMeetingProvider`,
        template,
      };
      return requests.json(
        eventPlan('events.defaultCalendar', 'GET', user, selected, options, EVENT_READ_ROLES),
        calendar,
      );
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
          ...eventPlan('events.create', 'POST', user, graphPath(EVENTS_PATH, { user }), options, EVENT_WRITE_ROLES),
          body,
          // The transactionId makes Exchange answer a repeated create with the first event.
          isIdempotent: draft.transactionId !== '',
        },
        event,
      );
      return withJoinUrl(user, created, options);
    },

    get,

    update: async (user, eventId, change, options) => {
      const body = eventBody(change);
      if (Object.keys(body).length === 0) return (await read(user, eventId, EVENT_FIELDS, options)).event;
      const path = graphPath(EVENT_PATH, { user, event: eventId });
      const plan = eventPlan('events.update', 'PATCH', user, path, options, EVENT_WRITE_ROLES);
      if (options?.ifMatch !== undefined) plan.headers['if-match'] = options.ifMatch;
      const updated = await requests.json({ ...plan, body }, event);
      return updated.event;
    },

    delete: async (user, eventId, options) => {
      const path = graphPath(EVENT_PATH, { user, event: eventId });
      await unlessGone(requests.send(eventPlan('events.delete', 'DELETE', user, path, options, EVENT_WRITE_ROLES)));
    },

    cancel: async (user, eventId, comment, options) => {
      const path = graphPath(`${EVENT_PATH}/cancel`, { user, event: eventId });
      const plan = eventPlan('events.cancel', 'POST', user, path, options, EVENT_WRITE_ROLES);
      // Repeating it is harmless: the event is gone after the first time, and nobody is mailed twice.
      await unlessGone(requests.send({ ...plan, body: comment === null ? {} : { comment }, isIdempotent: true }));
    },

    ...markedEvents(requests),
    changes: calendarChanges(requests, get),
  };
}

/** An event that is not there any more needs no removal. */
async function unlessGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    // A 404 without a code is some gateway's, and says nothing about the event.
    if (error instanceof GraphRequestError && error.kind === 'NOT_FOUND' && error.code !== null) return;
    throw error;
  }
}
