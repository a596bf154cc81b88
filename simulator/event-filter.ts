import { GraphFailure } from './errors.ts';
import { propertyId, requireFullRead } from './extended-properties.ts';
import type { UserCall } from './graph-call.ts';
import { option } from './graph-call.ts';
import type { CalendarEvent } from './mailbox.ts';
import type { Comparison } from './odata.ts';
import { compare, takeComparison } from './odata.ts';

type EventFilter = (event: CalendarEvent) => boolean;

/** A condition on one extended property. Source: Microsoft Learn, singlevaluelegacyextendedproperty-get. */
const HAS_PROPERTY =
  /^\s*singleValueExtendedProperties\/any\(\s*(\w+)\s*:\s*\1\/id\s+eq\s+'((?:[^']|'')*)'\s+and\s+\1\/value\s+eq\s+'((?:[^']|'')*)'\s*\)\s*(?:\band\b|$)/i;

/**
 * The conditions of the call's `$filter`: comparisons of start, end and iCalUId and conditions on extended properties,
 * joined by `and`. Throws 400 for anything else.
 */
export function eventFilters(call: UserCall): EventFilter[] {
  const text = option(call, '$filter');
  if (text === undefined) return [];
  const filters: EventFilter[] = [];
  let propertyFilters = 0;
  let rest = text;
  do {
    const property = HAS_PROPERTY.exec(rest);
    if (property !== null) {
      const [whole, , id = '', value = ''] = property;
      filters.push(propertyFilter(call, unquoted(id), unquoted(value)));
      propertyFilters += 1;
      rest = afterAnd(rest, whole);
    } else {
      const taken = takeComparison(rest);
      if (taken === null) throw invalidFilter();
      filters.push(comparisonFilter(taken.comparison));
      rest = taken.rest;
    }
  } while (rest !== '');
  const isCombined = propertyFilters > 0 && filters.length > 1;
  if (isCombined && call.world.behaviour.markerFilter.combined === 'refused') throw invalidFilter();
  return filters;
}

/** The rest after a condition; a filter that ends with `and` is none. */
function afterAnd(text: string, whole: string): string {
  const rest = text.slice(whole.length).trim();
  if (rest === '' && /\band\s*$/i.test(whole)) throw invalidFilter();
  return rest;
}

/** The id's name compares with, the value without regard to case. */
function propertyFilter(call: UserCall, id: string, value: string): EventFilter {
  requireFullRead(call);
  const wanted = propertyId(id);
  return (event) => event.extendedProperties.get(wanted)?.toLowerCase() === value.toLowerCase();
}

function comparisonFilter({ property, operator, value }: Comparison): EventFilter {
  switch (property) {
    case 'start/datetime': {
      const time = instant(value);
      return (event) => compare(event.start.instant.getTime(), operator, time);
    }
    case 'end/datetime': {
      const time = instant(value);
      return (event) => compare(event.end.instant.getTime(), operator, time);
    }
    case 'icaluid':
      return (event) => compare(event.iCalUId, operator, value);
    default:
      throw invalidFilter();
  }
}

function unquoted(text: string): string {
  return text.replaceAll("''", "'");
}

function instant(text: string): number {
  const time = new Date(/(Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`).getTime();
  if (Number.isNaN(time)) throw invalidFilter();
  return time;
}

function invalidFilter(): GraphFailure {
  return new GraphFailure(400, 'ErrorInvalidUrlQueryFilter', 'The query filter contains one or more invalid nodes.');
}
