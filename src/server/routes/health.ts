import type { FastifyInstance } from 'fastify';
import type { Database } from '../../db/database.ts';

/** `live` says that the process runs, `ready` that it can serve: while it stops, or without a database, it cannot. */
export function healthRoutes(app: FastifyInstance, database: Database, isStopping: () => boolean): void {
  app.get('/health/live', async () => ({ status: 'ok' }));
  app.get('/health/ready', async (request, reply) => {
    if (isStopping()) return reply.code(503).send({ status: 'stopping' });
    try {
      await database.ping();
      return { status: 'ok' };
    } catch (err) {
      request.log.warn({ err }, 'the database does not answer');
      return reply.code(503).send({ status: 'database-unavailable' });
    }
  });
}
