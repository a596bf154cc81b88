/**
 * The example's gateway over a small PSA and one of the servers, whose address is the first argument. The supergraph is
 * the same whichever server it is.
 */
import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { composeServices } from '@theguild/federation-composition';
import { gql } from 'graphql-tag';
import { createYoga } from 'graphql-yoga';
import { startGateway } from '../../../examples/supergraph/gateway/server.ts';
import { tellReady } from '../peer.ts';
import { SDL } from '../sdl.ts';

const PSA_SDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Appointment @key(fields: "id") { id: ID! }
  type Query { appointments(ids: [ID!]!): [Appointment!]! }
`;

const [teamsUrl = ''] = process.argv.slice(2);
const resolvers = {
  Query: { appointments: (_parent: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ id })) },
};
const psa = createServer(
  createYoga({
    schema: buildSubgraphSchema([{ typeDefs: gql(PSA_SDL), resolvers }]),
    logging: 'error',
    graphiql: false,
  }),
);
await new Promise<void>((resolve) => psa.listen(0, '127.0.0.1', resolve));
const address = psa.address();
const psaUrl = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/graphql`;

const { supergraphSdl, errors } = composeServices([
  { name: 'psa', url: psaUrl, typeDefs: gql(PSA_SDL) },
  { name: 'teams-meetings', url: teamsUrl, typeDefs: gql(SDL) },
]);
if (supergraphSdl === undefined) throw new Error(errors?.map(({ message }) => message).join('\n'));
const gateway = await startGateway({ hostname: '127.0.0.1', port: 0 });
gateway.serve(supergraphSdl, []);
tellReady(gateway.url);
