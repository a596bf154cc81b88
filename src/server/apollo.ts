import type { Server } from 'node:http';
import { ApolloServer, type ApolloServerOptions } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { ApolloServerPluginInlineTrace } from '@apollo/server/plugin/inlineTrace';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { gql } from 'graphql-tag';
import type { GraphQLContext } from '../resolvers/context.ts';
import { resolvers } from '../resolvers/index.ts';
import type { Logger } from '../services/scope.ts';
import { isTracing } from '../telemetry/tracing.ts';
import type { RequestContext } from './context.ts';
import { type ErrorCode, makeFormatError } from './errors.ts';
import { compilingExecute, type Execute, interpretingExecute } from './execution.ts';
import { type KnownOperations, makeKnownOperations, TRACE_HEADER } from './known-operations.ts';
import { makeOperationStore } from './operation-store.ts';
import { enforcePermissions, guardReferences } from './permissions.ts';
import { operationTracing, traceRootFields } from './request-tracing.ts';
import { VALIDATION_RULES } from './validation-rules.ts';

/** The largest operation of the explorer has some 500. A parser is done with these before anybody else has to wait. */
const MOST_TOKENS = 10_000;

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

type Gateway = NonNullable<Extract<ApolloServerOptions<GraphQLContext>, { gateway: unknown }>['gateway']>;

/** Lets Apollo do all but execute: through this seam it keeps its own handling of requests and errors. */
function executedBy(execute: Execute, schema: GraphQLSchema): Gateway {
  const interpret = interpretingExecute(schema);
  return {
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => undefined;
    },
    load: async () => ({
      async executor({ document, operation, operationName, request, context: given }) {
        const context = given as RequestContext;
        if (context.executed !== undefined) return context.executed;
        const { variables } = request;
        // A trace of fields is taken by resolvers that Apollo wraps, which compiled operations do not call.
        const isFieldTraced = request.http?.headers.get(TRACE_HEADER) != null;
        return (isFieldTraced ? interpret : execute)({
          document,
          operation,
          operationName: operationName ?? undefined,
          variables,
          context,
        });
      },
    }),
    stop: async () => undefined,
  };
}

/** What was parsed and found valid; Apollo's own store measures a document by writing it as JSON, and keeps 30 MB of that. */
function documentStore(): NonNullable<ApolloServerOptions<GraphQLContext>['documentStore']> {
  const documents = makeOperationStore<string, DocumentNode>((document) => document);
  return {
    get: async (key) => documents.get(key),
    set: async (key, document) => void documents.set(key, document),
    delete: async (key) => documents.delete(key),
  };
}

export interface ApolloOptions {
  /** How operations are executed; by default compiled. */
  makeExecute?: ((schema: GraphQLSchema) => Execute) | undefined;
  typeDefs: string;
  httpServer: Server;
  introspection: boolean;
  isProduction: boolean;
  logger: Logger;
  errorAnswered: (code: ErrorCode) => void;
}

export interface GraphQLServer {
  apollo: ApolloServer<GraphQLContext>;
  knownOperations: KnownOperations;
}

export function createApolloServer({
  makeExecute,
  typeDefs,
  httpServer,
  introspection,
  isProduction,
  logger,
  errorAnswered,
}: ApolloOptions): GraphQLServer {
  const built = buildSchema(typeDefs);
  const schema = isTracing() ? traceRootFields(built) : built;
  const execute = (makeExecute ?? ((made) => compilingExecute(made, logger)))(schema);
  const knownOperations = makeKnownOperations(execute);
  const apollo = new ApolloServer<GraphQLContext>({
    gateway: executedBy(execute, schema),
    introspection,
    validationRules: VALIDATION_RULES,
    parseOptions: { maxTokens: MOST_TOKENS },
    documentStore: documentStore(),
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
      // Nothing here may be cached by others, and the plugin looks at every field of every answer.
      ApolloServerPluginCacheControlDisabled(),
      knownOperations.plugin,
      // Answers a gateway that asks for it by `apollo-federation-include-trace: ftv1`; docs/decisions/0033.
      ApolloServerPluginInlineTrace({ includeErrors: { masked: true } }),
      ...(isTracing() ? [operationTracing] : []),
    ],
  });
  return { apollo, knownOperations };
}
