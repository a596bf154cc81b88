import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Database } from '../../db/database.ts';
import { DatabaseUnavailableError, type Scope } from '../../services/scope.ts';
import type { Services } from '../../services/services.ts';
import { may } from '../../services/viewer.ts';
import { type Authenticate, IdentityProviderUnavailableError } from '../authenticator.ts';
import { PAGE_HEADERS } from '../pages/page.ts';
import { statusPage, tokenPage } from '../pages/status-page.ts';

export interface StatusDeps {
  services: Pick<Services, 'settings' | 'setupGuide' | 'diagnostics' | 'clock'>;
  database: Database;
  authenticate: Authenticate;
}

/** Room for a form with a token in it. */
const BODY_LIMIT = 32_768;

const REFUSALS = {
  401: 'The token is missing, is not good, or has expired.',
  403: 'The token does not allow to read the settings of Teams meetings.',
  503: 'This cannot be told at the moment. Try again shortly.',
} as const;

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}

/**
 * `/status`: the last diagnosis and verification as a page. A browser brings its token in the body of a form, which
 * makes no cookie that another page could use, and no address that somebody could read or pass on; everybody else in
 * the header `Authorization`. Without a good token there is the form and nothing else.
 */
export function statusRoutes(app: FastifyInstance, { services, database, authenticate }: StatusDeps): void {
  async function show(request: FastifyRequest, reply: FastifyReply, authorization: string | undefined) {
    const refuse = (status: keyof typeof REFUSALS, tenantId?: string) => {
      request.log.warn({ status, tenantId }, '[TeamsMeetings] operation=status refused');
      return sendPage(reply.code(status), tokenPage(REFUSALS[status]));
    };
    try {
      const viewer = await authenticate(authorization);
      if (viewer === null) return refuse(401);
      if (!may(viewer, 'teams_settings:read')) return refuse(403, viewer.tenantId);
      const scope: Scope = { viewer, db: database.forTenant(viewer.tenantId) };
      const [diagnosis, verification, guide] = await Promise.all([
        services.diagnostics.latest(scope),
        services.settings.latestVerification(scope),
        services.setupGuide.get(scope),
      ]);
      request.log.info({ tenantId: viewer.tenantId, viewerId: viewer.id }, '[TeamsMeetings] operation=status');
      return sendPage(
        reply,
        statusPage({ tenantId: viewer.tenantId, diagnosis, verification, guide, now: services.clock() }),
      );
    } catch (err) {
      if (!(err instanceof IdentityProviderUnavailableError || err instanceof DatabaseUnavailableError)) throw err;
      request.log.error({ err }, '[TeamsMeetings] operation=status cannot be told');
      return refuse(503);
    }
  }

  app.register(async (scoped) => {
    scoped.addHook('onRequest', async (_request, reply) => {
      reply.headers(PAGE_HEADERS);
    });
    scoped.removeAllContentTypeParsers();
    scoped.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, new URLSearchParams(String(body))),
    );
    scoped.get('/status', async (request, reply) => {
      const { authorization } = request.headers;
      return authorization === undefined ? sendPage(reply, tokenPage(null)) : show(request, reply, authorization);
    });
    scoped.post('/status', { bodyLimit: BODY_LIMIT }, async (request, reply) => {
      const token = request.body instanceof URLSearchParams ? request.body.get('token')?.trim() : undefined;
      return show(request, reply, token ? `Bearer ${token.replace(/^Bearer\s+/i, '')}` : undefined);
    });
  });
}
