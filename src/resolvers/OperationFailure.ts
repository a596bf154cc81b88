import type { OperationFailureResolvers } from '../generated/graphql.ts';

export const OperationFailure: OperationFailureResolvers = {
  occurredAt: ({ occurredAt }) => new Date(occurredAt),
  willRetryAt: ({ willRetryAt }) => willRetryAt ?? null,
};
