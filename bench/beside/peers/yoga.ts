/** GraphQL Yoga with loaders: over pg, or over Prisma when the third argument says so. */
import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { gql } from 'graphql-tag';
import { createYoga } from 'graphql-yoga';
import pg from 'pg';
import { PrismaClient } from '../../../src/generated/prisma/client.ts';
import { pgLoaders, prismaLoaders } from '../loaders.ts';
import { peerEnvironment, tellReady, viewerOf } from '../peer.ts';
import { LOADER_RESOLVERS } from '../resolvers.ts';
import { SDL } from '../sdl.ts';

const { databaseUrl, poolSize, authenticate } = await peerEnvironment();
const isOverPrisma = process.argv[4] === 'prisma';
const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });
const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });

const yoga = createYoga({
  schema: buildSubgraphSchema([{ typeDefs: gql(SDL), resolvers: LOADER_RESOLVERS }]),
  logging: 'error',
  graphiql: false,
  context: async ({ request }) => {
    const { tenantId } = await viewerOf(authenticate, request.headers.get('authorization') ?? undefined);
    return { loaders: isOverPrisma ? prismaLoaders(prisma, tenantId) : pgLoaders(pool, tenantId) };
  },
});
const server = createServer(yoga);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  tellReady(`http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/graphql`);
});
