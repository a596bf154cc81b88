import type { MutationResolvers } from '../../generated/graphql.ts';

export const cancelTeamsMeeting: MutationResolvers['cancelTeamsMeeting'] = (_parent, { input }, { services, scope }) =>
  services.operations.cancel(scope, input);
