import type { FastifyRequest } from 'fastify';
import type { Database } from '../../db/database.ts';
import type { LinkPurpose } from '../../services/links/signed-links.ts';
import type { Scope } from '../../services/scope.ts';
import type { Services } from '../../services/services.ts';

export interface LinkedRequest {
  Params: { id: string };
  Querystring: { token?: string | string[] };
}

/** What routes with signed links share. */
export interface LinkDeps {
  services: Services;
  database: Database;
}

/** For whom the link in a request speaks, or null: then the answer is 403 and says nothing. */
export function scopeOfLink(
  { services, database }: LinkDeps,
  request: FastifyRequest<LinkedRequest>,
  purpose: LinkPurpose,
  id: string,
): Scope | null {
  const { token } = request.query;
  const link = typeof token === 'string' ? services.links.verify(token, purpose, id) : null;
  return link === null ? null : { viewer: link.viewer, db: database.forTenant(link.tenantId) };
}

/** The link is the credential, so any page may use it: a browser fetches `<track>` of another origin only so. */
export const PRIVATE = {
  'access-control-allow-origin': '*',

  'cache-control': 'private, no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
