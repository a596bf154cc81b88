import { z } from 'zod';
import { expandedMarkers } from './event-markers.ts';
import type { EventMarkers, GraphEvent, GraphEventDraft } from './types.ts';
import { optionalInstant, optionalText, parseInstant } from './wire.ts';

/** An event with its markers, if they were expanded, and the provider that tells whether a missing link can still come. */
export interface WireEvent {
  event: GraphEvent;
  provider: string | null;
  markers: Record<keyof EventMarkers, string | null>;
}

/** The names under which Graph has been seen to say UTC. Another zone cannot be read as an instant. */
const UTC_NAMES: ReadonlySet<string> = new Set(['utc', 'etc/utc', 'etc/gmt', 'tzone://microsoft/utc']);

const dateTimeTimeZone = z
  .object({ dateTime: z.string(), timeZone: optionalText })
  .transform(({ dateTime, timeZone }, context) => {
    const date = parseInstant(dateTime);
    const isUtc = timeZone === null || UTC_NAMES.has(timeZone.toLowerCase());
    if (date !== null && isUtc) return date;
    context.addIssue({ code: 'custom', message: 'not an instant in UTC' });
    return z.NEVER;
  });

const attendee = z
  .object({
    emailAddress: z.object({ address: optionalText, name: optionalText }).nullish(),
    status: z.object({ response: optionalText, time: optionalInstant }).nullish(),
  })
  .transform(({ emailAddress, status }) => ({
    emailAddress: emailAddress?.address ?? '',
    name: emailAddress?.name ?? null,
    response: status?.response ?? 'none',
    respondedAt: status?.time ?? null,
  }));

/** Microsoft Learn: resources/event. The link is `onlineMeeting.joinUrl`; `onlineMeetingUrl` is legacy. */
export const event: z.ZodType<WireEvent> = z
  .object({
    id: z.string(),
    '@odata.etag': optionalText,
    transactionId: optionalText,
    iCalUId: optionalText,
    subject: optionalText,
    start: dateTimeTimeZone,
    end: dateTimeTimeZone,
    isOnlineMeeting: z.boolean().nullish(),
    onlineMeetingProvider: optionalText,
    onlineMeeting: z.object({ joinUrl: optionalText }).nullish(),
    isCancelled: z.boolean().nullish(),
    body: z.object({ content: optionalText }).nullish(),
    attendees: z.array(attendee).nullish(),
    singleValueExtendedProperties: expandedMarkers,
  })
  .transform((wire) => ({
    provider: wire.onlineMeetingProvider,
    markers: wire.singleValueExtendedProperties,
    event: {
      id: wire.id,
      iCalUId: wire.iCalUId,
      etag: wire['@odata.etag'],
      transactionId: wire.transactionId,
      subject: wire.subject ?? '',
      startsAt: wire.start,
      endsAt: wire.end,
      isOnlineMeeting: wire.isOnlineMeeting ?? false,
      joinUrl: wire.onlineMeeting?.joinUrl || null,
      isCancelled: wire.isCancelled ?? false,
      bodyHtml: wire.body?.content ?? '',
      attendees: wire.attendees ?? [],
    },
  }));

/** Whether the event is to have a Teams meeting that is not attached yet. */
export function isAwaitingJoinUrl({ event: { isOnlineMeeting, joinUrl }, provider }: WireEvent): boolean {
  return joinUrl === null && isOnlineMeeting && provider === 'teamsForBusiness';
}

/** The given fields as Graph takes them; what is not given is not mentioned. Never contains the body. */
export function eventBody(
  draft: Partial<Pick<GraphEventDraft, 'subject' | 'startsAt' | 'endsAt' | 'attendees'>>,
): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  if (draft.subject !== undefined) body.subject = draft.subject;
  if (draft.startsAt !== undefined) body.start = inUtc(draft.startsAt);
  if (draft.endsAt !== undefined) body.end = inUtc(draft.endsAt);
  if (draft.attendees !== undefined) {
    body.attendees = draft.attendees.map(({ emailAddress, name }) => ({
      type: 'required',
      emailAddress: name === null ? { address: emailAddress } : { address: emailAddress, name },
    }));
  }
  return body;
}

function inUtc(date: Date): { dateTime: string; timeZone: string } {
  return { dateTime: date.toISOString().slice(0, -1), timeZone: 'UTC' };
}
