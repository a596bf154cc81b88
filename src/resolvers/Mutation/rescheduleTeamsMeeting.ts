import type { MutationResolvers } from '../../generated/graphql.ts';

export const rescheduleTeamsMeeting: MutationResolvers['rescheduleTeamsMeeting'] = (
  _parent,
  { input },
  { services, scope },
) => services.operations.reschedule(scope, input);
