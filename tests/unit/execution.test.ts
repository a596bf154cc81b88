import fc from 'fast-check';
import {
  buildSchema,
  type GraphQLObjectType,
  type GraphQLSchema,
  NoUnusedVariablesRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
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
  input Options { state: State  first: Int = 3  tags: [String!] = ["new"]  within: Inner }
  input Inner { state: State  first: Int = 7 }
  type Query { item(key: Anything, first: Int = 2, options: Options, tags: [String!] = ["old"]): Item  items: [Item!]!  node: Node  nodes: [Node]  broken: Item! }
  type Item implements Node { id: ID!  name: String  state: State  wrong: State  late: String  fails: String  strict: String!  parent: Item  children: [Item!] }
  type Other implements Node { id: ID!  size: Float }
`;

/** The order of arguments is nobody's business. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a.localeCompare(b)));
}

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
    item: (args: object) => ({ ...item(0), name: JSON.stringify(args, inOrder) }),
    items: () => [item(1), item(2)],
    node: () => ({ __typename: 'Other', id: 'other', size: 1.5 }),
    nodes: () => [item(1), null, { __typename: 'Other', id: 'other', size: 'no number' }],
    broken: () => Promise.reject(new Error('broken')),
  };
  const query = schema.getQueryType() as GraphQLObjectType;
  for (const [name, field] of Object.entries(query.getFields()))
    field.resolve = (_parent, args) => (root[name] as (args: object) => unknown)(args as object);
  // graphql-jit calls no functions that it finds in an object: a field that works has a resolver, as all of ours do.
  const fields = (schema.getType('Item') as GraphQLObjectType).getFields();
  for (const name of ['late', 'fails', 'strict', 'parent', 'children'])
    Object.assign(fields[name] ?? {}, {
      resolve: (source: Record<string, unknown>) => {
        const value = source[name];
        return typeof value === 'function' ? (value as () => unknown)() : value;
      },
    });
  return schema;
}

const schema = makeSchema();
const logger: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A variable that an operation declares and does not use does no harm here. */
const RULES = specifiedRules.filter((rule) => rule !== NoUnusedVariablesRule);

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
    .tuple(
      fc.constantFrom(
        'item',
        'items',
        'item(first: $n)',
        'broken',
        'item(key: { a: 1 })',
        'item(options: { first: $n })',
        'item(options: { first: 4, state: OFF })',
        'item(options: { within: { first: $n, state: $state } })',
        'item(options: $options)',
        'item(tags: [$tag])',
        'item(tags: $tags)',
        'item(key: $any)',
        'item(tags: "one")',
      ),
      directive,
      setOf(2),
    )
    .map((parts) => parts.join('')),
  fc
    .tuple(fc.constantFrom('node', 'nodes'), directive, setOf(1))
    .map(([name, condition, set]) => `${name}${condition} { id ... on Item${set} ... on Other { size } }`),
);
const document = fc.tuple(fc.array(root, { minLength: 1, maxLength: 3 }), setOf(1)).map(([fields, some]) => {
  const aliased = fields.map((field, place) => `f${place}: ${field}`).join(' ');
  const fragment = some.replaceAll('...Some', '__typename');
  return `query ($yes: Boolean! = true, $no: Boolean! = false, $n: Int, $state: State = ON, $options: Options = { first: 5 }, $tag: String!, $tags: [String!] = [], $any: Anything = 1) { ${aliased} s: item { ...Some } } fragment Some on Item${fragment}`;
});

function operationOf(text: string, variables: Record<string, unknown> = {}): ValidOperation {
  const parsed = parse(text);
  const operation = parsed.definitions.find((one) => one.kind === 'OperationDefinition');
  return { document: parsed, operation, operationName: undefined, variables, context: {} as GraphQLContext };
}

/** How many steps of a path lead to something in an answer; less than it has, where something on the way is null. */
function reached(data: unknown, path: readonly (string | number)[]): number {
  let value = data;
  for (const [step, name] of path.entries()) {
    if (value === null || value === undefined) return step;
    value = (value as Record<string | number, unknown>)[name];
  }
  return path.length;
}

async function told(execute: Execute, operation: ValidOperation) {
  const { data, errors = [] } = await execute(operation);
  const list = errors.map(({ message, path = [], locations, extensions }) => {
    const length = reached(data, path);
    // What is null because of one field of it is: which of its other fields were tried, the specification leaves open.
    return JSON.stringify(length < path.length ? path.slice(0, length) : { message, path, locations, extensions });
  });
  return { data: JSON.parse(JSON.stringify({ data })), errors: [...new Set(list)].toSorted() };
}

describe('compiled and interpreted', () => {
  it('any valid operation has the same answer', async () => {
    const compile = compilingExecute(schema, logger, 1);
    const interpret = interpretingExecute(schema);
    await fc.assert(
      fc.asyncProperty(
        // With a directive nothing is compiled.
        fc.tuple(document, fc.boolean()).map(([text, isBare]) => (isBare ? text.replace(/ @\w+\([^)]*\)/g, '') : text)),
        fc.record(
          {
            yes: fc.boolean(),
            no: fc.boolean(),
            n: fc.oneof(fc.integer(), fc.string(), fc.constant(null)),
            state: fc.constantFrom('ON', 'OFF', null),
            options: fc.constantFrom({}, { first: null }, { within: { first: 1 } }, null),
            tag: fc.constantFrom('t', ''),
            tags: fc.constantFrom([], ['a'], 'b', null),
            any: fc.constantFrom('x', { y: ['z'] }, null),
          },
          { requiredKeys: ['tag'] },
        ),
        async (text, variables) => {
          const operation = operationOf(text, variables);
          fc.pre(validate(schema, operation.document, RULES).length === 0);
          expect(await told(compile, operation)).toEqual(await told(interpret, operation));
        },
      ),
      { numRuns: 400, seed: 6 },
    );
  });

  it('an omitted variable leaves out the field of an input object, and its default stands', async () => {
    const text = 'query ($n: Int, $state: State) { item(options: { first: $n, state: $state }) { name } }';
    const execute = compilingExecute(schema, logger, 1);
    for (const [variables, options] of [
      [{}, '{"first":3,"tags":["new"]}'],
      [{ n: null }, '{"first":null,"tags":["new"]}'],
      [{ state: 'OFF' }, '{"state":"OFF","first":3,"tags":["new"]}'],
    ] as const) {
      const { data } = await told(execute, operationOf(text, variables));
      const { name } = (data as { data: { item: { name: string } } }).data.item;
      expect((JSON.parse(name) as { options: unknown }).options).toEqual(JSON.parse(options));
    }
  });

  it('a variable inside a scalar has its value', async () => {
    const operation = operationOf('query ($id: ID) { item(key: { id: $id, list: [$id] }) { name } }', { id: 'seven' });
    const compiled = await told(compilingExecute(schema, logger, 1), operation);
    expect(compiled.data).toEqual({
      data: { item: { name: '{"first":2,"key":{"id":"seven","list":["seven"]},"tags":["old"]}' } },
    });
  });
});
