import type { QueryResolvers } from '../../generated/graphql.ts';

export const teamsDiagnostics: QueryResolvers['teamsDiagnostics'] = (_parent, _args, { services, scope }) =>
  services.diagnostics.latest(scope);
