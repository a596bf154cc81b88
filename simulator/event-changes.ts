import { hasJoinBlock, withJoinBlock, wrapBody } from './event-body.ts';
import type { EventInput } from './event-input.ts';
import { checkOrder } from './event-input.ts';
import { newChangeKey, newDefaultEventId, newICalUId, newImmutableEventId } from './ids.ts';
import { mailTo, missingFrom } from './mail.ts';
import type { Attendee, CalendarEvent } from './mailbox.ts';
import { addEvent, touchEvent } from './mailbox.ts';
import { extendExpiry } from './meeting-store.ts';
import { newMeeting } from './meetings.ts';
import type { User, World } from './state.ts';
import { mailboxOf } from './state.ts';

/** Makes an event, with its Teams meeting where one is asked for and the calendar allows it. Does not store it. */
export function newEvent(
  world: World,
  user: User,
  input: EventInput & Required<Pick<EventInput, 'start' | 'end'>>,
  createFingerprint: string,
): CalendarEvent {
  checkOrder(input.start, input.end);
  const now = world.clock.now();
  const event: CalendarEvent = {
    defaultId: newDefaultEventId(),
    immutableId: newImmutableEventId(),
    changeKey: newChangeKey(),
    iCalUId: newICalUId(),
    version: 0,
    createdAt: now,
    modifiedAt: now,
    transactionId: input.transactionId ?? null,
    createFingerprint,
    isRemoved: false,
    subject: input.subject ?? '',
    bodyHtml: wrapBody(input.body?.contentType ?? 'html', input.body?.content ?? ''),
    start: input.start,
    end: input.end,
    attendees: input.attendees ?? [],
    isOnlineMeeting: false,
    onlineMeetingProvider: 'unknown',
    meetingId: null,
    isMeetingAttached: false,
    hiddenGets: 0,
    plain: input.plain,
    extendedProperties: new Map(input.extendedProperties?.map(({ id, value }) => [id, value])),
  };
  if (input.isOnlineMeeting) attachMeeting(world, user, event, input.onlineMeetingProvider);
  return event;
}

/** Puts a copy into the calendar, without an online meeting and without the transaction of its create. */
export function copyEvent(
  world: World,
  user: User,
  { start, end, attendees, plain, ...event }: CalendarEvent,
): CalendarEvent {
  const { subject, extendedProperties } = event;
  const properties = [...extendedProperties].map(([id, value]) => ({ id, value }));
  const copy = newEvent(world, user, { subject, start, end, attendees, plain, extendedProperties: properties }, '');
  addEvent(mailboxOf(world, user), copy);
  return copy;
}

/** Applies a PATCH: what was not sent stays, attendees are replaced as a whole, times reach the Teams meeting. */
export function applyEventChange(world: World, user: User, event: CalendarEvent, input: EventInput): void {
  const start = input.start ?? event.start;
  const end = input.end ?? event.end;
  checkOrder(start, end);
  const before = event.attendees;
  event.start = start;
  event.end = end;
  event.subject = input.subject ?? event.subject;
  event.attendees = input.attendees?.map((attendee) => keptAnswer(attendee, before)) ?? before;
  Object.assign(event.plain, input.plain);
  for (const { id, value } of input.extendedProperties ?? []) event.extendedProperties.set(id, value);
  if (input.body !== undefined) replaceBody(world, event, wrapBody(input.body.contentType, input.body.content));
  if (input.isOnlineMeeting && event.meetingId === null) {
    attachMeeting(world, user, event, input.onlineMeetingProvider);
  }
  touchEvent(mailboxOf(world, user), event, world.clock.now());
  carryToMeeting(world, event);
  mailChange(world, user, event, before, input);
}

/** Counts down a delayed join link; with the last GET that hides it, Teams' join block enters the body. */
export function revealMeeting(world: World, user: User, event: CalendarEvent): void {
  if (event.hiddenGets === 0) return;
  event.hiddenGets -= 1;
  const meeting = world.meetings.byId.get(event.meetingId ?? '');
  if (event.hiddenGets > 0 || meeting === undefined) return;
  event.bodyHtml = withJoinBlock(event.bodyHtml, meeting);
  touchEvent(mailboxOf(world, user), event, world.clock.now());
}

/** A calendar that does not allow the provider keeps the event without an online meeting. */
function attachMeeting(world: World, user: User, event: CalendarEvent, provider: string | undefined): void {
  if (!user.teamsEnabled || (provider ?? 'teamsForBusiness').toLowerCase() !== 'teamsforbusiness') return;
  const meeting = newMeeting(world, user, {
    subject: event.subject,
    startsAt: event.start.instant,
    endsAt: event.end.instant,
    isCalendarBacked: true,
    invitedAddresses: addressesOf(event),
  });
  event.meetingId = meeting.id;
  event.isOnlineMeeting = true;
  event.onlineMeetingProvider = 'teamsForBusiness';
  event.isMeetingAttached = true;
  event.hiddenGets = user.joinUrlDelayGets;
  if (event.hiddenGets === 0) event.bodyHtml = withJoinBlock(event.bodyHtml, meeting);
}

/** A body without the join block disconnects the event from its meeting. Source: Microsoft Learn, event-update. */
function replaceBody(world: World, event: CalendarEvent, html: string): void {
  const meeting = world.meetings.byId.get(event.meetingId ?? '');
  event.bodyHtml = html;
  if (meeting !== undefined && event.hiddenGets === 0) event.isMeetingAttached &&= hasJoinBlock(html, meeting);
}

function carryToMeeting(world: World, event: CalendarEvent): void {
  const meeting = world.meetings.byId.get(event.meetingId ?? '');
  if (meeting === undefined) return;
  meeting.startsAt = event.start.instant;
  meeting.endsAt = event.end.instant;
  meeting.subject = event.subject;
  meeting.invitedAddresses = addressesOf(event);
  extendExpiry(meeting, event.modifiedAt);
}

function addressesOf(event: CalendarEvent): string[] {
  return event.attendees.map((attendee) => attendee.address.toLowerCase());
}

function keptAnswer(attendee: Attendee, before: Attendee[]): Attendee {
  const known = before.find((one) => one.address.toLowerCase() === attendee.address.toLowerCase());
  return known === undefined ? attendee : { ...attendee, response: known.response, respondedAt: known.respondedAt };
}

/** A PATCH of attendees alone mails only those that changed. Source: Microsoft Learn, event-update. */
function mailChange(world: World, user: User, event: CalendarEvent, before: Attendee[], input: EventInput): void {
  const added = missingFrom(event.attendees, before);
  mailTo(world, user, event, added, 'invitation');
  mailTo(world, user, event, missingFrom(before, event.attendees), 'cancellation');
  const touchesMore = input.start ?? input.end ?? input.subject ?? input.body ?? Object.keys(input.plain)[0];
  if (touchesMore !== undefined) mailTo(world, user, event, missingFrom(event.attendees, added), 'update');
}
