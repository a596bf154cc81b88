import {
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';

type Fields = Record<string, unknown>;

/** A board of a month has fewer. A gateway that wants more asks twice. */
const MOST_REPRESENTATIONS = 2_000;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value that came from outside is one that a field of this type can have. */
function isOfType(value: unknown, type: GraphQLOutputType): boolean {
  if (isNonNullType(type)) return isOfType(value, type.ofType);
  if (value === null || value === undefined) return true;
  if (isListType(type)) return Array.isArray(value) && value.every((item) => isOfType(item, type.ofType));
  if (isObjectType(type)) return isFields(value) && hasFieldsOf(value, type);
  if (!isLeafType(type)) return true;
  try {
    type.parseValue(value);
    return true;
  } catch {
    return false;
  }
}

/** Whether the parts that are known are as their fields want them, and a key is there where the type has one. */
function hasFieldsOf(value: Fields, type: GraphQLObjectType): boolean {
  const fields = type.getFields();
  if ('id' in fields && typeof value.id !== 'string') return false;
  return Object.entries(value).every(([name, part]) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return field === undefined || isOfType(part, field.type);
  });
}

function refusalOf(value: unknown, entities: ReadonlyMap<unknown, GraphQLObjectType>): GraphQLError | null {
  const refuse = (message: string) => new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
  const type = isFields(value) ? entities.get(value.__typename) : undefined;
  if (!isFields(value) || type === undefined)
    return refuse('_entities was asked for a type that this subgraph does not have.');
  if (!hasFieldsOf(value, type)) return refuse(`_entities was given a representation that is none of ${type.name}.`);
  return null;
}

/**
 * Lets `_entities` see such representations only as a gateway makes them: `_Any` takes whatever is sent. What is none
 * of an entity of the schema is BAD_USER_INPUT in its own place, and hinders no other. In place.
 */
export function guardRepresentations(schema: GraphQLSchema): GraphQLSchema {
  const field = schema.getQueryType()?.getFields()._entities;
  const union = schema.getType('_Entity');
  const resolve = field?.resolve;
  if (field === undefined || resolve === undefined || !isUnionType(union))
    throw new Error('The schema has no entities');
  const entities = new Map<unknown, GraphQLObjectType>(union.getTypes().map((type) => [type.name, type]));
  field.resolve = (parent, args: { representations: unknown[] }, context, info) => {
    if (args.representations.length > MOST_REPRESENTATIONS)
      throw new GraphQLError(`_entities takes at most ${MOST_REPRESENTATIONS} representations at once.`, {
        extensions: { code: 'OPERATION_TOO_COMPLEX' },
      });
    const refusals = args.representations.map((one) => refusalOf(one, entities));
    const representations = args.representations.filter((_one, at) => refusals[at] === null);
    const made = resolve(parent, { ...args, representations }, context, info) as unknown[];
    let next = 0;
    return refusals.map((refusal) => refusal ?? made[next++]);
  };
  return schema;
}
