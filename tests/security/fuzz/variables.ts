import fc from 'fast-check';
import {
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import type { Target } from '../stage.ts';
import { json, text } from './runs.ts';

const TIMES = [
  '2036-12-01T10:00:00Z',
  '2036-12-01T11:00:00+01:00',
  '1900-01-01T00:00:00Z',
  '8999-12-31T23:59:59Z',
  'soon',
];

/** Values for an argument: mostly such as its type takes, so that they get far, and now and then anything. */
function ofType(type: GraphQLInputType, ids: readonly string[]): fc.Arbitrary<unknown> {
  if (isNonNullType(type)) return ofType(type.ofType, ids);
  const good = (): fc.Arbitrary<unknown> => {
    if (isListType(type)) return fc.array(ofType(type.ofType, ids), { maxLength: 5 });
    if (isEnumType(type)) return fc.constantFrom(...type.getValues().map(({ name }) => name));
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      const required = fields.filter((field) => isNonNullType(field.type)).map(({ name }) => name);
      return fc.record(Object.fromEntries(fields.map((field) => [field.name, ofType(field.type, ids)])), {
        requiredKeys: required,
        noNullPrototype: true,
      });
    }
    if (type.name === 'Int') return fc.oneof(fc.constantFrom(-1, 0, 1, 100, 2 ** 31 - 1, 2 ** 31), fc.integer());
    if (type.name === 'Boolean') return fc.boolean();
    if (type.name === 'DateTime') return fc.constantFrom(...TIMES);
    return type.name === 'ID' ? fc.oneof(fc.constantFrom(...ids), text) : text;
  };
  return fc.oneof({ weight: 14, arbitrary: good() }, { weight: 1, arbitrary: json });
}

export interface Case {
  field: string;
  variables: unknown;
}

/** An operation of the schema with variables for it. */
export function cases(schema: GraphQLSchema, target: Target): fc.Arbitrary<Case> {
  const ids = [target.meetingId, target.appointmentId, target.interactionId, 'client-acme'];
  const roots = [schema.getQueryType(), schema.getMutationType()];
  const fields = roots.flatMap((type) =>
    Object.values(type?.getFields() ?? {})
      .filter(({ args, name }) => args.length > 0 && name !== '_entities')
      .map((field) => {
        const given = Object.fromEntries(field.args.map(({ name, type: of }) => [name, ofType(of, ids)]));
        return fc.record({ field: fc.constant(`${type?.name}.${field.name}`), variables: fc.record(given) });
      }),
  );
  const names = [
    'TeamsMeeting',
    'MeetingRecording',
    'MeetingTranscript',
    'Appointment',
    'Interaction',
    'Client',
    'User',
  ];
  const representation = fc.oneof(
    json,
    fc.record({ __typename: fc.constantFrom(...names), id: fc.oneof(fc.constantFrom(...ids), text, json) }),
    fc.record({ __typename: fc.constant('Interaction'), id: text, contact: json, client: json }),
  );
  const entities = fc.record({
    field: fc.constantFrom(...names.map((name) => `entity ${name}`)),
    variables: fc.record({ representations: fc.array(representation, { maxLength: 5 }) }),
  });
  return fc.oneof(...fields, entities, entities);
}
