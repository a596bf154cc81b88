import type { QueryResolvers } from '../../generated/graphql.ts';

export const teamsMeetingCapability: QueryResolvers['teamsMeetingCapability'] = (_parent, _args, { services, scope }) =>
  services.capability.get(scope);
