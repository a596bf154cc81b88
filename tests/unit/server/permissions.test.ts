import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resolvers } from '../../../src/resolvers/index.ts';
import { buildSchema } from '../../../src/server/apollo.ts';
import { guardReferences } from '../../../src/server/permissions.ts';

const typeDefs = readFileSync('schema.graphql', 'utf8');

describe('what has no permission rule does not start', () => {
  it('the schema as it is starts', () => {
    expect(() => buildSchema(typeDefs)).not.toThrow();
  });

  it.each([
    ['a query', 'extend type Query { extra: Int }', 'Query.extra'],
    ['a query behind scopes of the router only', 'extend type Query { extra: Int @authenticated }', 'Query.extra'],
    ['a mutation', 'extend type Mutation { extra: Int }', 'Mutation.extra'],
    ['a field of Appointment', 'extend type Appointment { extra: Int }', 'Appointment.extra'],
    ['a field of Interaction', 'extend type Interaction { extra: Int }', 'Interaction.extra'],
    ['an entity', 'type Extra @key(fields: "id") { id: ID! }', 'Extra'],
  ])('%s', (_what, extension, name) => {
    expect(() => buildSchema(`${typeDefs}\n${extension}`)).toThrow(`${name} has no permission rule`);
  });

  it('a subscription', () => {
    expect(() => buildSchema(`${typeDefs}\ntype Subscription { extra: Int }`)).toThrow(
      'Subscriptions have no permission rules',
    );
  });

  it('an entity made from references', () => {
    expect(() => guardReferences({ ...resolvers, Extra: { __resolveReference: () => null } })).toThrow(
      'The entity Extra has no permission rule',
    );
  });

  it.each(['TeamsMeeting', 'MeetingRecording', 'MeetingTranscript'])(
    '%s, were its reference given back unread',
    (name) => {
      expect(() => guardReferences({ ...resolvers, [name]: {} })).toThrow(
        `The entity ${name} has no __resolveReference`,
      );
    },
  );
});
