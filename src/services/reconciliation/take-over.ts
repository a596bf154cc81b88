import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphClient, GraphEvent } from '../../graph/types.ts';
import { newResponses, storeResponses } from '../attendees/responses.ts';
import { appendAudit } from '../audit/audit.ts';
import { after } from '../meetings/lifecycle.ts';
import type { Meeting } from '../meetings/meeting.ts';
import type { MeetingListener } from '../meetings/meeting-listener.ts';
import { attendeesOf, isLeased, lockMeeting } from '../meetings/sync/claim.ts';
import { isMoved, lastingEnd } from '../meetings/sync/event-difference.ts';
import type { Scope, ServiceTools } from '../scope.ts';

/** Takes over what somebody did to a meeting's event in Outlook. `seen` is what a list said of it, if anything. */
export type TakeOver = (
  scope: Scope,
  graph: GraphClient,
  organizerId: string,
  meeting: Meeting,
  seen: GraphEvent | null,
) => Promise<void>;

const MINUTE_MS = 60_000;

/** An event that is gone or cancelled. */
const GONE = 'gone';

export function makeTakeOver(listeners: readonly MeetingListener[], tools: ServiceTools): TakeOver {
  /**
   * That an event can be read by its id does not say that it is in the calendar: in Deleted Items it keeps its immutable
   * id. So one that the list no longer holds is looked for by its marker as well, which searches the calendar alone; and
   * since imported meetings have none, also among the events of the time at which it takes place.
   */
  async function read(
    graph: GraphClient,
    organizerId: string,
    eventId: string,
    markers: { tenantId: string; meetingId: string },
    isListed: boolean,
  ): Promise<GraphEvent | typeof GONE> {
    try {
      const event = await graph.events.get(organizerId, eventId);
      if (event.isCancelled) return GONE;
      if (isListed) return event;
      const isThere = ({ id }: GraphEvent) => id === event.id;
      if ((await graph.events.findByMeeting(organizerId, markers)).some(isThere)) return event;
      const from = new Date(event.startsAt.getTime() - MINUTE_MS);
      const times = { from, until: lastingEnd(event), deltaLink: null };
      return (await graph.events.changes(organizerId, times)).changed.some(isThere) ? event : GONE;
    } catch (error) {
      if (error instanceof GraphRequestError && error.isItemGone) return GONE;
      throw error;
    }
  }

  /** Whether the list says anything that has to be looked at; most events only say what is known. */
  function isNews(meeting: Meeting, seen: GraphEvent | null): boolean {
    return seen === null || seen.isCancelled || isMoved(seen, meeting);
  }

  /** Nobody wants anything else of it, and nobody is at it: then what Outlook says counts. */
  function isQuiet(row: Meeting, meeting: Meeting): boolean {
    return row.version === meeting.version && row.version === row.syncedVersion && !isLeased(row, tools.clock());
  }

  async function store(
    scope: Scope,
    meeting: Meeting,
    event: GraphEvent | typeof GONE,
  ): Promise<'moved' | 'deleted' | null> {
    return scope.db.transaction(async (prisma) => {
      const row = await lockMeeting(prisma, meeting.id);
      if (row === null || row.status !== 'SCHEDULED' || !isQuiet(row, meeting)) return null;
      // An imported meeting may have the id that changes when its event is moved to another folder.
      if (event !== GONE && event.id !== row.graphEventId)
        await prisma.onlineMeeting.updateMany({ where: { id: row.id }, data: { graphEventId: event.id } });
      if (event !== GONE && !isMoved(event, row)) return null;
      const kind = event === GONE ? 'deleted' : 'moved';
      const version = row.version + 1;
      await prisma.onlineMeeting.updateMany({
        where: { id: row.id },
        data: {
          version,
          syncedVersion: version,
          updatedAt: tools.clock(),
          ...(event === GONE
            ? { status: after(row.status, 'deleted'), joinUrl: null, cancelReason: 'The event was deleted in Outlook.' }
            : { startsAt: event.startsAt, endsAt: lastingEnd(event) }),
        },
      });
      await appendAudit(prisma, tools, scope.viewer, {
        operation: 'reconcile',
        meetingId: row.id,
        outcome: kind,
        detail: { version },
      });
      const changed = await prisma.onlineMeeting.findFirstOrThrow({ where: { id: row.id } });
      const change = { kind: event === GONE ? 'cancelled' : 'updated', meeting: changed } as const;
      for (const listener of listeners) await listener(prisma, scope, change);
      return kind;
    });
  }

  return async (scope, graph, organizerId, meeting, seen) => {
    if (seen !== null) {
      await scope.db.run(async (prisma) => {
        const stored = await attendeesOf(prisma, meeting.id);
        await storeResponses(prisma, newResponses(stored, seen.attendees));
      });
    }
    if (meeting.graphEventId === null || !isNews(meeting, seen)) return;
    const markers = { tenantId: scope.db.tenantId, meetingId: meeting.id };
    const event = await read(graph, organizerId, meeting.graphEventId, markers, seen !== null);
    const kind = await store(scope, meeting, event);
    if (kind === null) return;
    tools.metrics.driftFound(kind);
    const fields = { tenantId: scope.db.tenantId, meetingId: meeting.id, outcome: kind };
    tools.logger.info(fields, '[TeamsMeetings] operation=reconcile');
  };
}
