import type { Resolvers } from '../generated/graphql.ts';
import { Appointment } from './Appointment.ts';
import { Interaction } from './Interaction.ts';
import { MeetingAttendee } from './MeetingAttendee.ts';
import { MeetingInvitation } from './MeetingInvitation.ts';
import { MeetingRecording } from './MeetingRecording.ts';
import { MeetingTranscript } from './MeetingTranscript.ts';
import { cancelTeamsMeeting } from './Mutation/cancelTeamsMeeting.ts';
import { connectMicrosoftApp } from './Mutation/connectMicrosoftApp.ts';
import { createTeamsMeeting } from './Mutation/createTeamsMeeting.ts';
import { refreshTeamsMeetingArtifacts } from './Mutation/refreshTeamsMeetingArtifacts.ts';
import { rescheduleTeamsMeeting } from './Mutation/rescheduleTeamsMeeting.ts';
import { retryTeamsMeeting } from './Mutation/retryTeamsMeeting.ts';
import { runTeamsDiagnostics } from './Mutation/runTeamsDiagnostics.ts';
import { updateTeamsMeetingAttendees } from './Mutation/updateTeamsMeetingAttendees.ts';
import { updateTeamsSettings } from './Mutation/updateTeamsSettings.ts';
import { verifyTeamsOrganizer } from './Mutation/verifyTeamsOrganizer.ts';
import { OperationFailure } from './OperationFailure.ts';
import { searchTranscripts } from './Query/searchTranscripts.ts';
import { teamsDiagnostics } from './Query/teamsDiagnostics.ts';
import { teamsMeeting } from './Query/teamsMeeting.ts';
import { teamsMeetingCapability } from './Query/teamsMeetingCapability.ts';
import { teamsMeetings } from './Query/teamsMeetings.ts';
import { teamsSettings } from './Query/teamsSettings.ts';
import { teamsSetupGuide } from './Query/teamsSetupGuide.ts';
import { scalars } from './scalars.ts';
import { TeamsMeeting } from './TeamsMeeting.ts';
import { TeamsMeetingConnection } from './TeamsMeetingConnection.ts';
import { TeamsSettings } from './TeamsSettings.ts';

/** Every resolver of the subgraph; a field without one is a property of its parent. */
export const resolvers: Resolvers = {
  Query: {
    teamsMeetingCapability,
    teamsMeeting,
    teamsMeetings,
    searchTranscripts,
    teamsSettings,
    teamsDiagnostics,
    teamsSetupGuide,
  },
  Mutation: {
    connectMicrosoftApp,
    updateTeamsSettings,
    verifyTeamsOrganizer,
    runTeamsDiagnostics,
    createTeamsMeeting,
    rescheduleTeamsMeeting,
    updateTeamsMeetingAttendees,
    cancelTeamsMeeting,
    retryTeamsMeeting,
    refreshTeamsMeetingArtifacts,
  },
  Appointment,
  Interaction,
  TeamsMeeting,
  TeamsMeetingConnection,
  MeetingAttendee,
  MeetingInvitation,
  MeetingRecording,
  MeetingTranscript,
  TeamsSettings,
  OperationFailure,
  ...scalars,
};
