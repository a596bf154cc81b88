import { z } from 'zod';
import { literal } from './path.ts';
import type { EventMarkers } from './types.ts';
import { optionalText } from './wire.ts';

/** The property set of this project's named properties. Never to be changed: events out there carry it. */
const PROPERTY_SET = '09369d99-5548-4068-bc65-272d36fb2304';

/** The name's case counts in a filter (Microsoft Learn: singlevaluelegacyextendedproperty-get). */
const TENANT_ID = `String {${PROPERTY_SET}} Name TenantId`;
const MEETING_ID = `String {${PROPERTY_SET}} Name MeetingId`;
const SUBJECT = `String {${PROPERTY_SET}} Name Subject`;

/** Reading extended properties needs more than `Calendars.ReadBasic` (same page, table of permissions). */
export const MARKER_READ_ROLES = ['Calendars.Read', 'Calendars.ReadWrite'];

/** `$expand` that brings the markers with an event, percent-encoded. */
export const EXPAND_MARKERS = `$expand=${encodeURIComponent(
  `singleValueExtendedProperties($filter=id eq '${TENANT_ID}' or id eq '${MEETING_ID}' or id eq '${SUBJECT}')`,
)}`;

/** The markers as a create takes them. Microsoft Learn: singlevaluelegacyextendedproperty-post-singlevalueextendedproperties. */
export function markerProperties(markers: EventMarkers): { id: string; value: string }[] {
  return [
    { id: TENANT_ID, value: markers.tenantId },
    { id: MEETING_ID, value: markers.meetingId },
    ...(markers.subject === undefined ? [] : [{ id: SUBJECT, value: markers.subject }]),
  ];
}

/** A filter for events with this marker, not yet encoded. Exchange compares values without regard to case. */
export function markerFilter(marker: 'tenantId' | 'meetingId', value: string): string {
  const id = marker === 'tenantId' ? TENANT_ID : MEETING_ID;
  return `singleValueExtendedProperties/Any(ep: ep/id eq ${literal(id)} and ep/value eq ${literal(value)})`;
}

/** The markers out of an expanded event; Exchange may write the ids back in another case. */
export const expandedMarkers = z
  .array(z.object({ id: z.string(), value: optionalText }))
  .nullish()
  .transform((properties) => {
    const markerOf = (id: string): string | null =>
      properties?.find((one) => one.id.toLowerCase() === id.toLowerCase())?.value ?? null;
    return { tenantId: markerOf(TENANT_ID), meetingId: markerOf(MEETING_ID), subject: markerOf(SUBJECT) };
  });
