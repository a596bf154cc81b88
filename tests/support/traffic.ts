import { CANCEL, MOVED, RESCHEDULE } from '../integration/domain/changing-app.ts';
import { CREATE, meetingInput } from './setup.ts';
import type { GraphQLAnswer } from './subgraph.ts';

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

/** What is sent without a pause. */
export interface Traffic {
  answered: number;
  /** What was answered otherwise than it should be, or not at all. */
  failures: string[];
  stop(): Promise<void>;
}

/**
 * Sends reads one after the other on each of three lines, and makes, moves and cancels meetings on a fourth, until it is
 * stopped.
 */
export function startTraffic({
  send,
  reads,
  onFailure = () => undefined,
}: {
  send: (query: string, variables: Record<string, unknown>) => Promise<GraphQLAnswer<Record<string, unknown>>>;
  reads: readonly Operation[];
  onFailure?: () => void;
}): Traffic {
  let stopped = false;
  const traffic: Traffic = {
    answered: 0,
    failures: [],
    stop: async () => {
      stopped = true;
      await Promise.all(lines);
    },
  };
  const ask = async (query: string, variables: Record<string, unknown>): Promise<Record<string, unknown> | null> => {
    const { status, data, errors } = await send(query, variables).catch((error: unknown) => ({
      status: 0,
      data: null,
      errors: [{ message: String(error) }],
    }));
    traffic.answered += 1;
    const said = errors.map(({ message }) => message);
    for (const payload of Object.values(data ?? {}) as ({ userErrors?: { message: string }[] } | null)[])
      said.push(...(payload?.userErrors ?? []).map(({ message }) => message));
    if (status === 200 && said.length === 0) return data;
    traffic.failures.push(`${query.slice(0, 80)}: ${status} ${said.join(', ')}`);
    onFailure();
    return null;
  };
  const reading = async (offset: number) => {
    for (let i = offset; !stopped; i += 1) {
      const read = reads[i % reads.length];
      if (read !== undefined) await ask(read.query, read.variables);
    }
  };
  const writing = async () => {
    for (let i = 0; !stopped; i += 1) {
      const made = await ask(CREATE, { input: meetingInput({ appointmentId: `appt-while-upgrading-${i}` }) });
      const { meeting } = (made?.createTeamsMeeting ?? {}) as { meeting?: { id: string } };
      if (meeting === undefined) continue;
      await ask(RESCHEDULE, { input: { meetingId: meeting.id, ...MOVED } });
      await ask(CANCEL, { input: { meetingId: meeting.id } });
    }
  };
  const lines = [reading(0), reading(3), reading(6), writing()];
  return traffic;
}
