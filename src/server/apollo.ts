import type { Server } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { ApolloServerPluginInlineTrace } from '@apollo/server/plugin/inlineTrace';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { GraphQLSchema } from 'graphql';
import { gql } from 'graphql-tag';
import type { GraphQLContext } from '../resolvers/context.ts';
import { resolvers } from '../resolvers/index.ts';
import type { Logger } from '../services/scope.ts';
import { isTracing } from '../telemetry/tracing.ts';
import { type ErrorCode, makeFormatError } from './errors.ts';
import { enforcePermissions, guardReferences } from './permissions.ts';
import { operationTracing, traceRootFields } from './request-tracing.ts';
import { VALIDATION_RULES } from './validation-rules.ts';

/** How long a stop waits for what is in flight; Kubernetes waits as long by default. */
const STOP_GRACE_MS = 30_000;

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
  errorAnswered: (code: ErrorCode) => void;
}

export function createApolloServer({
  typeDefs,
  httpServer,
  introspection,
  isProduction,
  logger,
  errorAnswered,
}: ApolloOptions): ApolloServer<GraphQLContext> {
  const schema = buildSchema(typeDefs);
  return new ApolloServer<GraphQLContext>({
    schema: isTracing() ? traceRootFields(schema) : schema,
    introspection,
    validationRules: VALIDATION_RULES,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !introspection,
    stopOnTerminationSignals: false,
    formatError: makeFormatError(logger, isProduction, errorAnswered),
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => logger.warn({}, String(message)),
      error: (message) => logger.error({}, String(message)),
    },
    plugins: [
      ApolloServerPluginDrainHttpServer({ httpServer, stopGracePeriodMillis: STOP_GRACE_MS }),
      ApolloServerPluginLandingPageDisabled(),
      // Answers a gateway that asks for it by `apollo-federation-include-trace: ftv1`; docs/decisions/0033.
      ApolloServerPluginInlineTrace({ includeErrors: { masked: true } }),
      ...(isTracing() ? [operationTracing] : []),
    ],
  });
}
