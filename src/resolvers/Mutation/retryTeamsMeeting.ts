import type { MutationResolvers } from '../../generated/graphql.ts';

export const retryTeamsMeeting: MutationResolvers['retryTeamsMeeting'] = (_parent, { input }, { services, scope }) =>
  services.operations.retry(scope, input);
