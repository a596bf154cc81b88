import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';

/**
 * A scalar whose text goes through as it is. A join link must reach the client byte by byte as Microsoft made it,
 * and a malformed e-mail address or time zone is answered in `userErrors`, with its path, by the services.
 */
function text(name: string): GraphQLScalarType<string, string> {
  return new GraphQLScalarType<string, string>({
    name,
    serialize: String,
    parseValue(value) {
      if (typeof value !== 'string') throw new TypeError(`${name} must be a string`);
      return value;
    },
  });
}

/** Years beyond these are typing errors, and neither Postgres nor Exchange takes them all. */
function inReach(date: Date): Date {
  const year = date.getUTCFullYear();
  if (year < 1900 || year > 9000) throw new TypeError('DateTime must lie between the years 1900 and 9000');
  return date;
}

const iso = GraphQLDateTimeISO.toConfig();

const digits = (value: number, count: number) => String(value).padStart(count, '0');
/** All that instants are written with but the year: the texts of 0 to 99. */
const TWO = Array.from({ length: 100 }, (_, value) => digits(value, 2));

/** The text of `toISOString`, which takes three times as long; a board of 500 appointments has 2,500 of them. */
export function instantText(instant: Date): string {
  const year = instant.getUTCFullYear();
  if (!(year >= 1000 && year <= 9999)) return iso.serialize(instant) as string;
  const date = `${year}-${TWO[instant.getUTCMonth() + 1]}-${TWO[instant.getUTCDate()]}`;
  const time = `${TWO[instant.getUTCHours()]}:${TWO[instant.getUTCMinutes()]}:${TWO[instant.getUTCSeconds()]}`;
  return `${date}T${time}.${digits(instant.getUTCMilliseconds(), 3)}Z`;
}

export const scalars = {
  DateTime: new GraphQLScalarType<Date, Date | string>({
    ...iso,
    serialize: (value) => (value instanceof Date ? instantText(value) : iso.serialize(value)),
    parseValue: (value) => inReach(iso.parseValue(value)),
    parseLiteral: (node, variables) => inReach(iso.parseLiteral(node, variables)),
  }),
  URL: text('URL'),
  EmailAddress: text('EmailAddress'),
  TimeZone: text('TimeZone'),
};
