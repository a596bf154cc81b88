import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Webhook } from 'standardwebhooks';
import type { Database } from '../../db/database.ts';
import { readPsaEvent } from '../../services/psa-events/psa-event.ts';
import { DatabaseUnavailableError } from '../../services/scope.ts';
import type { Services } from '../../services/services.ts';
import { backgroundViewer } from '../../services/viewer.ts';

export interface PsaEventDeps {
  services: Services;
  database: Database;
  /** `whsec_…`; any of them may have signed an event, so that they can be changed without losing one. */
  secrets: readonly string[];
}

const BODY_LIMIT = 65_536;
/** What can be a header of one line and a key of a row. */
const WEBHOOK_ID = /^[\x21-\x7e]{1,255}$/;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/** Whether one of the secrets signed exactly these bytes in the last five minutes. The library compares in constant time. */
function isSigned(webhooks: readonly Webhook[], body: Buffer, headers: Record<string, string>): boolean {
  // The library signs text: other bytes that would read as the same text must not pass as signed.
  if (!isUtf8(body)) return false;
  return webhooks.some((webhook) => {
    try {
      webhook.verify(body, headers, { jsonParse: false });
      return true;
    } catch {
      return false;
    }
  });
}

function parse(body: Buffer): { value: unknown } | null {
  try {
    return { value: JSON.parse(body.toString('utf8')) };
  } catch {
    return null;
  }
}

/**
 * `POST /webhooks/psa`: takes an event that the PSA signed by the scheme of Standard Webhooks, and answers as soon as
 * it is stored. Nothing of the body is looked at before its signature. Without secrets there is no such route.
 */
export function psaEventRoutes(app: FastifyInstance, { services, database, secrets }: PsaEventDeps): void {
  if (secrets.length === 0) return;
  const webhooks = secrets.map((secret) => new Webhook(secret));

  async function receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const refuse = (status: number, error: string) => {
      request.log.warn({ status, outcome: error }, '[TeamsMeetings] operation=psa-event refused');
      return reply.code(status).send({ error });
    };
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
      'content-type': contentType = '',
    } = request.headers;
    if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string')
      return refuse(401, 'The headers webhook-id, webhook-timestamp and webhook-signature must be there.');
    if (!isSigned(webhooks, body, { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }))
      return refuse(401, 'The signature does not fit, or its time-stamp is more than five minutes away.');
    if (!WEBHOOK_ID.test(id)) return refuse(400, 'webhook-id must be 1 to 255 visible ASCII characters.');
    if (!JSON_TYPE.test(contentType)) return refuse(415, 'The content type must be application/json.');
    const parsed = parse(body);
    if (parsed === null) return refuse(400, 'The body is not JSON.');

    const read = readPsaEvent(parsed.value);
    if (read.kind === 'malformed') return refuse(400, read.reason);
    if (read.kind === 'ignored') return reply.code(202).send({ status: 'ignored' });
    const { tenantId } = read.event;
    const scope = { viewer: backgroundViewer(tenantId, 'psa'), db: database.forTenant(tenantId) };
    try {
      return reply.code(202).send({ status: await services.receivePsaEvent(scope, id, read.event) });
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
      request.log.error({ err: error }, '[TeamsMeetings] operation=psa-event not stored');
      return reply
        .code(503)
        .header('retry-after', 5)
        .send({ error: 'The event cannot be stored at the moment: send it again.' });
    }
  }

  // In a context of its own: everywhere else bodies are parsed before anybody sees them.
  app.register(async (scoped) => {
    scoped.removeAllContentTypeParsers();
    scoped.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scoped.post('/webhooks/psa', { bodyLimit: BODY_LIMIT }, receive);
  });
}
