import type { EventEmitter } from 'node:events';
import { GraphQLError } from 'graphql';
import type { Logger } from '../services/scope.ts';

/**
 * Keeps a process alive over an error of an operation that nobody waits for. graphql-js 16 leaves one: where an item of a
 * list fails at once, what an item before it still waits for may fail later (its execution/execute.js, completeListValue).
 * The answer has told the first error by then. Whatever else is not waited for ends the process, as Node has it.
 */
export function outliveStrayErrors(processes: Pick<EventEmitter, 'on'>, logger: Logger): void {
  processes.on('unhandledRejection', (reason: unknown) => {
    if (!(reason instanceof GraphQLError)) throw reason;
    logger.error({ err: reason }, 'an operation failed once more after its answer');
  });
}
