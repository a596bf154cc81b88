import type { QueryResolvers } from '../../generated/graphql.ts';

// No diagnosis can be run yet, so there is none to show.
export const teamsDiagnostics: QueryResolvers['teamsDiagnostics'] = () => null;
