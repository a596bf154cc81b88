import type { Json } from './errors.ts';
import { newChangeKey, newDefaultEventId, newDeltaEpoch } from './ids.ts';

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
  /** The mailbox's change that made the event what it is; no two events have the same. */
  version: number;
  createdAt: Date;
  modifiedAt: Date;
  transactionId: string | null;
  /** The create request in canonical form, to tell a repeated create from a different one. */
  createFingerprint: string;
  /** Deleted or cancelled; only its transactionId still leads here. */
  isRemoved: boolean;
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
  /** Simple properties that are kept and given back as they came, e.g. `importance`. */
  plain: Json;
  /** Values of single-value extended properties by their id. */
  extendedProperties: Map<string, string>;
}

/** Ids under which an event is no longer there: both, or the default id of a moved event. */
export interface Tombstone {
  version: number;
  defaultId: string;
  immutableId: string | null;
}

/** One user's default calendar. Both ids of an event lead to it. */
export interface Mailbox {
  events: CalendarEvent[];
  byId: Map<string, CalendarEvent>;
  /** Also events that are gone. */
  byTransaction: Map<string, CalendarEvent>;
  /** What was deleted or cancelled, by immutable id, which a move to Deleted Items does not change. */
  deleted: Map<string, CalendarEvent>;
  /** The number of changes so far. */
  version: number;
  tombstones: Tombstone[];
  /** Delta tokens of another epoch are not known any more. */
  deltaEpoch: string;
}

export function createMailbox(): Mailbox {
  return {
    events: [],
    byId: new Map(),
    byTransaction: new Map(),
    deleted: new Map(),
    version: 0,
    tombstones: [],
    deltaEpoch: newDeltaEpoch(),
  };
}

export function addEvent(mailbox: Mailbox, event: CalendarEvent): void {
  event.version = nextVersion(mailbox);
  mailbox.events.push(event);
  mailbox.byId.set(event.defaultId, event);
  mailbox.byId.set(event.immutableId, event);
  if (event.transactionId !== null) mailbox.byTransaction.set(event.transactionId, event);
}

/** Makes another version of the event, as any change to it does, an attendee's answer too. */
export function touchEvent(mailbox: Mailbox, event: CalendarEvent, now: Date): void {
  event.version = nextVersion(mailbox);
  event.changeKey = newChangeKey();
  event.modifiedAt = now;
}

/** Removes the event under both ids. Its transactionId is still known: how long it counts is a matter of behaviour. */
export function removeEvent(mailbox: Mailbox, event: CalendarEvent): void {
  mailbox.events = mailbox.events.filter((one) => one !== event);
  mailbox.byId.delete(event.defaultId);
  mailbox.byId.delete(event.immutableId);
  event.isRemoved = true;
  const { defaultId, immutableId } = event;
  mailbox.deleted.set(immutableId, event);
  mailbox.tombstones.push({ version: nextVersion(mailbox), defaultId, immutableId });
}

/** Another folder, another default id; the immutable id stays. Source: Outlook immutable identifiers. */
export function moveEvent(mailbox: Mailbox, event: CalendarEvent, now: Date): void {
  mailbox.byId.delete(event.defaultId);
  mailbox.tombstones.push({ version: nextVersion(mailbox), defaultId: event.defaultId, immutableId: null });
  event.defaultId = newDefaultEventId();
  touchEvent(mailbox, event, now);
  mailbox.byId.set(event.defaultId, event);
}

/** Forgets all delta tokens given so far, as Exchange does after some time or a move of the mailbox. */
export function expireDeltaTokens(mailbox: Mailbox): void {
  mailbox.deltaEpoch = newDeltaEpoch();
}

function nextVersion(mailbox: Mailbox): number {
  mailbox.version += 1;
  return mailbox.version;
}
