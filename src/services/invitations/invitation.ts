import { INVITATION_HTML } from '../../generated/invitation-html.ts';
import type { Meeting, StoredAttendee } from '../meetings/meeting.ts';
import { type CalendarPurpose, renderCalendarFile } from './calendar-file.ts';
import { compileTemplate } from './mail-template.ts';
import { oneLine } from './one-line.ts';
import { formatWhen, formatZone } from './times.ts';
import { type InvitationWords, wordsFor } from './words.ts';

export type InvitationMethod = 'REQUEST' | 'CANCEL';

export interface Invitation {
  subject: string;
  html: string;
  text: string;
  /** RFC 5545 with METHOD:REQUEST, or CANCEL once the meeting is cancelled. */
  ics: string;
}

export interface InvitationOptions {
  /** An IANA name that has been checked. */
  timeZone: string;
  /** A BCP 47 tag that has been checked. */
  locale: string;
  /** The revision that the calendar file tells; default: the meeting's own. */
  sequence?: number;
}

const PLACE = 'Microsoft Teams';

const html = compileTemplate(INVITATION_HTML, [
  'language',
  'title',
  'place',
  'subject',
  'notice',
  'whenLabel',
  'when',
  'zone',
  'organizerLabel',
  'organizer',
  'description',
  'later',
  'join',
  'joinUrl',
  'linkHint',
]);

/** Whether a meeting is taken out of calendars: Microsoft may still hold it while it is being cancelled. */
export function isCalledOff({ status }: Pick<Meeting, 'status'>): boolean {
  return status === 'CANCELLED' || status === 'CANCELLING';
}

/** The method of a meeting's calendar file, as it is now. */
export function methodOf(meeting: Pick<Meeting, 'status'>): InvitationMethod {
  return isCalledOff(meeting) ? 'CANCEL' : 'REQUEST';
}

function noticeOf(purpose: CalendarPurpose, words: InvitationWords): string {
  if (purpose === 'cancel') return words.cancelledNotice;
  return purpose === 'uninvite' ? words.removedNotice : '';
}

function render(
  purpose: CalendarPurpose,
  meeting: Meeting,
  attendees: StoredAttendee[],
  { timeZone, locale, sequence = meeting.version }: InvitationOptions,
): Invitation {
  const { language, words } = wordsFor(locale);
  const plain = oneLine(meeting.subject);
  const subject = purpose === 'invite' ? plain : `${words.cancelled}${plain}`;
  const when = formatWhen(meeting.startsAt, meeting.endsAt, timeZone, locale);
  const zone = formatZone(meeting.startsAt, timeZone, locale);
  const organizer = oneLine(meeting.organizerDisplayName ?? '') || meeting.organizerUpn;
  const description = purpose === 'invite' ? (meeting.description ?? '').trim() : '';
  const joinUrl = purpose === 'invite' ? (meeting.joinUrl ?? '') : '';
  const notice = noticeOf(purpose, words);
  const later = purpose === 'invite' && joinUrl === '' ? words.joinLinkFollows : '';
  const paragraphs = [
    plain,
    notice,
    `${words.when}: ${when}\n${words.timeZone}: ${zone}\n${words.organizer}: ${organizer}`,
    description,
    joinUrl === '' ? later : `${words.join}: ${joinUrl}`,
  ];
  return {
    subject,
    html: html({
      language,
      title: subject,
      place: PLACE,
      subject: plain,
      notice,
      whenLabel: words.when,
      when,
      zone,
      organizerLabel: words.organizer,
      organizer,
      description,
      later,
      join: words.join,
      joinUrl,
      linkHint: words.linkHint,
    }),
    text: `${paragraphs.filter((paragraph) => paragraph !== '').join('\n\n')}\n`,
    ics: renderCalendarFile({ purpose, meeting, attendees, sequence }),
  };
}

/**
 * What is sent to the people of a meeting: an invitation, or the cancellation once the meeting is called off. Times
 * are written in the recipient's zone and language; the words are English where there is no translation.
 */
export function renderInvitation(
  meeting: Meeting,
  attendees: StoredAttendee[],
  options: InvitationOptions,
): Invitation {
  return render(isCalledOff(meeting) ? 'cancel' : 'invite', meeting, attendees, options);
}

/** What is sent to somebody who is no longer among the attendees: a cancellation that names nobody else. */
export function renderRemoval(meeting: Meeting, removed: StoredAttendee, options: InvitationOptions): Invitation {
  return render('uninvite', meeting, [removed], options);
}
