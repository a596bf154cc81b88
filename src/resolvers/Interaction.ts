import type { InteractionResolvers } from '../generated/graphql.ts';
import { suggestAttendees } from '../services/attendees/attendees.ts';

export const Interaction: InteractionResolvers = {
  __resolveReference: (reference) => reference,
  teamsMeeting: ({ id }, _args, { loaders }) => loaders.meetingByInteraction.load(id),
  async recordings({ id }, _args, { loaders }) {
    const meeting = await loaders.meetingByInteraction.load(id);
    return meeting === null ? [] : loaders.recordingsByMeeting.load(meeting.id);
  },
  async transcripts({ id }, _args, { loaders }) {
    const meeting = await loaders.meetingByInteraction.load(id);
    return meeting === null ? [] : loaders.transcriptsByMeeting.load(meeting.id);
  },
  suggestedAttendees: (interaction) => suggestAttendees(interaction),
};
