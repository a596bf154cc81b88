import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: 'schema.graphql',
  generates: {
    'src/generated/graphql.ts': {
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        federation: true,
        useTypeImports: true,
        enumType: 'string-literal',
        enumsAsTypes: true,
        immutableTypes: false,
        maybeValue: 'T | null | undefined',
        inputMaybeValue: 'T | null | undefined',
        contextType: '../resolvers/context.ts#GraphQLContext',
        defaultScalarType: 'unknown',
        mappers: {
          Appointment: '../resolvers/parents.ts#AppointmentParent',
          AttendanceReport: '../services/artifacts/artifact-reads.ts#Attendance',
          Interaction: '../resolvers/parents.ts#InteractionParent',
          Contact: '../resolvers/parents.ts#EntityReference',
          Client: '../resolvers/parents.ts#EntityReference',
          User: '../resolvers/parents.ts#EntityReference',
          TeamsMeeting: '../services/meetings/meeting-board.ts#MeetingWithParts',
          TeamsMeetingConnection: '../resolvers/parents.ts#MeetingConnectionParent',
          MeetingAttendee: '../services/meetings/meeting.ts#StoredAttendee',
          MeetingInvitation: '../resolvers/parents.ts#InvitationParent',
          MeetingRecording: '../services/artifacts/artifact-reads.ts#Recording',
          MeetingTranscript: '../services/artifacts/artifact-reads.ts#TranscriptHead',
          TranscriptMatch: '../services/transcripts/search.ts#TranscriptMatch as FoundMatch',
          TeamsSettings: '../services/settings/settings.ts#Settings',
          MicrosoftApp: '../services/microsoft-app/microsoft-app.ts#ConnectedMicrosoftApp',
          OrganizerVerification: '../services/verification/checklist.ts#Verification',
          OperationFailure: '../resolvers/parents.ts#FailureParent',
          ArtifactCapture: '../services/artifacts/capture-state.ts#ArtifactCapture as CaptureFacts',
        },
        scalars: {
          ID: { input: 'string', output: 'string' },
          DateTime: { input: 'Date', output: 'Date' },
          URL: { input: 'string', output: 'string' },
          EmailAddress: { input: 'string', output: 'string' },
          TimeZone: { input: 'string', output: 'string' },
        },
      },
    },
  },
};

export default config;
