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

export const scalars = {
  DateTime: new GraphQLScalarType<Date, Date | string>({
    ...iso,
    parseValue: (value) => inReach(iso.parseValue(value)),
    parseLiteral: (node, variables) => inReach(iso.parseLiteral(node, variables)),
  }),
  URL: text('URL'),
  EmailAddress: text('EmailAddress'),
  TimeZone: text('TimeZone'),
};
