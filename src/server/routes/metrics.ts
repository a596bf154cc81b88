import type { FastifyInstance } from 'fastify';
import type { Database } from '../../db/database.ts';
import type { Logger } from '../../services/scope.ts';
import type { MetricsRegistry } from '../metrics.ts';

/** However many ask for metrics, and however often, the database is asked once in so long. */
const DATABASE_EVERY_MS = 15_000;
/** Prometheus itself waits ten seconds for the whole page. */
const DATABASE_WITHIN_MS = 3_000;

interface MetricsDeps {
  metrics: MetricsRegistry;
  database: Pick<Database, 'operatorFacts' | 'poolFacts'>;
  clock: () => Date;
  logger: Logger;
}

/** Rejects when the work takes longer. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`No answer within ${milliseconds} ms`)), milliseconds);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** Numbers for Prometheus. They name no tenant and no person. */
export function metricsRoute(app: FastifyInstance, { metrics, database, clock, logger }: MetricsDeps): void {
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> = Promise.resolve();

  async function read(): Promise<void> {
    try {
      metrics.databaseRead(await within(DATABASE_WITHIN_MS, database.operatorFacts()));
    } catch (err) {
      metrics.databaseRead(null);
      logger.warn({ err }, 'the numbers of the database for /metrics could not be read');
    }
  }

  app.get('/metrics', async (_request, reply) => {
    const now = clock().getTime();
    // Both ways: a clock that was put back must not keep old numbers.
    if (Math.abs(now - readAt) >= DATABASE_EVERY_MS) {
      readAt = now;
      reading = read();
    }
    await reading;
    metrics.poolRead(database.poolFacts());
    return reply.type(metrics.contentType).send(await metrics.text());
  });
}
