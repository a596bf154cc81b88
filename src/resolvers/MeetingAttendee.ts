import type { MeetingAttendeeResolvers } from '../generated/graphql.ts';

export const MeetingAttendee: MeetingAttendeeResolvers = {
  contact: ({ contactId }) => (contactId === null ? null : { id: contactId }),
  user: ({ userId }) => (userId === null ? null : { id: userId }),
};
