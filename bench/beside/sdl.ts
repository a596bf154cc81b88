/** What of the schema the workloads ask for; the peers serve this much. */
export const SDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  scalar DateTime
  type Appointment @key(fields: "id") { id: ID!  teamsMeeting: TeamsMeeting }
  type TeamsMeeting @key(fields: "id") {
    id: ID!  status: String!  subject: String!  startsAt: DateTime!  endsAt: DateTime!  joinUrl: String
    attendees: [MeetingAttendee!]!  recordings: [MeetingRecording!]!  transcripts: [MeetingTranscript!]!
  }
  type MeetingAttendee { emailAddress: String!  name: String  kind: String!  response: String! }
  type MeetingRecording @key(fields: "id") {
    id: ID!  createdAt: DateTime!  endedAt: DateTime  contentType: String!  storage: String!
  }
  type MeetingTranscript @key(fields: "id") { id: ID!  createdAt: DateTime!  endedAt: DateTime  isSpeakerAttributed: Boolean! }
  type Query { ok: Boolean }
`;
