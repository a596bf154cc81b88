import { sevenDigits } from './clock.ts';
import type { Json } from './errors.ts';
import { bodyText } from './event-body.ts';
import type { UserCall } from './graph-call.ts';
import type { CalendarEvent, ZonedInstant } from './mailbox.ts';
import { checkTimeZone, wallTime } from './time-zones.ts';

const NEVER = '0001-01-01T00:00:00Z';

/** Preferences that an event answer honours, checked once per call. Throws 400 for a zone that is not known. */
export interface EventPreferences {
  timeZone: string;
  immutableId: boolean;
  textBody: boolean;
  /** Headers that echo what was honoured. */
  headers: Record<string, string>;
}

export function eventPreferences(call: UserCall): EventPreferences {
  const timeZone = call.prefer.get('outlook.timezone');
  if (timeZone !== undefined) checkTimeZone(timeZone);
  const bodyType = call.prefer.get('outlook.body-content-type')?.toLowerCase();
  const immutableId = call.prefer.get('idtype')?.toLowerCase() === 'immutableid';
  const applied = [
    ...(timeZone === undefined ? [] : [`outlook.timezone="${timeZone}"`]),
    ...(bodyType === undefined ? [] : [`outlook.body-content-type="${bodyType}"`]),
    ...(immutableId ? ['IdType="ImmutableId"'] : []),
  ];
  return {
    timeZone: timeZone ?? 'UTC',
    immutableId,
    textBody: bodyType === 'text',
    headers: applied.length === 0 ? {} : { 'preference-applied': applied.join(', ') },
  };
}

export function etagOf(event: CalendarEvent): string {
  return `W/"${event.changeKey}"`;
}

export function eventIdFor(event: CalendarEvent, preferences: Pick<EventPreferences, 'immutableId'>): string {
  return preferences.immutableId ? event.immutableId : event.defaultId;
}

/** The event as Graph shows it to this caller. Reading without more than `Calendars.ReadBasic` hides the body. */
export function eventView(call: UserCall, event: CalendarEvent, preferences: EventPreferences): Json {
  const id = eventIdFor(event, preferences);
  const view: Json = {
    '@odata.etag': etagOf(event),
    id,
    createdDateTime: sevenDigits(event.createdAt),
    lastModifiedDateTime: sevenDigits(event.modifiedAt),
    changeKey: event.changeKey,
    categories: [],
    // Left out of the answer where nobody gave one, but a property that may be selected all the same.
    transactionId: event.transactionId ?? undefined,
    originalStartTimeZone: event.start.timeZone,
    originalEndTimeZone: event.end.timeZone,
    iCalUId: event.iCalUId,
    reminderMinutesBeforeStart: 15,
    isReminderOn: true,
    hasAttachments: false,
    subject: event.subject,
    importance: 'normal',
    sensitivity: 'normal',
    isAllDay: false,
    isCancelled: false,
    isOrganizer: true,
    responseRequested: true,
    seriesMasterId: null,
    showAs: 'busy',
    type: (event.plain.recurrence ?? null) === null ? 'singleInstance' : 'seriesMaster',
    webLink: `https://outlook.office365.com/owa/?itemid=${encodeURIComponent(id)}&exvsurl=1&path=/calendar/item`,
    onlineMeetingUrl: null,
    isOnlineMeeting: event.isOnlineMeeting,
    onlineMeetingProvider: event.onlineMeetingProvider,
    allowNewTimeProposals: true,
    isDraft: false,
    hideAttendees: false,
    recurrence: null,
    responseStatus: { response: 'organizer', time: NEVER },
    start: zonedView(event.start, preferences),
    end: zonedView(event.end, preferences),
    ...locationView(event),
    attendees: event.attendees.map((attendee) => ({
      type: attendee.type,
      status: {
        response: attendee.response,
        time: attendee.respondedAt === null ? NEVER : sevenDigits(attendee.respondedAt),
      },
      emailAddress: { name: attendee.name, address: attendee.address },
    })),
    organizer: {
      emailAddress: { name: call.user.displayName, address: call.user.mail ?? call.user.userPrincipalName },
    },
    onlineMeeting: onlineMeetingView(call, event),
    ...withoutLocation(event.plain),
  };
  return { ...view, ...bodyView(call, event, preferences) };
}

function bodyView(call: UserCall, event: CalendarEvent, preferences: EventPreferences): Json {
  if (!call.caller.roles.has('Calendars.Read') && !call.caller.roles.has('Calendars.ReadWrite')) return {};
  const text = bodyText(event.bodyHtml);
  return {
    bodyPreview: text.slice(0, 255),
    body: preferences.textBody
      ? { contentType: 'text', content: text }
      : { contentType: 'html', content: event.bodyHtml },
  };
}

function zonedView(zoned: ZonedInstant, { timeZone }: EventPreferences): Json {
  return { dateTime: wallTime(zoned.instant, timeZone), timeZone };
}

function locationView(event: CalendarEvent): Json {
  const given = event.plain.location;
  const location = {
    displayName: '',
    locationType: 'default',
    uniqueIdType: 'unknown',
    address: {},
    coordinates: {},
    ...(typeof given === 'object' ? given : {}),
  };
  return { location, locations: location.displayName === '' ? [] : [location] };
}

function withoutLocation(plain: Json): Json {
  const { location: _location, locations: _locations, ...rest } = plain;
  return rest;
}

/** `onlineMeeting` of the event: null without one; its joinUrl is null while Teams' answer is still on its way. */
function onlineMeetingView(call: UserCall, event: CalendarEvent): Json | null {
  const meeting = event.meetingId === null ? undefined : call.world.meetings.byId.get(event.meetingId);
  if (meeting === undefined || !event.isMeetingAttached) return null;
  if (event.hiddenGets > 0) return { joinUrl: null, conferenceId: null, tollNumber: null };
  return { joinUrl: meeting.joinWebUrl, conferenceId: meeting.conferenceId, tollNumber: null };
}
