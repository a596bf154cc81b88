import type { GraphEvent, GraphEventDraft } from '../../../graph/types.ts';
import type { Meeting, StoredAttendee } from '../meeting.ts';
import { checkSubject } from '../meeting-input.ts';

export type EventChange = Partial<Pick<GraphEventDraft, 'subject' | 'startsAt' | 'endsAt' | 'attendees'>>;

/** Exchange need not keep fractions of a second. */
function sameSecond(a: Date, b: Date): boolean {
  return Math.trunc(a.getTime() / 1000) === Math.trunc(b.getTime() / 1000);
}

const SHORTEST_MS = 60_000;

/** When a meeting of these times ends here: an event in Outlook may take no time at all, a meeting takes some. */
export function lastingEnd({ startsAt, endsAt }: Pick<GraphEvent, 'startsAt' | 'endsAt'>): Date {
  return endsAt > startsAt ? endsAt : new Date(startsAt.getTime() + SHORTEST_MS);
}

/** Whether the event takes place at other times than the meeting is to. */
export function isMoved(event: GraphEvent, meeting: Meeting): boolean {
  return !sameSecond(event.startsAt, meeting.startsAt) || !sameSecond(lastingEnd(event), meeting.endsAt);
}

/** What the event says that a meeting's row says, too. */
export type EventContent = Pick<Meeting, 'subject' | 'startsAt' | 'endsAt'>;

/** What the meeting is to say so that it says what its event does; its own subject where the event has none. */
export function contentOf(event: GraphEvent, meeting: Meeting): EventContent {
  const subject = checkSubject(event.subject).subject || meeting.subject;
  return { subject, startsAt: event.startsAt, endsAt: lastingEnd(event) };
}

const key = (address: string) => address.trim().toLowerCase();

/**
 * The full list that Exchange is to have, or null when it has it. The list replaces the stored one (Microsoft Learn:
 * event-update), so those whom somebody else added, in Outlook or by forwarding, stay on it.
 */
function attendeesFor(event: GraphEvent, attendees: readonly StoredAttendee[]): GraphEventDraft['attendees'] | null {
  const present = new Set(event.attendees.map(({ emailAddress }) => key(emailAddress)));
  const removed = new Set(attendees.filter(({ isRemoved }) => isRemoved).map(({ emailAddress }) => key(emailAddress)));
  const missing = attendees.filter(({ emailAddress, isRemoved }) => !isRemoved && !present.has(key(emailAddress)));
  const kept = event.attendees.filter(({ emailAddress }) => !removed.has(key(emailAddress)));
  if (missing.length === 0 && kept.length === event.attendees.length) return null;
  return [...kept, ...missing].map(({ emailAddress, name }) => ({ emailAddress, name }));
}

/**
 * What has to be sent to make the event what is wanted; null when it is already. Start and end go together, and the
 * body is never among it: replacing it would take Teams' join block out (Microsoft Learn: event-update).
 */
export function changeOf(
  event: GraphEvent,
  meeting: Meeting,
  attendees: readonly StoredAttendee[],
): EventChange | null {
  const change: EventChange = {};
  if (event.subject !== meeting.subject) change.subject = meeting.subject;
  if (isMoved(event, meeting)) Object.assign(change, { startsAt: meeting.startsAt, endsAt: meeting.endsAt });
  if (meeting.sendsInvites) {
    const list = attendeesFor(event, attendees);
    if (list !== null) change.attendees = list;
  }
  return Object.keys(change).length === 0 ? null : change;
}
