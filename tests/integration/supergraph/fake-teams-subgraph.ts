import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { GraphQLError, parse } from 'graphql';

export interface RecordedRequest {
  headers: IncomingHttpHeaders;
  query: string;
}

export interface FakeTeamsSubgraph {
  url: string;
  /** Requests since the start, without those for the SDL. */
  requests: RecordedRequest[];
  close(): Promise<void>;
}

type Interaction = {
  id: string;
  contact?: { name: string; email: string | null } | null;
  client?: { name: string; email: string | null; defaultLocation: { email: string | null } | null } | null;
};

const meeting = {
  __typename: 'TeamsMeeting',
  id: 'meeting-1',
  status: 'SCHEDULED',
  subject: 'Quarterly review',
  joinUrl: 'https://teams.microsoft.com/l/meetup-join/1',
  client: { id: 'client-acme' },
  appointment: { id: 'appt-a-1' },
  attendees: [
    { emailAddress: 'jane@acme.example', kind: 'CONTACT', contact: { id: 'contact-jane' } },
    { emailAddress: 'tina@msp-a.example', kind: 'USER', user: { id: 'user-tina' } },
  ],
};

function suggestions({ contact, client }: Interaction): object[] {
  if (contact?.email) return [{ emailAddress: contact.email, name: contact.name, kind: 'CONTACT', source: 'CONTACT' }];
  const location = client?.defaultLocation?.email;
  if (location) return [{ emailAddress: location, name: client?.name, kind: 'EMAIL', source: 'CLIENT_LOCATION' }];
  return client?.email ? [{ emailAddress: client.email, name: client.name, kind: 'EMAIL', source: 'CLIENT' }] : [];
}

const forbidden = (): never => {
  throw new GraphQLError('Not for you.', { extensions: { code: 'FORBIDDEN' } });
};

const resolvers = {
  Query: { teamsMeeting: () => ({ ...meeting }), teamsSettings: forbidden },
  Mutation: { createTeamsMeeting: () => ({ meeting: { ...meeting }, userErrors: [] }) },
  Appointment: {
    __resolveReference: async (reference: { id: string }) => reference,
    teamsMeeting: ({ id }: { id: string }) => (id === 'appt-a-1' ? { ...meeting } : null),
    recordings: () => [],
    transcripts: forbidden,
  },
  Interaction: { __resolveReference: async (reference: Interaction) => reference, suggestedAttendees: suggestions },
};

/** A subgraph with the project's own schema and canned answers: one meeting, at appointment `appt-a-1`. */
export async function startFakeTeamsSubgraph(port = 0): Promise<FakeTeamsSubgraph> {
  const typeDefs = parse(readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'));
  const schema = buildSubgraphSchema([{ typeDefs, resolvers }]);
  const requests: RecordedRequest[] = [];
  const server = new ApolloServer({
    schema,
    plugins: [
      ApolloServerPluginInlineTraceDisabled(),
      {
        async requestDidStart({ request: { query = '', http } }) {
          if (!query.includes('_service')) requests.push({ headers: Object.fromEntries(http?.headers ?? []), query });
        },
      },
    ],
    stopOnTerminationSignals: false,
  });
  const { url } = await startStandaloneServer(server, { listen: { port, host: '127.0.0.1' } });
  return { url, requests, close: () => server.stop() };
}
