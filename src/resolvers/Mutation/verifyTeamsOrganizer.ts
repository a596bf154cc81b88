import type { MutationResolvers } from '../../generated/graphql.ts';

export const verifyTeamsOrganizer: MutationResolvers['verifyTeamsOrganizer'] = (
  _parent,
  { input },
  { services, scope },
) => services.verifyOrganizer(scope, input ?? {});
