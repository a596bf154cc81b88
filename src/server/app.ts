import { readFile } from 'node:fs/promises';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Database } from '../db/database.ts';
import type { Services } from '../services/services.ts';
import { type AdmissionOptions, OPEN_TO_ALL } from './admission/admission.ts';
import { type ApolloOptions, createApolloServer } from './apollo.ts';
import type { Authenticate } from './authenticator.ts';
import type { MetricsRegistry } from './metrics.ts';
import { traceRequests } from './request-tracing.ts';
import { type ExplorerOptions, explorerRoutes } from './routes/explorer.ts';
import { graphNotificationRoutes } from './routes/graph-notifications.ts';
import { graphqlRoute } from './routes/graphql.ts';
import { healthRoutes } from './routes/health.ts';
import { invitationRoutes } from './routes/invitations.ts';
import { metricsRoute } from './routes/metrics.ts';
import { psaEventRoutes } from './routes/psa-events.ts';
import { recordingRoutes } from './routes/recordings.ts';
import { statusRoutes } from './routes/status.ts';
import { transcriptRoutes } from './routes/transcripts.ts';

const SCHEMA = new URL('../../schema.graphql', import.meta.url);

/** Enough for 500 attendees and a long description. */
const BODY_LIMIT = 1_048_576;

/** How long a request may take to arrive, its headers and all of it; and how often that is looked at. In milliseconds. */
export interface ArrivalLimits {
  headersMs: number;
  requestMs: number;
  checkEveryMs: number;
}

/** A phone on a bad line needs seconds for a mebibyte; who needs longer holds a connection and nothing else. */
const ARRIVAL_LIMITS: ArrivalLimits = { headersMs: 10_000, requestMs: 30_000, checkEveryMs: 5_000 };

export interface AppOptions {
  database: Database;
  services: Services;
  authenticate: Authenticate;
  metrics: MetricsRegistry;
  logger: FastifyBaseLogger;
  /** What the PSA signs its events with; none: its events are not taken. */
  psaWebhookSecrets: readonly string[];
  /** What one address may send to the webhooks of Microsoft in a minute; default 1,200. */
  notificationsPerMinute?: number;
  /** Who may ask GraphQL how much; default: everybody anything. */
  admission?: AdmissionOptions;
  /** Default: 10 s for headers, 30 s for a whole request. */
  arrivalLimits?: ArrivalLimits;
  /** Proxies whose word for the caller's address is taken; default none. */
  trustedProxies?: string[];
  introspection: boolean;
  /** Without it there is no page at `/`. */
  explorer?: Pick<ExplorerOptions, 'development'> | undefined;
  isProduction: boolean;
  makeExecute?: ApolloOptions['makeExecute'];
}

export interface App {
  /** Listens and returns the address, e.g. `http://127.0.0.1:4001`. */
  listen(host: string, port: number): Promise<string>;
  /** Refuses new work, finishes what is in flight, and closes. */
  stop(): Promise<void>;
}

/** The HTTP face of the subgraph: GraphQL for the gateway, signed links for browsers, health for the operator. */
export async function createApp({
  database,
  services,
  authenticate,
  metrics,
  logger,
  psaWebhookSecrets,
  notificationsPerMinute = 1_200,
  admission = OPEN_TO_ALL,
  arrivalLimits = ARRIVAL_LIMITS,
  trustedProxies = [],
  introspection,
  explorer,
  isProduction,
  makeExecute,
}: AppOptions): Promise<App> {
  const app: FastifyInstance = Fastify({
    loggerInstance: logger,
    bodyLimit: BODY_LIMIT,
    trustProxy: trustedProxies.length === 0 ? false : trustedProxies,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: arrivalLimits.requestMs,
    http: { headersTimeout: arrivalLimits.headersMs, connectionsCheckingInterval: arrivalLimits.checkEveryMs },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
  });
  let isStopping = false;
  traceRequests(app);
  app.addHook('onResponse', (request, reply, done) => {
    metrics.requestEnded(request.routeOptions.url, reply.statusCode, reply.elapsedTime / 1_000);
    done();
  });
  const { apollo, knownOperations } = createApolloServer({
    makeExecute,
    typeDefs: await readFile(SCHEMA, 'utf8'),
    httpServer: app.server,
    introspection,
    isProduction,
    logger,
    errorAnswered: (code) => metrics.errorAnswered(code),
  });
  await apollo.start();

  graphqlRoute(app, { apollo, knownOperations, admission, authenticate, metrics, services, database });
  healthRoutes(app, database, () => isStopping);
  metricsRoute(app, { metrics, database, clock: services.clock, logger });
  const deps = { services, database };
  recordingRoutes(app, deps);
  transcriptRoutes(app, deps);
  invitationRoutes(app, deps);
  graphNotificationRoutes(app, { ...deps, perMinute: notificationsPerMinute });
  psaEventRoutes(app, { ...deps, secrets: psaWebhookSecrets });
  statusRoutes(app, { ...deps, authenticate });
  if (explorer !== undefined) await explorerRoutes(app, { ...explorer, introspection });

  app.setErrorHandler((err: Error & { statusCode?: number }, request, reply) => {
    const status = err.statusCode ?? 500;
    if (status >= 500) request.log.error({ err }, 'a request failed');
    return reply.code(status).send({ error: status >= 500 ? 'Something went wrong on our side.' : err.message });
  });

  return {
    listen: (host, port) => app.listen({ host, port }),
    async stop() {
      isStopping = true;
      // Apollo first: its drain also ends connections on which nothing was ever asked, for which Fastify would wait.
      await apollo.stop();
      await app.close();
    },
  };
}
