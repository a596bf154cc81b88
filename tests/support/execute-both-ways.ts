import { isDeepStrictEqual } from 'node:util';
import { type ExecutionResult, type GraphQLError, type GraphQLSchema, print } from 'graphql';
import { compilingExecute, type Execute, interpretingExecute } from '../../src/server/execution.ts';
import type { Logger } from '../../src/services/scope.ts';

const pathOf = ({ path }: GraphQLError) => path?.join('.') ?? '';

/** What a client can tell of an answer. The order of errors means nothing. */
function told({ data, errors = [] }: ExecutionResult): unknown {
  const asSent = errors.map((error) => ({
    path: pathOf(error),
    message: error.message,
    extensions: error.extensions ?? {},
  }));
  return JSON.parse(
    JSON.stringify({
      // Without data and with null data are two different answers.
      data: data === undefined ? 'none' : data,
      errors: asSent.toSorted((a, b) => a.path.localeCompare(b.path) || a.message.localeCompare(b.message)),
    }),
  );
}

/**
 * Executes every query compiled and interpreted, and fails it when the answers differ. A mutation can be executed only
 * once: its text decides how, so that over all tests each way is taken.
 */
export function executeBothWays(schema: GraphQLSchema, logger: Logger): Execute {
  const compile = compilingExecute(schema, logger, 1);
  const interpret = interpretingExecute(schema);
  return async (operation) => {
    if (operation.operation?.operation === 'mutation')
      return print(operation.document).length % 2 === 0 ? compile(operation) : interpret(operation);
    let differing = '';
    // Twice, because a second may begin between the two answers, and links and states tell the time.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const [compiled, interpreted] = [await compile(operation), await interpret(operation)];
      if (isDeepStrictEqual(told(compiled), told(interpreted))) return compiled;
      differing = `${JSON.stringify(told(compiled))}\n${JSON.stringify(told(interpreted))}`;
    }
    throw new Error(`Compiled and interpreted, the answers differ:\n${differing}`);
  };
}
