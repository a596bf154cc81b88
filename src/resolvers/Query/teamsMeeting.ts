import type { QueryResolvers } from '../../generated/graphql.ts';

export const teamsMeeting: QueryResolvers['teamsMeeting'] = (_parent, { id }, { loaders }) =>
  loaders.meetingById.load(id);
