import type { ApolloServerPlugin } from '@apollo/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type DocumentNode, type OperationDefinitionNode, OperationTypeNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { GraphQLContext } from '../resolvers/context.ts';
import { isTracing } from '../telemetry/tracing.ts';
import type { RequestContext } from './context.ts';
import type { Execute } from './execution.ts';
import { makeOperationStore } from './operation-store.ts';

interface KnownOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** As the request named it. */
  operationName: string | undefined;
}

const MOST_ACCEPTS = 50;

/** Who sends it wants more than the answer. */
export const TRACE_HEADER = 'apollo-federation-include-trace';

export interface KnownOperations {
  /** Remembers the queries that Apollo parsed and found valid. */
  plugin: ApolloServerPlugin<GraphQLContext>;
  /**
   * The answer to a query that was sent before, when it has no error; undefined for everything else, which is Apollo's
   * to answer. What was executed then stands in the context, and only its form is left to find.
   */
  answer(
    request: FastifyRequest,
    reply: FastifyReply,
    makeContext: () => Promise<RequestContext>,
  ): Promise<string | undefined>;
  /** Learns from an answer of Apollo which content type goes with the request's `Accept`. */
  learnContentType(request: FastifyRequest, reply: FastifyReply): void;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A short way for what frontends and gateways send again and again: Apollo parsed and validated the text once, and its
 * answer without errors is its data as JSON. Permissions, tenant and limits are where they are for everything else: in
 * the schema, the context and the hooks of the route.
 */
export function makeKnownOperations(execute: Execute): KnownOperations {
  const known = makeOperationStore<string, KnownOperation>(({ document }) => document);
  const contentTypes = new LRUCache<string, string>({ max: MOST_ACCEPTS });
  const acceptOf = ({ headers }: FastifyRequest) => headers.accept ?? '';

  function find({ method, headers, body }: FastifyRequest): (KnownOperation & { variables: unknown }) | undefined {
    if (method !== 'POST' || headers[TRACE_HEADER] !== undefined || !isObject(body)) return undefined;
    if (headers['content-type'] !== 'application/json') return undefined;
    const { query, operationName, variables, extensions } = body;
    const found = typeof query === 'string' ? known.get(query) : undefined;
    if (found === undefined || found.operationName !== (operationName ?? undefined) || (extensions ?? null) !== null)
      return undefined;
    if ((variables ?? null) !== null && !isObject(variables)) return undefined;
    return { ...found, variables };
  }

  return {
    plugin: {
      async requestDidStart() {
        return {
          async didResolveOperation({ request, source, document, operation }) {
            if (operation?.operation !== OperationTypeNode.QUERY) return;
            known.set(source, { document, operation, operationName: request.operationName });
          },
        };
      },
    },

    async answer(request, reply, makeContext) {
      // Where operations are traced, Apollo's plugin tells of each.
      if (isTracing()) return undefined;
      const contentType = contentTypes.get(acceptOf(request));
      const found = contentType === undefined ? undefined : find(request);
      if (contentType === undefined || found === undefined) return undefined;
      const context = await makeContext();
      const variables = (found.variables ?? undefined) as Record<string, unknown> | undefined;
      const result = await execute({ ...found, variables, context });
      if (result.errors !== undefined || result.data == null) {
        context.executed = result;
        return undefined;
      }
      void reply.header('content-type', contentType);
      return `${JSON.stringify({ data: result.data })}\n`;
    },

    learnContentType(request, reply) {
      const contentType = reply.getHeader('content-type');
      if (reply.statusCode === 200 && typeof contentType === 'string' && !contentType.startsWith('multipart'))
        contentTypes.set(acceptOf(request), contentType);
    },
  };
}
