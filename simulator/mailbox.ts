import type { Json } from './errors.ts';
import { newChangeKey, newDefaultEventId } from './ids.ts';

export interface ExtendedProperty {
  id: string;
  value: string;
}

export interface Attendee {
  type: 'required' | 'optional' | 'resource';
  address: string;
  name: string;
  response: string;
  /** Null: has not answered. */
  respondedAt: Date | null;
}

/** An instant with the zone in which it was given. */
export interface ZonedInstant {
  instant: Date;
  timeZone: string;
}

export interface CalendarEvent {
  defaultId: string;
  immutableId: string;
  changeKey: string;
  iCalUId: string;
  createdAt: Date;
  modifiedAt: Date;
  transactionId: string | null;
  /** The create request in canonical form, to tell a repeated create from a different one. */
  createFingerprint: string;
  subject: string;
  /** A whole HTML document, as Exchange keeps it. */
  bodyHtml: string;
  start: ZonedInstant;
  end: ZonedInstant;
  attendees: Attendee[];
  isOnlineMeeting: boolean;
  onlineMeetingProvider: string;
  /** The Teams meeting made with the event; stays when the event is disconnected from it. */
  meetingId: string | null;
  /** False after a body without Teams' join block was patched in. */
  isMeetingAttached: boolean;
  /** GETs that still hide the join link. */
  hiddenGets: number;
  /** Single-value extended properties; ids in lower case. */
  extended: ExtendedProperty[];
  /** The mailbox's count of changes when this one last changed. */
  sequence: number;
  /** Simple properties that are kept and given back as they came, e.g. `importance`. */
  plain: Json;
}

/** One user's default calendar. Both ids of an event lead to it. */
export interface Mailbox {
  events: CalendarEvent[];
  byId: Map<string, CalendarEvent>;
  byTransaction: Map<string, CalendarEvent>;
  /** Counts changes, for delta tokens. */
  sequence: number;
  removals: { sequence: number; event: CalendarEvent }[];
}

export function createMailbox(): Mailbox {
  return { events: [], byId: new Map(), byTransaction: new Map(), sequence: 0, removals: [] };
}

/** Notes that the event is not what it was. */
export function touch(mailbox: Mailbox, event: CalendarEvent): void {
  mailbox.sequence += 1;
  event.sequence = mailbox.sequence;
  event.changeKey = newChangeKey();
}

export function addEvent(mailbox: Mailbox, event: CalendarEvent): void {
  touch(mailbox, event);
  mailbox.events.push(event);
  mailbox.byId.set(event.defaultId, event);
  mailbox.byId.set(event.immutableId, event);
  if (event.transactionId !== null) mailbox.byTransaction.set(event.transactionId, event);
}

/** Removes the event under both ids. How long Exchange remembers its transactionId is not documented. */
export function removeEvent(mailbox: Mailbox, event: CalendarEvent, forgetsTransaction = true): void {
  mailbox.events = mailbox.events.filter((one) => one !== event);
  mailbox.sequence += 1;
  mailbox.removals.push({ sequence: mailbox.sequence, event });
  mailbox.byId.delete(event.defaultId);
  mailbox.byId.delete(event.immutableId);
  if (event.transactionId !== null && forgetsTransaction) mailbox.byTransaction.delete(event.transactionId);
}

/** Another folder, another default id; the immutable id stays. Source: Outlook immutable identifiers. */
export function moveEvent(mailbox: Mailbox, event: CalendarEvent): void {
  mailbox.byId.delete(event.defaultId);
  event.defaultId = newDefaultEventId();
  event.changeKey = newChangeKey();
  mailbox.byId.set(event.defaultId, event);
}
