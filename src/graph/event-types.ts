import type { CallOptions } from './call-options.ts';

/** The default calendar of a mailbox, reduced to what tells whether Teams meetings can be made in it. */
export interface GraphCalendar {
  id: string;
  allowedOnlineMeetingProviders: string[];
  defaultOnlineMeetingProvider: string | null;
}

/** An instant on the wire of a calendar event is UTC text; in this module it is always a `Date`. */
export interface GraphEvent {
  id: string;
  iCalUId: string | null;
  /** Names this version of the event, for `ifMatch`; any change to the event, an attendee's answer too, makes another. */
  etag: string | null;
  /** What the create gave along; null for an event that was made without. */
  transactionId: string | null;
  subject: string;
  startsAt: Date;
  endsAt: Date;
  isOnlineMeeting: boolean;
  /** `onlineMeeting.joinUrl`; null when Exchange has not attached the Teams meeting (yet). */
  joinUrl: string | null;
  isCancelled: boolean;
  /** HTML as Exchange holds it, with Teams' own join block; empty unless asked for. */
  bodyHtml: string;
  attendees: GraphEventAttendee[];
}

export interface GraphEventAttendee {
  emailAddress: string;
  name: string | null;
  /** Microsoft's value: none, organizer, tentativelyAccepted, accepted, declined, notResponded. */
  response: string;
  respondedAt: Date | null;
}

/** Whose event it is, written into the event itself. Opaque text to this module. */
export interface EventMarkers {
  tenantId: string;
  meetingId: string;
  /** What the meeting is for, so that it can be told from the event alone. */
  subject?: string;
}

/** The wanted content of a calendar-backed Teams meeting. `bodyHtml` is already escaped by the caller. */
export interface GraphEventDraft {
  subject: string;
  startsAt: Date;
  endsAt: Date;
  bodyHtml: string;
  attendees: { emailAddress: string; name: string | null }[];
  /** Makes a repeated create return the first event instead of a second one. */
  transactionId: string;
  /** By which `findByMeeting` and `listMarked` find the event again. */
  markers?: EventMarkers;
}

/** An event that carries a tenant's marker; `meetingId` is null when it lacks the other one. */
export interface MarkedEvent {
  event: GraphEvent;
  meetingId: string | null;
  /** What the meeting is for; null for an event that was made without it. */
  subject: string | null;
}

/** The part of the calendar that is followed, and where the last round ended; null begins afresh. */
export interface CalendarWindow {
  from: Date;
  until: Date;
  deltaLink: string | null;
}

export interface CalendarChanges {
  changed: GraphEvent[];
  /** Deleted, or perhaps only moved out of the window. */
  removedIds: string[];
  /** Begins the next round. */
  deltaLink: string;
  /** `changed` is everything in the window, and what is not in it was not told as removed. */
  isFullRead: boolean;
}

/** Calendar events of one mailbox. Every method may throw `GraphRequestError`. */
export interface GraphEvents {
  defaultCalendar(userId: string, options?: CallOptions): Promise<GraphCalendar>;

  create(userId: string, draft: GraphEventDraft, options?: CallOptions): Promise<GraphEvent>;

  /** `includeBody` fills `bodyHtml`; it needs more than `Calendars.ReadBasic`. */
  get(userId: string, eventId: string, options?: CallOptions & { includeBody?: boolean }): Promise<GraphEvent>;

  /**
   * Sends only what is given. Never touches the body, so Teams' join block stays.
   * @param options `ifMatch` is the etag of the version that is to be changed. Whether Exchange minds it is not
   *   documented; if it does and the event has another etag, the failure is `CHANGED`. A `CHANGED` with
   *   `mayHaveWorked` may be this call's own first try.
   */
  update(
    userId: string,
    eventId: string,
    change: Partial<Pick<GraphEventDraft, 'subject' | 'startsAt' | 'endsAt' | 'attendees'>>,
    options?: CallOptions & { ifMatch?: string },
  ): Promise<GraphEvent>;

  /** Deleting what is already gone succeeds. */
  delete(userId: string, eventId: string, options?: CallOptions): Promise<void>;

  /**
   * Takes the event out of the calendar and mails the comment to its attendees. Cancelling what is already gone
   * succeeds. `INVALID_REQUEST` for an event that cannot be cancelled, e.g. one without attendees: delete it then.
   */
  cancel(userId: string, eventId: string, comment: string | null, options?: CallOptions): Promise<void>;

  /** The events that were created with these markers: usually none or one. Needs `Calendars.Read`. */
  findByMeeting(userId: string, markers: EventMarkers, options?: CallOptions): Promise<GraphEvent[]>;

  /**
   * Every event of the tenant that starts in the range, the end excluded. Needs `Calendars.Read`. Where Graph refuses
   * to filter by marker and time together, all of the tenant's events are read and the range is cut here.
   */
  listMarked(
    userId: string,
    tenantId: string,
    options: CallOptions & { startsFrom: Date; startsBefore: Date },
  ): Promise<MarkedEvent[]>;

  /**
   * What changed in the default calendar between `from` and `until` since the round that gave the `deltaLink`, with
   * whoever made the event; the window of a `deltaLink` is the one with which it began. Without a link, or when
   * Microsoft no longer knows it, everything in the window is read and `isFullRead` is true.
   *
   * Microsoft reports as removed what was deleted, but also what lies outside the window and was added, deleted or
   * updated (Microsoft Learn: event-delta). So a removed id says nothing until a `get` has confirmed it. Occurrences
   * of a series are left out, and so is an item that not even a `get` makes readable.
   */
  changes(userId: string, window: CalendarWindow, options?: CallOptions): Promise<CalendarChanges>;
}
