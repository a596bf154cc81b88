import { GraphQLError } from 'graphql';
import type { TeamsMeetingResolvers } from '../generated/graphql.ts';
import { renderInvitation } from '../services/invitations/invitation.ts';
import { defaultsFailureOf, failureOf, statusAt } from '../services/meetings/meeting.ts';
import { isTimeZone } from '../services/meetings/meeting-input.ts';
import { attendeesOf, recordingsOf, transcriptsOf } from './meeting-parts.ts';

function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length > 0;
  } catch {
    return false;
  }
}

export const TeamsMeeting: TeamsMeetingResolvers = {
  __resolveReference: async ({ id }, { loaders }) => loaders.meetingById.load(id),
  status: (meeting, _args, { services }) => statusAt(meeting, services.clock()),
  appointment: ({ appointmentId }) => (appointmentId === null ? null : { id: appointmentId }),
  interaction: ({ interactionId }) => (interactionId === null ? null : { id: interactionId }),
  client: ({ clientId }) => (clientId === null ? null : { id: clientId }),
  organizer: (meeting) => ({
    userPrincipalName: meeting.organizerUpn,
    objectId: meeting.organizerObjectId,
    displayName: meeting.organizerDisplayName,
  }),
  attendees: (meeting, _args, { loaders }) => attendeesOf(meeting, loaders),
  recordings: (meeting, _args, { loaders }) => recordingsOf(meeting, loaders),
  transcripts: (meeting, _args, { loaders }) => transcriptsOf(meeting, loaders),
  attendanceReports: ({ id }, _args, { loaders }) => loaders.attendanceByMeeting.load(id),
  artifactCapture: (meeting, _args, { loaders }) => loaders.captureByMeeting.load(meeting),
  async invitation(meeting, { timeZone, locale }, { loaders }) {
    const zone = timeZone ?? 'UTC';
    const language = locale ?? 'en';
    if (!isTimeZone(zone))
      throw new GraphQLError(`timeZone is not an IANA time zone.`, { extensions: { code: 'BAD_USER_INPUT' } });
    if (!isLocale(language))
      throw new GraphQLError(`locale is not a BCP 47 language tag.`, { extensions: { code: 'BAD_USER_INPUT' } });
    const attendees = await loaders.attendeesByMeeting.load(meeting.id);
    return { ...renderInvitation(meeting, attendees, { timeZone: zone, locale: language }), meetingId: meeting.id };
  },
  // What went wrong between us and Microsoft is for the people who can mend it.
  failure(meeting, _args, { viewer, services }) {
    const failure = viewer?.kind === 'client' ? null : failureOf(meeting, services.clock());
    return failure === null ? null : { ...failure, willRetryAt: meeting.nextAttemptAt };
  },
  defaultsFailure(meeting, _args, { viewer }) {
    const failure = viewer?.kind === 'client' ? null : defaultsFailureOf(meeting);
    return failure === null ? null : { ...failure, willRetryAt: meeting.defaultsNextAt };
  },
};
