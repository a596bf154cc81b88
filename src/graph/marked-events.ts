import { z } from 'zod';
import { GraphRequestError } from './errors.ts';
import { EXPAND_MARKERS, MARKER_READ_ROLES, markerFilter } from './event-markers.ts';
import { EVENT_FIELDS, EVENTS_PATH, eventPlan } from './event-plan.ts';
import { event, type WireEvent } from './event-wire.ts';
import { listAll } from './paging.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { CallOptions, GraphEvents } from './types.ts';

type ListedEvent = WireEvent & { id: string };

const listedEvent: z.ZodType<ListedEvent> = z
  .unknown()
  .pipe(event)
  .transform((wire) => ({ ...wire, id: wire.event.id }));

const PAGE_SIZE = 100;

/**
 * Finds events by the markers that their create gave them. Microsoft Learn: singlevaluelegacyextendedproperty-get,
 * user-list-events.
 */
export function markedEvents(requests: GraphRequests): Pick<GraphEvents, 'findByMeeting' | 'listMarked'> {
  function list(
    operation: string,
    user: string,
    filter: string,
    options: CallOptions | undefined,
  ): Promise<ListedEvent[]> {
    const { path, template } = graphPath(EVENTS_PATH, { user });
    const query = `$filter=${encodeURIComponent(filter)}&$select=${EVENT_FIELDS}&${EXPAND_MARKERS}&$top=${PAGE_SIZE}`;
    const plan = eventPlan(operation, 'GET', user, { path: `${path}?${query}`, template }, options, MARKER_READ_ROLES);
    return listAll(requests, plan, listedEvent);
  }

  return {
    findByMeeting: async (user, markers, options) => {
      const found = await list('events.findByMeeting', user, markerFilter('meetingId', markers.meetingId), options);
      // The filter knows no case, and a shared mailbox holds the events of other tenants.
      return found
        .filter((one) => one.markers.tenantId === markers.tenantId && one.markers.meetingId === markers.meetingId)
        .map((one) => one.event);
    },

    listMarked: async (user, tenantId, options) => {
      const { startsFrom, startsBefore } = options;
      const marker = markerFilter('tenantId', tenantId);
      const range = `start/dateTime ge '${utcText(startsFrom)}' and start/dateTime lt '${utcText(startsBefore)}'`;
      const found = await list('events.listMarked', user, `${marker} and ${range}`, options).catch((error: unknown) => {
        // That a marker can be combined with other conditions is not documented.
        if (!(error instanceof GraphRequestError) || error.kind !== 'INVALID_REQUEST') throw error;
        return list('events.listMarked', user, marker, options);
      });
      return found
        .filter(({ markers, event: { startsAt } }) => {
          return markers.tenantId === tenantId && startsAt >= startsFrom && startsAt < startsBefore;
        })
        .map(({ event, markers: { meetingId, subject } }) => ({ event, meetingId, subject }));
    },
  };
}

function utcText(date: Date): string {
  return date.toISOString();
}
