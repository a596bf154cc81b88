import type { ApolloServerPlugin } from '@apollo/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { defaultFieldResolver, type GraphQLSchema } from 'graphql';
import type { GraphQLContext } from '../resolvers/context.ts';
import {
  annotateSpan,
  beginSpan,
  contextOf,
  failSpan,
  inSpan,
  isTracing,
  runIn,
  type Span,
  SpanKind,
} from '../telemetry/tracing.ts';

/** Asked for every few seconds by machines. */
const UNTRACED = /^\/(health\/|metrics$)/;

/**
 * Puts each request in a span that goes on with the caller's trace (W3C Trace Context). It is named by the route: a
 * path may hold a signature. Without a collector no hook is added.
 */
export function traceRequests(app: FastifyInstance): void {
  if (!isTracing()) return;
  const spans = new WeakMap<FastifyRequest, Span>();

  app.addHook('onRequest', (request, reply, done) => {
    const { method } = request;
    const route = request.routeOptions.url;
    if (route !== undefined && UNTRACED.test(route)) return done();
    const span = beginSpan(`${method} ${route ?? 'unknown route'}`, {
      kind: SpanKind.SERVER,
      parent: contextOf(request.headers.traceparent, request.headers.tracestate),
      attributes: { 'http.request.method': method, ...(route === undefined ? {} : { 'http.route': route }) },
    });
    spans.set(request, span);
    // Comes also when the caller has gone.
    reply.raw.once('close', () => {
      const { statusCode } = reply.raw;
      span.setAttribute('http.response.status_code', statusCode);
      if (statusCode >= 500) failSpan(span, { code: String(statusCode) });
      span.end();
    });
    done();
  });
  // Not sooner: while the body is read, what comes next is called by the connection and not by the hook before it.
  app.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) return done();
    runIn(span, done);
  });
}

/** Says of the request which operation it is. */
export const operationTracing: ApolloServerPlugin<GraphQLContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ operation, operationName, contextValue }) {
        annotateSpan({
          ...(operation && { 'graphql.operation.type': operation.operation }),
          ...(operationName === null ? {} : { 'graphql.operation.name': operationName }),
          ...(contextValue.viewer === null ? {} : { 'teams_meetings.tenant_id': contextValue.viewer.tenantId }),
        });
      },
    };
  },
};

/**
 * Puts each root field in a span, in place; `_entities` is one of them. The fields below are not traced one by one: a
 * list has thousands, and what they cost is in the statements and calls below the root field.
 */
export function traceRootFields(schema: GraphQLSchema): GraphQLSchema {
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      const resolve = field.resolve ?? defaultFieldResolver;
      const name = `${type?.name}.${field.name}`;
      field.resolve = (parent, args, context, info) =>
        inSpan(name, {}, async () => resolve(parent, args, context, info));
    }
  }
  return schema;
}
