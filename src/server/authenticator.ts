import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type Config, ConfigError } from '../config.ts';
import { PERMISSIONS, type Permission, type Viewer } from '../services/viewer.ts';

/** Only signatures by a private key: a shared-secret algorithm would let the public key sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

const claimsSchema = z
  .object({
    sub: z.string().min(1).max(255),
    tenant_id: z.string().min(1).max(255),
    kind: z.enum(['msp', 'client', 'service']),
    permissions: z.array(z.string()),
    client_id: z.string().min(1).max(255).optional(),
    contact_id: z.string().min(1).max(255).optional(),
  })
  .refine((claims) => claims.kind !== 'client' || claims.client_id !== undefined);

/** What a client user may do at the most: a token that grants more was made by mistake. */
const CLIENT_PERMISSIONS: ReadonlySet<Permission> = new Set(['teams_meeting:read', 'teams_artifact:read']);

function isPermission(text: string): text is Permission {
  return (PERMISSIONS as readonly string[]).includes(text);
}

/** The viewer whom verified claims describe, or null when they are not the claims of the contract. */
export function viewerOf(payload: JWTPayload): Viewer | null {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) return null;
  const { sub, tenant_id, kind, permissions, client_id, contact_id } = parsed.data;
  const granted = permissions.filter(isPermission);
  const base = { tenantId: tenant_id, id: sub };
  if (kind !== 'client') return { ...base, kind, permissions: new Set(granted) };
  if (client_id === undefined) return null;
  const readable = granted.filter((permission) => CLIENT_PERMISSIONS.has(permission));
  return { ...base, kind, permissions: new Set(readable), clientId: client_id, contactId: contact_id };
}

/** The identity provider's keys cannot be fetched, so nobody's token can be judged. */
export class IdentityProviderUnavailableError extends Error {
  override readonly name = 'IdentityProviderUnavailableError';
}

/**
 * Tells who sent a request, by its `Authorization` header; null when the token is missing or not good, for whatever
 * reason. Rejects with IdentityProviderUnavailableError when that cannot be told at the moment.
 */
export type Authenticate = (authorization: string | undefined) => Promise<Viewer | null>;

/** jose's codes for a key set that did not arrive, or arrived broken. */
const PROVIDER_FAULTS = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

/** jose's own refusals speak of the token; anything else is the way to the keys. */
function isTokenRefused(error: unknown): boolean {
  return error instanceof errors.JOSEError && !PROVIDER_FAULTS.has(error.code);
}

async function keySource(jwks: Config['auth']['jwks']): Promise<JWTVerifyGetKey> {
  if ('url' in jwks) return createRemoteJWKSet(new URL(jwks.url), { timeoutDuration: 5_000 });
  try {
    return createLocalJWKSet(JSON.parse(await readFile(jwks.file, 'utf8')));
  } catch (cause) {
    throw new ConfigError(`AUTH_JWKS_FILE is not a readable JSON Web Key Set: ${(cause as Error).message}`, { cause });
  }
}

interface Verified {
  viewer: Viewer;
  verifiedAt: number;
  until: number;
}

/** A token whose key was withdrawn is good for so long at the most; jose itself keeps a key set for ten minutes. */
const REMEMBER_MS = 60_000;
const MOST_REMEMBERED = 10_000;

/**
 * Makes the check of bearer tokens against the configured keys.
 *
 * @throws ConfigError when the file of keys cannot be read
 */
export async function createAuthenticator(auth: Config['auth'], clock: () => Date): Promise<Authenticate> {
  const keys = await keySource(auth.jwks);
  const verified = new LRUCache<string, Verified>({ max: MOST_REMEMBERED });
  return async (authorization) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    const known = verified.get(token);
    const now = clock().getTime();
    if (known !== undefined && known.verifiedAt <= now && now < known.until) return known.viewer;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: auth.issuer,
        audience: auth.audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
        currentDate: clock(),
      });
      const viewer = viewerOf(payload);
      const until = Math.min(now + REMEMBER_MS, (payload.exp ?? 0) * 1000);
      if (viewer !== null) verified.set(token, { viewer, verifiedAt: now, until });
      return viewer;
    } catch (cause) {
      if (isTokenRefused(cause)) return null;
      throw new IdentityProviderUnavailableError('The keys of the identity provider cannot be fetched', { cause });
    }
  };
}
