import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Database } from '../../db/database.ts';
import type { GraphQLContext } from '../../resolvers/context.ts';
import type { Services } from '../../services/services.ts';
import { type AdmissionOptions, admit } from '../admission/admission.ts';
import type { Authenticate } from '../authenticator.ts';
import { createContext, type RequestContext } from '../context.ts';
import type { KnownOperations } from '../known-operations.ts';
import type { MetricsRegistry } from '../metrics.ts';

export interface GraphqlRouteOptions {
  apollo: ApolloServer<GraphQLContext>;
  knownOperations: KnownOperations;
  admission: AdmissionOptions;
  authenticate: Authenticate;
  metrics: MetricsRegistry;
  services: Services;
  database: Database;
}

/** `/graphql`, behind what decides who is let in. Apollo must have started. */
export function graphqlRoute(
  app: FastifyInstance,
  { apollo, knownOperations, admission, authenticate, metrics, services, database }: GraphqlRouteOptions,
): void {
  app.register(async (scoped) => {
    const viewerOf = await admit(scoped, admission, { authenticate, metrics });
    const contexts = new WeakMap<FastifyRequest, Promise<RequestContext>>();
    const contextOf = (request: FastifyRequest): Promise<RequestContext> => {
      const { authorization } = request.headers;
      const context =
        contexts.get(request) ?? createContext(authorization, () => viewerOf(request), services, database);
      contexts.set(request, context);
      return context;
    };
    const answerByApollo = fastifyApolloHandler(apollo, { context: contextOf });
    scoped.route({
      url: '/graphql',
      method: ['GET', 'POST', 'OPTIONS'],
      async handler(request, reply) {
        const known = await knownOperations.answer(request, reply, () => contextOf(request));
        if (known !== undefined) return known;
        const answer = await answerByApollo.call(scoped, request, reply);
        knownOperations.learnContentType(request, reply);
        return answer;
      },
    });
  });
}
