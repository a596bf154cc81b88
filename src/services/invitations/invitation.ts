import ical, { ICalAttendeeRole, ICalAttendeeStatus, ICalCalendarMethod, ICalEventStatus } from 'ical-generator';
import { escapeHtml } from '../meetings/event-draft.ts';
import type { Meeting, StoredAttendee } from '../meetings/meeting.ts';

export interface Invitation {
  subject: string;
  html: string;
  text: string;
  /** RFC 5545 with METHOD:REQUEST, or CANCEL once the meeting is cancelled. */
  ics: string;
}

const PARTICIPATION: Record<StoredAttendee['response'], ICalAttendeeStatus> = {
  NONE: ICalAttendeeStatus.NEEDSACTION,
  TENTATIVE: ICalAttendeeStatus.TENTATIVE,
  ACCEPTED: ICalAttendeeStatus.ACCEPTED,
  DECLINED: ICalAttendeeStatus.DECLINED,
};

function formatTimes(meeting: Meeting, timeZone: string, locale: string): string {
  const format = new Intl.DateTimeFormat([locale, 'en'], { dateStyle: 'full', timeStyle: 'short', timeZone });
  return `${format.formatRange(meeting.startsAt, meeting.endsAt)} (${timeZone})`;
}

function renderIcs(meeting: Meeting, attendees: StoredAttendee[]): string {
  const isCancelled = meeting.status === 'CANCELLED';
  const calendar = ical({
    method: isCancelled ? ICalCalendarMethod.CANCEL : ICalCalendarMethod.REQUEST,
    prodId: { company: 'Teams meetings', product: 'Subgraph' },
  });
  const event = calendar.createEvent({
    id: meeting.iCalUid ?? `${meeting.id}@teams-meetings`,
    start: meeting.startsAt,
    end: meeting.endsAt,
    stamp: meeting.updatedAt,
    sequence: meeting.version,
    summary: meeting.subject,
    location: 'Microsoft Teams Meeting',
    organizer: { name: meeting.organizerDisplayName ?? meeting.organizerUpn, email: meeting.organizerUpn },
    status: isCancelled ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
  });
  if (meeting.joinUrl !== null) {
    event.url(meeting.joinUrl);
    event.description(`Join Teams Meeting: ${meeting.joinUrl}`);
  }
  for (const attendee of attendees) {
    event.createAttendee({
      email: attendee.emailAddress,
      name: attendee.name ?? attendee.emailAddress,
      role: ICalAttendeeRole.REQ,
      status: PARTICIPATION[attendee.response],
    });
  }
  return calendar.toString();
}

/**
 * What is sent to the people of a meeting. Times are written in the recipient's zone and language; words are
 * English.
 *
 * @param timeZone an IANA name that has been checked
 * @param locale a BCP 47 tag that has been checked
 */
export function renderInvitation(
  meeting: Meeting,
  attendees: StoredAttendee[],
  timeZone: string,
  locale: string,
): Invitation {
  const when = formatTimes(meeting, timeZone, locale);
  const { joinUrl, subject } = meeting;
  const isCancelled = meeting.status === 'CANCELLED';
  const lines = [
    subject,
    when,
    isCancelled
      ? 'This meeting was cancelled.'
      : joinUrl === null
        ? 'The join link follows.'
        : `Join Teams Meeting: ${joinUrl}`,
  ];
  const button =
    joinUrl === null
      ? `<p>${escapeHtml(lines[2] ?? '')}</p>`
      : `<p><a href="${escapeHtml(joinUrl)}" style="display:inline-block;padding:12px 24px;background:#4f52b2;color:#ffffff;text-decoration:none">Join Teams Meeting</a></p>`;
  return {
    subject: isCancelled ? `Cancelled: ${subject}` : subject,
    html: `<h1>${escapeHtml(subject)}</h1><p>${escapeHtml(when)}</p>${button}`,
    text: lines.join('\n'),
    ics: renderIcs(meeting, attendees),
  };
}
