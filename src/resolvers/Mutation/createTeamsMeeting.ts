import type { MutationResolvers } from '../../generated/graphql.ts';

export const createTeamsMeeting: MutationResolvers['createTeamsMeeting'] = (_parent, { input }, { services, scope }) =>
  services.operations.create(scope, input);
