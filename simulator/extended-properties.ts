import type { Json } from './errors.ts';
import { badRequest, GraphFailure } from './errors.ts';
import type { UserCall } from './graph-call.ts';
import { option } from './graph-call.ts';
import type { CalendarEvent } from './mailbox.ts';

/** A single-value extended property of an event. Source: Microsoft Learn, singleValueLegacyExtendedProperty. */
export interface ExtendedProperty {
  /** As Graph writes it: the GUID in lower case. */
  id: string;
  value: string;
}

/** `String {guid} Name Color`, `String {guid} Id 0x8012` or `String 0x4001`. Source: extended properties overview. */
const NAMED = /^([A-Za-z]+) \{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\} (Name \S.*|Id 0x[0-9a-f]+)$/i;
const TAGGED = /^[A-Za-z]+ 0x[0-9a-f]{4}$/i;
const EXPAND = /^singleValueExtendedProperties\(\s*\$filter\s*=\s*(.*)\)$/is;
const ID_CONDITION = /^\s*id\s+eq\s+'((?:[^']|'')*)'\s*$/i;

/** Reads `singleValueExtendedProperties` of a request body. Throws 400 for what is no such property. */
export function readExtendedProperties(list: unknown[]): ExtendedProperty[] {
  return list.map((item) => {
    const { id, value, ...rest }: Json = typeof item === 'object' && item !== null ? { ...item } : {};
    if (typeof id !== 'string' || typeof value !== 'string' || Object.keys(rest).some((name) => !name.includes('@'))) {
      throw new GraphFailure(400, 'RequestBodyRead', 'A single-value extended property has an id and a value.');
    }
    return { id: propertyId(id), value };
  });
}

/** The id with its GUID in lower case; the case of a name counts. Throws 400 for an id that is none. */
export function propertyId(text: string): string {
  const named = NAMED.exec(text);
  if (named !== null) return `${named[1]} {${named[2]?.toLowerCase()}} ${named[3]}`;
  if (TAGGED.test(text)) return text;
  throw new GraphFailure(400, 'ErrorInvalidExtendedProperty', `The extended property id '${text}' is invalid.`);
}

/** The names of an event's named properties with their values, for the control API. */
export function propertiesByName(event: CalendarEvent): Record<string, string> {
  return Object.fromEntries([...event.extendedProperties].map(([id, value]) => [id.replace(/^.* Name /, ''), value]));
}

/**
 * What the call's `$expand` adds to an event: extended properties come only when they are asked for by id. Throws 400
 * for any other expansion, 403 for a caller with `Calendars.ReadBasic` only.
 */
export function expandedProperties(call: UserCall): (event: CalendarEvent) => Json {
  const text = option(call, '$expand');
  if (text === undefined) return () => ({});
  const conditions = EXPAND.exec(text.trim())?.[1]?.split(/\s+or\s+/i);
  const ids = conditions?.map((condition) => ID_CONDITION.exec(condition)?.[1]?.replaceAll("''", "'"));
  if (ids === undefined || !ids.every((id) => id !== undefined)) {
    throw badRequest(`Parsing OData Select and Expand failed: the expansion '${text}' is not supported.`);
  }
  requireFullRead(call);
  const wanted = ids.map(propertyId);
  return (event) => {
    const found = wanted.flatMap((id) => {
      const value = event.extendedProperties.get(id);
      return value === undefined ? [] : [{ id, value }];
    });
    return found.length === 0 ? {} : { singleValueExtendedProperties: found };
  };
}

/** Extended properties need `Calendars.Read`. Source: Microsoft Learn, singlevaluelegacyextendedproperty-get. */
export function requireFullRead({ caller }: UserCall): void {
  if (caller.roles.has('Calendars.Read') || caller.roles.has('Calendars.ReadWrite')) return;
  throw new GraphFailure(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
}
