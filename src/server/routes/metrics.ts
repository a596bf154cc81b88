import type { FastifyInstance } from 'fastify';
import type { MetricsRegistry } from '../metrics.ts';

/** Counts for Prometheus. They name no tenant and no person. */
export function metricsRoute(app: FastifyInstance, metrics: MetricsRegistry): void {
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}
