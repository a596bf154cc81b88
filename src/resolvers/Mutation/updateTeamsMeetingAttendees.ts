import type { MutationResolvers } from '../../generated/graphql.ts';

export const updateTeamsMeetingAttendees: MutationResolvers['updateTeamsMeetingAttendees'] = (
  _parent,
  { input },
  { services, scope },
) => services.operations.updateAttendees(scope, input);
