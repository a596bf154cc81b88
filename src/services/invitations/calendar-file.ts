import ical, { ICalAttendeeRole, ICalAttendeeStatus, ICalCalendarMethod, ICalEventStatus } from 'ical-generator';
import type { Meeting, StoredAttendee } from '../meetings/meeting.ts';
import { oneLine } from './one-line.ts';

const PARTICIPATION: Record<StoredAttendee['response'], ICalAttendeeStatus> = {
  NONE: ICalAttendeeStatus.NEEDSACTION,
  TENTATIVE: ICalAttendeeStatus.TENTATIVE,
  ACCEPTED: ICalAttendeeStatus.ACCEPTED,
  DECLINED: ICalAttendeeStatus.DECLINED,
};

/** What a calendar file is to do: invite, take the meeting out of the calendar, or do so for some attendees only. */
export type CalendarPurpose = 'invite' | 'cancel' | 'uninvite';

export interface CalendarFile {
  purpose: CalendarPurpose;
  meeting: Meeting;
  attendees: StoredAttendee[];
  sequence: number;
}

/**
 * A name as a parameter. Quoted semicolons and backslashes are allowed there (RFC 5545, 3.2), but some programs take
 * what follows the one for the next parameter, and the other for an escape.
 */
function nameOf(name: string | null, address: string): string {
  return (
    oneLine(name ?? '')
      .replaceAll(';', ',')
      .replaceAll('\\', '/') || address
  );
}

/**
 * Writes a meeting's calendar file (RFC 5545, and RFC 5546 for what each method holds), in UTC.
 *
 * The UID is Exchange's own where there is one, so that a calendar that knows the meeting already does not show it
 * twice; it stays the same over the meeting's life, as nothing is sent before Exchange has answered.
 */
export function renderCalendarFile({ purpose, meeting, attendees, sequence }: CalendarFile): string {
  const calendar = ical({
    method: purpose === 'invite' ? ICalCalendarMethod.REQUEST : ICalCalendarMethod.CANCEL,
    prodId: { company: 'Teams meetings', product: 'Subgraph' },
  });
  const event = calendar.createEvent({
    id: meeting.iCalUid ?? `${meeting.id}@teams-meetings`,
    start: meeting.startsAt,
    end: meeting.endsAt,
    stamp: meeting.updatedAt,
    sequence,
    summary: oneLine(meeting.subject),
    location: 'Microsoft Teams Meeting',
    organizer: { name: nameOf(meeting.organizerDisplayName, meeting.organizerUpn), email: meeting.organizerUpn },
  });
  if (purpose === 'invite') event.status(ICalEventStatus.CONFIRMED);
  // RFC 5546, 3.2.5: a CANCEL for some attendees only must not carry a status, the meeting itself takes place.
  if (purpose === 'cancel') event.status(ICalEventStatus.CANCELLED);
  if (purpose === 'invite' && meeting.joinUrl !== null) {
    event.url(meeting.joinUrl);
    event.description(`Join Teams Meeting: ${meeting.joinUrl}`);
  }
  for (const attendee of attendees) {
    event.createAttendee({
      email: attendee.emailAddress,
      name: nameOf(attendee.name, attendee.emailAddress),
      role: ICalAttendeeRole.REQ,
      status: PARTICIPATION[attendee.response],
    });
  }
  return calendar.toString();
}
