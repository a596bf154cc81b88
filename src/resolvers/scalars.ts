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

export const scalars = {
  DateTime: GraphQLDateTimeISO,
  URL: text('URL'),
  EmailAddress: text('EmailAddress'),
  TimeZone: text('TimeZone'),
};
