import { readFileSync } from 'node:fs';
import { buildASTSchema, buildSchema, getNamedType, isInputObjectType, parse } from 'graphql';
import * as graphqlJit from 'graphql-jit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { GraphQLContext } from '../../src/resolvers/context.ts';
import { compilingExecute, type ValidOperation } from '../../src/server/execution.ts';
import type { Logger } from '../../src/services/scope.ts';
import type { Viewer } from '../../src/services/viewer.ts';

vi.mock('graphql-jit', async (importOriginal) => {
  const original = await importOriginal<typeof graphqlJit>();
  return { ...original, compileQuery: vi.fn(original.compileQuery) };
});
const compiled = vi.mocked(graphqlJit.compileQuery);
beforeEach(() => void compiled.mockClear());

const logger: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const schema = buildSchema(`
  input Filter { id: ID  state: State }
  enum State { ON OFF }
  type Query { item(id: ID, state: State, first: Int, filter: Filter): Item }
  type Item { id: ID  ${Array.from({ length: 100 }, (_, n) => `f${n}: Int`).join(' ')} }
`);

function asked(text: string, viewer: Viewer | null = {} as Viewer): ValidOperation {
  const document = parse(text);
  const operation = document.definitions.find((one) => one.kind === 'OperationDefinition');
  return { document, operation, operationName: undefined, variables: {}, context: { viewer } as GraphQLContext };
}

/** How often an operation was compiled when it was asked for three times. */
async function timesCompiled(text: string, viewer?: Viewer | null): Promise<number> {
  const execute = compilingExecute(schema, logger);
  const operation = asked(text, viewer);
  for (let use = 0; use < 3; use += 1) await execute(operation);
  return compiled.mock.calls.length;
}

const manyFields = (aliases: number) =>
  `{ ${Array.from({ length: aliases }, (_, n) => `a${n}: item(first: ${n}) { ...F }`).join(' ')} }
   fragment F on Item { ${Array.from({ length: 99 }, (_, n) => `f${n}`).join(' ')} }`;

describe('what is compiled', () => {
  it.each([
    ['variables', 'query ($id: ID, $first: Int = 2) { item(id: $id, first: $first) { id } }'],
    ['numbers and enums', '{ item(first: 3, state: ON) { id } }'],
    ['an input object of literals', '{ item(filter: { state: ON }) { id } }'],
    ['a thousand fields', manyFields(10)],
  ])('is an operation that comes again, once: %s', async (_, text) => {
    expect(await timesCompiled(text)).toBe(1);
  });

  it.each([
    ['holds a text', '{ item(id: "1") { id } }'],
    ['holds a text as a default', 'query ($id: ID = "1") { item(id: $id) { id } }'],
    ['has a variable inside an input object', 'query ($id: ID) { item(filter: { id: $id }) { id } }'],
    ['has a directive', 'query ($yes: Boolean! = true) { item { id @include(if: $yes) } }'],
    ['has a name as graphql-jit marks what is code', '{ __MAGIC_DATE__1: item { id } }'],
    ['has more fields, once its fragments are in their places', manyFields(11)],
  ])('is none that %s', async (_, text) => {
    expect(await timesCompiled(text)).toBe(0);
  });

  it('is none of somebody without a token', async () => {
    expect(await timesCompiled('{ item(first: 3) { id } }', null)).toBe(0);
  });

  it('is kept up to twenty thousand fields, and those that were asked for last', async () => {
    const execute = compilingExecute(schema, logger, 1);
    const operations = Array.from({ length: 30 }, () => asked(manyFields(10)));
    for (const operation of operations) await execute(operation);
    expect(compiled).toHaveBeenCalledTimes(30);
    const [first = asked('{ item { id } }'), last = first] = [operations[0], operations.at(-1)];
    await execute(last);
    expect(compiled).toHaveBeenCalledTimes(30);
    await execute(first);
    expect(compiled).toHaveBeenCalledTimes(31);
  });
});

it('no input type of the schema holds itself: graphql-jit would not come to an end', () => {
  const sdl = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
  const inputs = Object.values(buildASTSchema(parse(sdl), { assumeValid: true }).getTypeMap()).filter(
    isInputObjectType,
  );
  expect(inputs.length).toBeGreaterThan(10);
  const reach = (path: string[]): string[][] => {
    const type = inputs.find(({ name }) => name === path.at(-1));
    return Object.values(type?.getFields() ?? {}).flatMap((field) => {
      const { name } = getNamedType(field.type);
      return path.includes(name) ? [[...path, name]] : reach([...path, name]);
    });
  };
  expect(inputs.flatMap(({ name }) => reach([name]))).toEqual([]);
});
