import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { GraphQLError } from 'graphql';
import { DatabaseUnavailableError, InvalidArgumentError, type Logger } from '../services/scope.ts';

/** Every code that may stand in `errors[].extensions.code`. Held against docs/errors.md by a test. */
export const ERROR_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'GRAPHQL_VALIDATION_FAILED',
  'GRAPHQL_PARSE_FAILED',
  'OPERATION_TOO_COMPLEX',
  'RATE_LIMITED',
  'SERVICE_UNAVAILABLE',
  'INTERNAL_SERVER_ERROR',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export function unauthenticated(): GraphQLError {
  return new GraphQLError('A valid bearer token is needed.', { extensions: { code: 'UNAUTHENTICATED' } });
}

export function identityProviderAway(): GraphQLError {
  return new GraphQLError('Tokens cannot be checked at the moment. Try again shortly.', {
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
}

export function forbidden(permission: string): GraphQLError {
  return new GraphQLError(`The permission ${permission} is needed.`, { extensions: { code: 'FORBIDDEN' } });
}

/** What Apollo calls its own refusals, in the contract's words. */
const RENAMED: Record<string, ErrorCode> = {
  BAD_REQUEST: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'BAD_USER_INPUT',
  PERSISTED_QUERY_NOT_FOUND: 'BAD_USER_INPUT',
  PERSISTED_QUERY_NOT_SUPPORTED: 'BAD_USER_INPUT',
};

const TOO_COMPLEX =
  /^(Syntax Error: )?((Query depth|Aliases|Query Cost) limit of \d+ exceeded|Document contains more that \d+ tokens)/i;

function isCode(code: unknown): code is ErrorCode {
  return (ERROR_CODES as readonly unknown[]).includes(code);
}

/**
 * Makes Apollo's `formatError`: an error that was thrown on purpose keeps its message and gets a code of the
 * contract; anything else is logged and leaves the server without its message (outside production, with it).
 *
 * @param answered told the code of each error
 */
export function makeFormatError(logger: Logger, isProduction: boolean, answered: (code: ErrorCode) => void) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const original = unwrapResolverError(error);
    const { locations, path } = formatted;
    const answer = (message: string, code: ErrorCode) => {
      answered(code);
      return { message, locations, path, extensions: { code } };
    };
    if (original instanceof InvalidArgumentError) return answer(original.message, 'BAD_USER_INPUT');
    if (original instanceof DatabaseUnavailableError) {
      logger.error({ err: original }, 'the database does not answer');
      return answer('The service cannot answer at the moment. Try again shortly.', 'SERVICE_UNAVAILABLE');
    }
    // The limits refuse during validation and leave only their sentence to tell them by.
    if (TOO_COMPLEX.test(formatted.message))
      return answer(formatted.message.replace('Syntax Error: ', ''), 'OPERATION_TOO_COMPLEX');
    const code = formatted.extensions?.code;
    const renamed = typeof code === 'string' ? (RENAMED[code] ?? code) : code;
    if (isCode(renamed) && renamed !== 'INTERNAL_SERVER_ERROR') return answer(formatted.message, renamed);
    logger.error({ err: original, path }, 'a resolver failed');
    const message =
      isProduction || !(original instanceof Error) ? 'Something went wrong on our side.' : original.message;
    return answer(message, 'INTERNAL_SERVER_ERROR');
  };
}
