import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { Database } from '../db/database.ts';
import type { App } from './app.ts';
import type { MetricsRegistry } from './metrics.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoute } from './routes/metrics.ts';

export interface WorkerAppOptions {
  database: Database;
  metrics: MetricsRegistry;
  clock: () => Date;
  logger: FastifyBaseLogger;
}

/** The HTTP face of a process that runs jobs only: health and metrics for the operator, nothing for anybody else. */
export function createWorkerApp({ database, metrics, clock, logger }: WorkerAppOptions): App {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: 60_000,
    forceCloseConnections: 'idle',
  });
  let isStopping = false;
  healthRoutes(app, database, () => isStopping);
  metricsRoute(app, { metrics, database, clock, logger });
  return {
    listen: (host, port) => app.listen({ host, port }),
    async stop() {
      isStopping = true;
      await app.close();
    },
  };
}
