import { GraphFailure, type Json } from './errors.ts';
import { option } from './graph-call.ts';
import type { CalendarEvent } from './mailbox.ts';
import type { ServedCall } from './serve.ts';

const QUOTED = "'((?:[^']|'')*)'";
const ANY = new RegExp(
  `singleValueExtendedProperties/any\\(\\s*(\\w+)\\s*:\\s*\\1/id eq ${QUOTED} and \\1/value eq ${QUOTED}\\s*\\)`,
  'i',
);
const EXPAND = /^singleValueExtendedProperties\(\$filter=(.+)\)$/i;

const unquoted = (text: string) => text.replaceAll("''", "'");

/** Takes the condition on an extended property out of a filter. Source: Microsoft Learn, singlevaluelegacyextendedproperty-get. */
export function splitExtendedFilter(filter: string): {
  rest: string;
  holds: ((event: CalendarEvent) => boolean) | null;
} {
  const match = ANY.exec(filter);
  if (match === null) return { rest: filter, holds: null };
  const [whole, , id = '', value = ''] = match;
  const rest = filter
    .replace(whole, '')
    .replace(/^\s*and\s+|\s+and\s*$/gi, '')
    .trim();
  const wanted = { id: unquoted(id).toLowerCase(), value: unquoted(value) };
  return {
    rest,
    holds: ({ extended }) => extended.some((one) => one.id === wanted.id && one.value === wanted.value),
  };
}

/** The extended properties that the call expands; nothing when it does not ask for any. */
export function expandedProperties(call: ServedCall, event: CalendarEvent): Json {
  const expand = option(call, '$expand');
  if (expand === undefined) return {};
  const conditions = EXPAND.exec(expand.trim())?.[1]?.split(/\s+or\s+/i);
  const ids = conditions?.map((condition) => /^\s*id eq '(.+)'\s*$/i.exec(condition)?.[1]?.toLowerCase());
  if (ids === undefined || ids.includes(undefined)) {
    throw new GraphFailure(400, 'ErrorInvalidUrlQuery', `The query option $expand=${expand} is not supported.`);
  }
  const found = event.extended.filter(({ id }) => ids.includes(id));
  return found.length === 0 ? {} : { singleValueExtendedProperties: found };
}
