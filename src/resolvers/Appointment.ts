import type { AppointmentResolvers } from '../generated/graphql.ts';
import { recordingsOf, transcriptsOf } from './meeting-parts.ts';
import { meetingShapeOf } from './meeting-shape.ts';

export const Appointment: AppointmentResolvers = {
  // The core owns appointments: whether one exists is not ours to say, so a failure here can never make it null.
  __resolveReference: ({ id }) => ({ id }),
  teamsMeeting: ({ id }, _args, { loaders }, info) =>
    loaders.meetingByAppointment.load({ id, shape: meetingShapeOf(info) }),
  async recordings({ id }, _args, { loaders }, info) {
    const meeting = await loaders.meetingByAppointment.load({ id, shape: meetingShapeOf(info) });
    return meeting === null ? [] : recordingsOf(meeting, loaders);
  },
  async transcripts({ id }, _args, { loaders }, info) {
    const meeting = await loaders.meetingByAppointment.load({ id, shape: meetingShapeOf(info) });
    return meeting === null ? [] : transcriptsOf(meeting, loaders);
  },
};
