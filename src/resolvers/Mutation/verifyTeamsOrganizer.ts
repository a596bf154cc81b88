import type { MutationResolvers } from '../../generated/graphql.ts';

export const verifyTeamsOrganizer: MutationResolvers['verifyTeamsOrganizer'] = (_parent, _args, { services, scope }) =>
  services.verifyOrganizer(scope);
