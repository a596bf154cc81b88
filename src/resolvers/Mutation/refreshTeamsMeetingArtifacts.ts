import type { MutationResolvers } from '../../generated/graphql.ts';

export const refreshTeamsMeetingArtifacts: MutationResolvers['refreshTeamsMeetingArtifacts'] = (
  _parent,
  { input },
  { services, scope },
) => services.refreshArtifacts(scope, input.meetingId);
