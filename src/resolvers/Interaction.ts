import type { InteractionResolvers } from '../generated/graphql.ts';
import { suggestAttendees } from '../services/attendees/attendees.ts';
import { recordingsOf, transcriptsOf } from './meeting-parts.ts';
import { meetingShapeOf } from './meeting-shape.ts';

export const Interaction: InteractionResolvers = {
  __resolveReference: (reference) => reference,
  teamsMeeting: ({ id }, _args, { loaders }, info) =>
    loaders.meetingByInteraction.load({ id, shape: meetingShapeOf(info) }),
  async recordings({ id }, _args, { loaders }, info) {
    const meeting = await loaders.meetingByInteraction.load({ id, shape: meetingShapeOf(info) });
    return meeting === null ? [] : recordingsOf(meeting, loaders);
  },
  async transcripts({ id }, _args, { loaders }, info) {
    const meeting = await loaders.meetingByInteraction.load({ id, shape: meetingShapeOf(info) });
    return meeting === null ? [] : transcriptsOf(meeting, loaders);
  },
  suggestedAttendees: (interaction) => suggestAttendees(interaction),
};
