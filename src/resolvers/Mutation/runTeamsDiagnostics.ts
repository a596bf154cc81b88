import type { MutationResolvers } from '../../generated/graphql.ts';

export const runTeamsDiagnostics: MutationResolvers['runTeamsDiagnostics'] = (_parent, _args, { services, scope }) =>
  services.diagnostics.run(scope);
