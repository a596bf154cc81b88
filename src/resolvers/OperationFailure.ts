import type { OperationFailureResolvers } from '../generated/graphql.ts';

export const OperationFailure: OperationFailureResolvers = {
  occurredAt: ({ occurredAt }) => new Date(occurredAt),
  // Nothing tries again by itself yet.
  willRetryAt: () => null,
};
