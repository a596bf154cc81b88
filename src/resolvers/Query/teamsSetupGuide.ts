import type { QueryResolvers } from '../../generated/graphql.ts';

export const teamsSetupGuide: QueryResolvers['teamsSetupGuide'] = async (_parent, _args, { services, scope }) => ({
  steps: await services.setupGuide.get(scope),
});
