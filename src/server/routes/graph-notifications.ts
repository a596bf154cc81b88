import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { readLifecycle, readNotification } from '../../services/notifications/read-notification.ts';
import { DatabaseUnavailableError, type Scope } from '../../services/scope.ts';
import type { Services } from '../../services/services.ts';
import { backgroundViewer } from '../../services/viewer.ts';

export interface GraphNotificationDeps {
  services: Services;
  database: Database;
  /** What one address may send in a minute. */
  perMinute: number;
}

/** Several times what a full delivery of ids takes. */
const BODY_LIMIT = 2_097_152;
const MOST_ITEMS = 1_000;
const LONGEST_TOKEN = 4_096;

type Delivery = FastifyRequest<{ Querystring: { validationToken?: string | string[] } }>;

const envelope = z.object({ value: z.array(z.unknown()).min(1) });

function parse(body: unknown): unknown[] | null {
  if (!Buffer.isBuffer(body)) return null;
  try {
    const { success, data } = envelope.safeParse(JSON.parse(body.toString('utf8')));
    return success ? data.value : null;
  } catch {
    return null;
  }
}

/**
 * Microsoft's handshake: the token comes back decoded, as plain text and as nothing that a browser would take for
 * more. Anybody may ask for it; nothing is stored. Source: Microsoft Learn, change-notifications-delivery-webhooks.
 */
function shakeHands(reply: FastifyReply, token: string | string[]): FastifyReply {
  if (typeof token !== 'string' || token.length > LONGEST_TOKEN) {
    return reply.code(400).send({ error: 'The validation token is not one.' });
  }
  return reply
    .code(200)
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .type('text/plain; charset=utf-8')
    .send(token);
}

/**
 * `POST /webhooks/graph/notifications` and `…/lifecycle`: proves each item's tenant by its clientState, stores, and
 * answers 202; the work is done by jobs. What proves nothing is dropped with the same answer, so that nobody learns
 * from it. A database that is away is answered with 503: Microsoft sends again for four hours.
 */
export function graphNotificationRoutes(app: FastifyInstance, deps: GraphNotificationDeps): void {
  const { services, database } = deps;

  async function receive(
    request: Delivery,
    reply: FastifyReply,
    store: (values: unknown[], scopeOf: (tenantId: string) => Scope) => Promise<void>,
  ): Promise<FastifyReply> {
    const { validationToken } = request.query;
    if (validationToken !== undefined) return shakeHands(reply, validationToken);
    const refuse = (status: number, error: string) => {
      request.log.warn({ status, outcome: error }, '[TeamsMeetings] operation=notification refused');
      services.notifications.refused();
      return reply.code(status).send({ error });
    };
    const values = parse(request.body);
    if (values === null) return refuse(400, 'The body is not a collection of notifications.');
    if (values.length > MOST_ITEMS) return refuse(413, `More than ${MOST_ITEMS} notifications at once.`);
    try {
      await store(values, (tenantId) => ({
        viewer: backgroundViewer(tenantId, 'graph'),
        db: database.forTenant(tenantId),
      }));
      return reply.code(202).send();
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
      request.log.error({ err: error }, '[TeamsMeetings] operation=notification not stored');
      return reply
        .code(503)
        .header('retry-after', 5)
        .send({ error: 'Nothing can be stored at the moment: send it again.' });
    }
  }

  // In a context of its own: nobody else's requests are counted or left unparsed.
  app.register(async (scoped) => {
    await scoped.register(rateLimit, { max: deps.perMinute, timeWindow: '1 minute' });
    scoped.removeAllContentTypeParsers();
    scoped.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    const options = { bodyLimit: BODY_LIMIT };
    scoped.post('/webhooks/graph/notifications', options, (request: Delivery, reply) =>
      receive(request, reply, async (values, scopeOf) => {
        for (const [tenantId, items] of services.notifications.prove(values, readNotification)) {
          await services.notifications.artifacts(scopeOf(tenantId), items);
        }
      }),
    );
    scoped.post('/webhooks/graph/lifecycle', options, (request: Delivery, reply) =>
      receive(request, reply, async (values, scopeOf) => {
        for (const [tenantId, items] of services.notifications.prove(values, readLifecycle)) {
          await services.notifications.lifecycle(scopeOf(tenantId), items);
        }
      }),
    );
  });
}
