/** An operation as the PSA's frontend and phones send it. */
export interface Operation {
  name: string;
  query: string;
  variables: Record<string, unknown>;
}

const MEETING = `id status subject startsAt endsAt joinUrl attendees { emailAddress name kind response }
  recordings { id createdAt contentUrl } transcripts { id createdAt } artifactCapture { state }`;

const entities = (fields: string) =>
  `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Appointment { ${fields} } ... on Interaction { ${fields} } } }`;

/** The reads that make up nearly all traffic: boards, phones, lists, one meeting, a search. */
export function hotReads({ subjects, meetingId }: { subjects: readonly string[]; meetingId: string }): Operation[] {
  const r = (__typename: string, ids: readonly string[]) => ids.map((id) => ({ __typename, id }));
  const [first = ''] = subjects;
  return [
    {
      name: 'board of appointments',
      query: entities(`teamsMeeting { ${MEETING} } recordings { id } transcripts { id }`),
      variables: { r: r('Appointment', subjects) },
    },
    {
      name: 'board of interactions',
      query: entities(`teamsMeeting { ${MEETING} }`),
      variables: { r: r('Interaction', subjects) },
    },
    {
      name: 'join link on a phone',
      query: entities('teamsMeeting { joinUrl }'),
      variables: { r: r('Appointment', [first]) },
    },
    {
      name: 'list of a client',
      query: `query ($filter: TeamsMeetingFilter) { teamsMeetings(filter: $filter, first: 20) { totalCount edges { cursor node { ${MEETING} } } pageInfo { hasNextPage } } }`,
      variables: { filter: { clientId: 'client-acme', status: ['SCHEDULED'], startsFrom: '2020-01-01T00:00:00Z' } },
    },
    {
      name: 'list of mine with recordings',
      query: `query ($filter: TeamsMeetingFilter) { teamsMeetings(filter: $filter, first: 20) { edges { node { id joinUrl } } } }`,
      variables: { filter: { mine: true, hasRecordings: true } },
    },
    {
      name: 'one meeting with what was said',
      query: `query ($id: ID!) { teamsMeeting(id: $id) { ${MEETING} transcripts { text speakers { name } cues(first: 10) { edges { node { text } } } } attendanceReports { id } } }`,
      variables: { id: meetingId },
    },
    {
      name: 'search',
      query: `query ($query: String!, $filter: TeamsMeetingFilter) { searchTranscripts(query: $query, filter: $filter, first: 10) { edges { node { excerpt transcript { id meeting { subject } } } } } }`,
      variables: { query: 'hello', filter: { clientId: 'client-acme' } },
    },
    { name: 'capability', query: '{ teamsMeetingCapability { available } }', variables: {} },
  ];
}
