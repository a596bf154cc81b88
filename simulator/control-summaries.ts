import type { EventSummary, MeetingSummary } from './control-types.ts';
import { propertiesByName } from './extended-properties.ts';
import type { CalendarEvent } from './mailbox.ts';
import type { OnlineMeeting } from './meeting-store.ts';
import type { World } from './state.ts';

/** An event as the control API tells it. */
export function eventSummary(world: World, event: CalendarEvent): EventSummary {
  return {
    id: event.defaultId,
    immutableId: event.immutableId,
    iCalUId: event.iCalUId,
    subject: event.subject,
    startsAt: event.start.instant.toISOString(),
    endsAt: event.end.instant.toISOString(),
    attendees: event.attendees.map(({ address, name, response }) => ({ address, name, response })),
    isOnlineMeeting: event.isOnlineMeeting,
    joinUrl: world.meetings.byId.get(event.meetingId ?? '')?.joinWebUrl ?? null,
    meetingId: event.meetingId,
    transactionId: event.transactionId,
    extendedProperties: propertiesByName(event),
    bodyHtml: event.bodyHtml,
  };
}

/** A meeting as the control API tells it; `events` are its organizer's. */
export function meetingSummary(meeting: OnlineMeeting, events: CalendarEvent[]): MeetingSummary {
  return {
    id: meeting.id,
    organizerId: meeting.organizerId,
    eventId: events.find((event) => event.meetingId === meeting.id)?.defaultId ?? null,
    subject: meeting.subject,
    joinWebUrl: meeting.joinWebUrl,
    startsAt: meeting.startsAt.toISOString(),
    endsAt: meeting.endsAt.toISOString(),
    expiresAt: meeting.expiresAt.toISOString(),
    recordingIds: meeting.recordings.map((one) => one.id),
    transcriptIds: meeting.transcripts.map((one) => one.id),
  };
}
