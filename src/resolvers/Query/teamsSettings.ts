import type { QueryResolvers } from '../../generated/graphql.ts';

export const teamsSettings: QueryResolvers['teamsSettings'] = (_parent, _args, context) => context.settings();
