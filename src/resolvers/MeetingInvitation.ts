import type { MeetingInvitationResolvers } from '../generated/graphql.ts';

export const MeetingInvitation: MeetingInvitationResolvers = {
  icsUrl: ({ meetingId }, _args, { services, scope }) => services.links.sign(scope.viewer, 'invitation', meetingId).url,
};
