import fc from 'fast-check';
import { buildSchema, type GraphQLObjectType, type GraphQLSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { GraphQLContext } from '../../src/resolvers/context.ts';
import {
  compilingExecute,
  type Execute,
  interpretingExecute,
  type ValidOperation,
} from '../../src/server/execution.ts';
import type { Logger } from '../../src/services/scope.ts';

const SDL = `
  scalar Anything
  enum State { ON OFF }
  interface Node { id: ID! }
  type Query { item(key: Anything, first: Int = 2): Item  items: [Item!]!  node: Node  nodes: [Node]  broken: Item! }
  type Item implements Node { id: ID!  name: String  state: State  wrong: State  late: String  fails: String  strict: String!  parent: Item  children: [Item!] }
  type Other implements Node { id: ID!  size: Float }
`;

function makeSchema(): GraphQLSchema {
  const schema = buildSchema(SDL);
  const item = (depth: number): object => ({
    __typename: 'Item',
    id: depth,
    name: depth % 2 === 0 ? null : `name ${depth}`,
    state: 'ON',
    wrong: 'NO STATE',
    late: () => new Promise((resolve) => setImmediate(resolve, `late ${depth}`)),
    fails: () => {
      throw new Error(`fails ${depth}`);
    },
    strict: depth > 1 ? null : () => Promise.resolve('strict'),
    parent: depth > 2 ? null : () => item(depth + 1),
    children: depth > 2 ? null : () => Promise.resolve([item(depth + 1), item(depth + 2)]),
  });
  const root: Record<string, unknown> = {
    item: (args: object) => ({ ...item(0), name: JSON.stringify(args) }),
    items: () => [item(1), item(2)],
    node: () => ({ __typename: 'Other', id: 'other', size: 1.5 }),
    nodes: () => [item(1), null, { __typename: 'Other', id: 'other', size: 'no number' }],
    broken: () => Promise.reject(new Error('broken')),
  };
  const query = schema.getQueryType() as GraphQLObjectType;
  for (const [name, field] of Object.entries(query.getFields()))
    field.resolve = (_parent, args) => (root[name] as (args: object) => unknown)(args as object);
  return schema;
}

const schema = makeSchema();
const logger: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

const directive = fc.constantFrom(
  '',
  '',
  '',
  ' @include(if: $yes)',
  ' @include(if: $no)',
  ' @skip(if: $yes)',
  ' @skip(if: true)',
);
const leaf = fc.constantFrom('id', '__typename', 'name', 'state', 'wrong', 'late', 'fails', 'strict', 'renamed: name');
const selectionOf = (depth: number): fc.Arbitrary<string> => {
  const leaves = fc.tuple(leaf, directive).map(([name, condition]) => `${name}${condition}`);
  if (depth === 0) return leaves;
  const inner = setOf(depth - 1);
  return fc.oneof(
    { weight: 4, arbitrary: leaves },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom('parent', 'children'), directive, inner).map((parts) => parts.join('')),
    },
    { weight: 1, arbitrary: fc.tuple(directive, inner).map(([condition, set]) => `... on Item${condition}${set}`) },
    { weight: 1, arbitrary: directive.map((condition) => `...Some${condition}`) },
  );
};
const setOf = (depth: number): fc.Arbitrary<string> =>
  fc.array(selectionOf(depth), { minLength: 1, maxLength: 4 }).map((parts) => ` { ${parts.join(' ')} }`);

const root = fc.oneof(
  fc
    .tuple(fc.constantFrom('item', 'items', 'item(first: $n)', 'broken', 'item(key: { a: 1 })'), directive, setOf(2))
    .map((parts) => parts.join('')),
  fc
    .tuple(fc.constantFrom('node', 'nodes'), directive, setOf(1))
    .map(([name, condition, set]) => `${name}${condition} { id ... on Item${set} ... on Other { size } }`),
);
const document = fc.tuple(fc.array(root, { minLength: 1, maxLength: 3 }), setOf(1)).map(([fields, some]) => {
  const aliased = fields.map((field, place) => `f${place}: ${field}`).join(' ');
  const fragment = some.replaceAll('...Some', '__typename');
  return `query ($yes: Boolean! = true, $no: Boolean! = false, $n: Int) { ${aliased} s: item { ...Some } } fragment Some on Item${fragment}`;
});

function operationOf(text: string, variables: Record<string, unknown> = {}): ValidOperation {
  const parsed = parse(text);
  const operation = parsed.definitions.find((one) => one.kind === 'OperationDefinition');
  return { document: parsed, operation, operationName: undefined, variables, context: {} as GraphQLContext };
}

async function told(execute: Execute, operation: ValidOperation) {
  const { data, errors = [] } = await execute(operation);
  const list = errors.map(({ message, path, locations, extensions }) =>
    JSON.stringify({ message, path, locations, extensions }),
  );
  return { data: JSON.parse(JSON.stringify({ data })), errors: list.toSorted() };
}

describe('compiled and interpreted', () => {
  it('any valid operation has the same answer', async () => {
    const compile = compilingExecute(schema, logger, 1);
    const interpret = interpretingExecute(schema);
    await fc.assert(
      fc.asyncProperty(
        document,
        fc.record(
          { yes: fc.boolean(), no: fc.boolean(), n: fc.oneof(fc.integer(), fc.string(), fc.constant(null)) },
          { requiredKeys: [] },
        ),
        async (text, variables) => {
          const operation = operationOf(text, variables);
          fc.pre(validate(schema, operation.document).length === 0);
          expect(await told(compile, operation)).toEqual(await told(interpret, operation));
        },
      ),
      { numRuns: 150, seed: 6 },
    );
  });

  it('a variable inside a scalar has its value', async () => {
    const operation = operationOf('query ($id: ID) { item(key: { id: $id, list: [$id] }) { name } }', { id: 'seven' });
    const compiled = await told(compilingExecute(schema, logger, 1), operation);
    expect(compiled.data).toEqual({ data: { item: { name: '{"key":{"id":"seven","list":["seven"]},"first":2}' } } });
  });
});
