import type { Json } from './errors.ts';
import { GraphFailure } from './errors.ts';
import type { ExtendedProperty } from './extended-properties.ts';
import { readExtendedProperties } from './extended-properties.ts';
import type { Attendee, ZonedInstant } from './mailbox.ts';
import { checkTimeZone, instantOf } from './time-zones.ts';

/** What a create or update request says; absent fields were not sent. */
export interface EventInput {
  subject?: string;
  body?: { contentType: string; content: string };
  start?: ZonedInstant;
  end?: ZonedInstant;
  attendees?: Attendee[];
  isOnlineMeeting?: boolean;
  onlineMeetingProvider?: string;
  transactionId?: string;
  extendedProperties?: ExtendedProperty[];
  /** Simple properties that are kept as they come. */
  plain: Json;
}

type Kind = 'string' | 'boolean' | 'number' | 'object' | 'array';

/** Writable properties with their JSON kind. Source: csdl of event. */
const WRITABLE: Readonly<Record<string, Kind>> = {
  subject: 'string',
  body: 'object',
  start: 'object',
  end: 'object',
  attendees: 'array',
  isOnlineMeeting: 'boolean',
  onlineMeetingProvider: 'string',
  transactionId: 'string',
  singleValueExtendedProperties: 'array',
};
const PLAIN: Readonly<Record<string, Kind>> = {
  location: 'object',
  locations: 'array',
  hideAttendees: 'boolean',
  allowNewTimeProposals: 'boolean',
  responseRequested: 'boolean',
  reminderMinutesBeforeStart: 'number',
  isReminderOn: 'boolean',
  recurrence: 'object',
  importance: 'string',
  sensitivity: 'string',
  showAs: 'string',
  categories: 'array',
  isAllDay: 'boolean',
};
/** Part of the type, but computed: a client may send back what it read. */
const READ_ONLY = new Set(
  (
    'id createdDateTime lastModifiedDateTime changeKey originalStartTimeZone originalEndTimeZone originalStart iCalUId uid ' +
    'hasAttachments bodyPreview isCancelled isOrganizer seriesMasterId type webLink onlineMeetingUrl onlineMeeting ' +
    'occurrenceId isDraft responseStatus organizer cancelledOccurrences'
  ).split(' '),
);
const ATTENDEE_LIMIT = 500;
const WALL_TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)\d*(Z|[+-]\d{2}:\d{2})?$/;

/** Reads the JSON of an event. Throws the 400s of Graph's reader and of Exchange's validation. */
export function readEventInput(json: Json): EventInput {
  const input: EventInput = { plain: {} };
  for (const [name, value] of Object.entries(json)) {
    if (name.includes('@') || READ_ONLY.has(name)) continue;
    const kind = WRITABLE[name] ?? PLAIN[name];
    if (kind === undefined) {
      throw readFailure(
        `The property '${name}' does not exist on type 'microsoft.graph.event'. Make sure to only use property names ` +
          'that are defined by the type.',
      );
    }
    if (value !== null && kindOf(value) !== kind) {
      throw readFailure(`Cannot read the value of property '${name}': expected ${kind}, found ${kindOf(value)}.`);
    }
    if (name in PLAIN) input.plain[name] = value;
  }
  if (typeof json.subject === 'string' || json.subject === null) input.subject = json.subject ?? '';
  if (isObject(json.body)) input.body = readBody(json.body);
  if (isObject(json.start)) input.start = readInstant(json.start);
  if (isObject(json.end)) input.end = readInstant(json.end);
  if (Array.isArray(json.attendees)) input.attendees = readAttendees(json.attendees);
  if (typeof json.isOnlineMeeting === 'boolean') input.isOnlineMeeting = json.isOnlineMeeting;
  if (typeof json.onlineMeetingProvider === 'string') input.onlineMeetingProvider = json.onlineMeetingProvider;
  if (typeof json.transactionId === 'string') input.transactionId = json.transactionId;
  if (Array.isArray(json.singleValueExtendedProperties)) {
    input.extendedProperties = readExtendedProperties(json.singleValueExtendedProperties);
  }
  return input;
}

/** Throws 400 when the end comes before the start. */
export function checkOrder(start: ZonedInstant, end: ZonedInstant): void {
  if (end.instant >= start.instant) return;
  throw new GraphFailure(
    400,
    'ErrorCalendarEndDateIsEarlierThanStartDate',
    "The event's end time must not be earlier than its start time.",
  );
}

/** A value that Exchange refuses. */
export function propertyFailure(message: string): GraphFailure {
  return new GraphFailure(400, 'ErrorPropertyValidationFailure', message);
}

function readFailure(message: string): GraphFailure {
  return new GraphFailure(400, 'RequestBodyRead', message);
}

function readBody(body: Json): { contentType: string; content: string } {
  const contentType = String(body.contentType ?? 'text');
  if (!/^(html|text)$/i.test(contentType)) {
    throw readFailure(`Cannot convert the literal '${contentType}' to the expected type 'microsoft.graph.bodyType'.`);
  }
  return { contentType, content: String(body.content ?? '') };
}

/** Reads a dateTimeTimeZone; an offset inside `dateTime` wins over `timeZone`. */
function readInstant(value: Json): ZonedInstant {
  const timeZone = typeof value.timeZone === 'string' && value.timeZone !== '' ? value.timeZone : 'UTC';
  checkTimeZone(timeZone);
  const match = WALL_TIME.exec(String(value.dateTime ?? ''));
  const wall = new Date(`${match?.[1]}Z`);
  if (match === null || Number.isNaN(wall.getTime())) throw propertyFailure('At least one property failed validation.');
  const offset = match[2];
  return { instant: offset === undefined ? instantOf(wall, timeZone) : new Date(`${match[1]}${offset}`), timeZone };
}

function readAttendees(list: unknown[]): Attendee[] {
  if (list.length > ATTENDEE_LIMIT) {
    throw propertyFailure(`The number of attendees is over the limit of ${ATTENDEE_LIMIT}.`);
  }
  return list.map((item) => {
    const attendee = isObject(item) ? item : {};
    const email = isObject(attendee.emailAddress) ? attendee.emailAddress : {};
    const address = typeof email.address === 'string' ? email.address.trim() : '';
    if (!/^[^\s@]+@[^\s@]+$/.test(address)) {
      throw new GraphFailure(400, 'ErrorInvalidRecipients', "At least one recipient isn't valid.");
    }
    const type = String(attendee.type ?? 'required').toLowerCase();
    if (type !== 'required' && type !== 'optional' && type !== 'resource') {
      throw readFailure(`Cannot convert the literal '${type}' to the expected type 'microsoft.graph.attendeeType'.`);
    }
    const name = typeof email.name === 'string' && email.name !== '' ? email.name : address;
    return { type, address, name, response: 'none', respondedAt: null };
  });
}

function isObject(value: unknown): value is Json {
  return kindOf(value) === 'object';
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
