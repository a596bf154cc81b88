/** Apollo Server over Prisma: with loaders, or as templates write it when the third argument says so. */
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { gql } from 'graphql-tag';
import pg from 'pg';
import { PrismaClient } from '../../../src/generated/prisma/client.ts';
import { prismaLoaders } from '../loaders.ts';
import { peerEnvironment, tellReady, viewerOf } from '../peer.ts';
import { LOADER_RESOLVERS, TEMPLATE_RESOLVERS } from '../resolvers.ts';
import { SDL } from '../sdl.ts';

const { databaseUrl, poolSize, authenticate } = await peerEnvironment();
const isTemplate = process.argv[4] === 'template';
const prisma = new PrismaClient({
  adapter: new PrismaPg(new pg.Pool({ connectionString: databaseUrl, max: poolSize })),
});

const server = new ApolloServer({
  schema: buildSubgraphSchema([{ typeDefs: gql(SDL), resolvers: isTemplate ? TEMPLATE_RESOLVERS : LOADER_RESOLVERS }]),
});
const { url } = await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: 0 },
  context: async ({ req }) => {
    const { tenantId } = await viewerOf(authenticate, req.headers.authorization);
    return isTemplate ? { prisma, tenantId } : { loaders: prismaLoaders(prisma, tenantId) };
  },
});
tellReady(url);
