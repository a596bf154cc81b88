import type { AppointmentResolvers } from '../generated/graphql.ts';

export const Appointment: AppointmentResolvers = {
  // The core owns appointments: whether one exists is not ours to say, so a failure here can never make it null.
  __resolveReference: ({ id }) => ({ id }),
  teamsMeeting: ({ id }, _args, { loaders }) => loaders.meetingByAppointment.load(id),
  async recordings({ id }, _args, { loaders }) {
    const meeting = await loaders.meetingByAppointment.load(id);
    return meeting === null ? [] : loaders.recordingsByMeeting.load(meeting.id);
  },
  async transcripts({ id }, _args, { loaders }) {
    const meeting = await loaders.meetingByAppointment.load(id);
    return meeting === null ? [] : loaders.transcriptsByMeeting.load(meeting.id);
  },
};
