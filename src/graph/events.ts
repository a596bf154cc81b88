import { z } from 'zod';
import type { CallPlan } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { event, eventBody, isAwaitingJoinUrl, type WireEvent } from './event-wire.ts';
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
        { ...plan('events.update', 'PATCH', user, path, options, WRITE_ROLES), body },
        event,
      );
      return updated.event;
    },

    delete: async (user, eventId, options) => {
      const path = graphPath(EVENT, { user, event: eventId });
      try {
        await requests.send(plan('events.delete', 'DELETE', user, path, options, WRITE_ROLES));
      } catch (error) {
        // A 404 without a code is some gateway's, and says nothing about the event.
        if (error instanceof GraphRequestError && error.kind === 'NOT_FOUND' && error.code !== null) return;
        throw error;
      }
    },
  };
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
  };
}
