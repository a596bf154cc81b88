import { readFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify from 'fastify';
import { GraphQLError, parse } from 'graphql';
import { createPsaData } from './data.ts';
import { type PsaContext, resolvers } from './resolvers.ts';
import { type AuthOptions, createViewerReader, type Viewer } from './viewer.ts';

export interface RunningServer {
  url: string;
  close(): Promise<void>;
}

/** Starts the PSA core subgraph at `/graphql`. Rejects when the port is taken (`code: 'EADDRINUSE'`). */
export async function startPsaCore(options: {
  hostname: string;
  port: number;
  auth: AuthOptions;
}): Promise<RunningServer> {
  const readViewer = createViewerReader(options.auth);
  const data = createPsaData(new Date());
  const typeDefs = parse(readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8'));

  const fastify = Fastify();
  const apollo = new ApolloServer<PsaContext>({
    schema: buildSubgraphSchema([{ typeDefs, resolvers }]),
    plugins: [fastifyApolloDrainPlugin(fastify), ApolloServerPluginInlineTraceDisabled()],
    stopOnTerminationSignals: false,
  });
  await apollo.start();

  fastify.post(
    '/graphql',
    fastifyApolloHandler(apollo, {
      context: async (request) => {
        let viewer: Promise<Viewer> | undefined;
        return {
          data,
          viewer: () => {
            viewer ??= readViewer(request.headers.authorization).then(signedIn);
            return viewer;
          },
        };
      },
    }),
  );

  try {
    const origin = await fastify.listen({ host: options.hostname, port: options.port });
    return { url: `${origin}/graphql`, close: () => apollo.stop() };
  } catch (error) {
    await apollo.stop();
    throw error;
  }
}

function signedIn(viewer: Viewer | null): Viewer {
  if (viewer) return viewer;
  throw new GraphQLError('A valid bearer token is needed.', { extensions: { code: 'UNAUTHENTICATED' } });
}
