import type { Server } from 'node:http';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { costLimitPlugin } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import type { GraphQLSchema } from 'graphql';
import { gql } from 'graphql-tag';
import type { GraphQLContext } from '../resolvers/context.ts';
import { resolvers } from '../resolvers/index.ts';
import type { Logger } from '../services/scope.ts';
import { makeFormatError } from './errors.ts';
import { enforcePermissions, guardReferences } from './permissions.ts';

/** What one operation may ask for. The deepest useful read is 9 deep; a gateway's entity query adds 2. */
const LIMITS = { depth: 15, aliases: 30, cost: 20_000 };

type SchemaModule = Extract<
  Extract<Parameters<typeof buildSubgraphSchema>[0], readonly unknown[]>[number],
  { typeDefs: unknown }
>;

/** The executable subgraph schema, with every entrance behind its permission. */
export function buildSchema(typeDefs: string): GraphQLSchema {
  return enforcePermissions(
    buildSubgraphSchema([
      { typeDefs: gql(typeDefs), resolvers: guardReferences(resolvers) as SchemaModule['resolvers'] },
    ]),
  );
}

export interface ApolloOptions {
  typeDefs: string;
  httpServer: Server;
  introspection: boolean;
  isProduction: boolean;
  logger: Logger;
}

export function createApolloServer({
  typeDefs,
  httpServer,
  introspection,
  isProduction,
  logger,
}: ApolloOptions): ApolloServer<GraphQLContext> {
  const limits = [
    maxDepthPlugin({ n: LIMITS.depth, ignoreIntrospection: true }),
    maxAliasesPlugin({ n: LIMITS.aliases }),
    costLimitPlugin({ maxCost: LIMITS.cost, ignoreIntrospection: true }),
  ] as unknown as ApolloServerPlugin<GraphQLContext>[];
  return new ApolloServer<GraphQLContext>({
    schema: buildSchema(typeDefs),
    introspection,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !introspection,
    stopOnTerminationSignals: false,
    formatError: makeFormatError(logger, isProduction),
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => logger.warn({}, String(message)),
      error: (message) => logger.error({}, String(message)),
    },
    plugins: [...limits, ApolloServerPluginDrainHttpServer({ httpServer }), ApolloServerPluginLandingPageDisabled()],
  });
}
