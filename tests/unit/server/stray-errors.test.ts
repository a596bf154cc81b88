import { EventEmitter, once } from 'node:events';
import { buildSchema, GraphQLError, type GraphQLObjectType, parse } from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import type { GraphQLContext } from '../../../src/resolvers/context.ts';
import { interpretingExecute } from '../../../src/server/execution.ts';
import { outliveStrayErrors } from '../../../src/server/stray-errors.ts';

function listening() {
  const processes = new EventEmitter();
  const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  outliveStrayErrors(processes, logger);
  return { processes, logger };
}

describe('an error that nobody waits for', () => {
  it('is told and outlived when an operation left it behind, as graphql-js does', async () => {
    const schema = buildSchema('type Query { items: [Item!] } type Item { strict: Int! }');
    const { items } = schema.getQueryType()?.getFields() ?? {};
    const { strict } = (schema.getType('Item') as GraphQLObjectType).getFields();
    Object.assign(items ?? {}, { resolve: () => [1, 2] });
    // The second fails at once, the first a moment later.
    Object.assign(strict ?? {}, { resolve: (item: number) => (item === 1 ? Promise.resolve(null) : null) });
    const document = parse('{ items { strict } }');

    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    try {
      const stray = once(process, 'unhandledRejection') as Promise<[unknown]>;
      const operation = { document, operation: undefined, operationName: undefined, variables: {} };
      const { data, errors } = await interpretingExecute(schema)({ ...operation, context: {} as GraphQLContext });
      expect([data, errors?.length]).toEqual([{ items: null }, 1]);
      const [reason] = await stray;
      const { processes, logger } = listening();
      processes.emit('unhandledRejection', reason);
      expect(logger.error).toHaveBeenCalledWith({ err: reason }, expect.any(String));
    } finally {
      for (const listener of others) process.on('unhandledRejection', listener);
    }
  });

  it('ends the process when it is any other', () => {
    const { processes, logger } = listening();
    const reason = new TypeError('a mistake of ours');
    expect(() => processes.emit('unhandledRejection', reason)).toThrow(reason);
    expect(logger.error).not.toHaveBeenCalled();
    expect(reason).not.toBeInstanceOf(GraphQLError);
  });
});
