import type { EventMarkers } from './types.ts';

/**
 * Named properties in a property set of this product. Single-value extended properties can be filtered by value with
 * application permissions; open extensions cannot (Microsoft Learn: singlevaluelegacyextendedproperty-get).
 */
const SET = '{6f1c1b0e-5f3c-4d0c-9b1f-0c8a5d1f7e42}';
const TENANT = `String ${SET} Name TenantId`;
const MEETING = `String ${SET} Name MeetingId`;

export interface ExtendedProperty {
  id: string;
  value: string;
}

export function markerProperties({ tenantId, meetingId }: EventMarkers): ExtendedProperty[] {
  return [
    { id: TENANT, value: tenantId },
    { id: MEETING, value: meetingId },
  ];
}

/** The meeting's id among expanded properties, whose names come back with another spelling of the set's id. */
export function meetingMarkerOf(properties: readonly { id: string; value: string | null }[]): string | null {
  return properties.find(({ id }) => id.toLowerCase() === MEETING.toLowerCase())?.value ?? null;
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

const holds = ({ id, value }: ExtendedProperty) =>
  `singleValueExtendedProperties/Any(ep: ep/id eq ${literal(id)} and ep/value eq ${literal(value)})`;

/** `$filter` for the events of one meeting. */
export function meetingFilter(markers: EventMarkers): string {
  return holds({ id: MEETING, value: markers.meetingId });
}

/** `$filter` for all events of a tenant. */
export function tenantFilter(tenantId: string): string {
  return holds({ id: TENANT, value: tenantId });
}

/** `$expand` that brings the meeting's id along. */
export const MEETING_MARKER = `singleValueExtendedProperties($filter=id eq ${literal(MEETING)})`;
