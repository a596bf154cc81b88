import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, createRemoteJWKSet, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
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

function isPermission(text: string): text is Permission {
  return (PERMISSIONS as readonly string[]).includes(text);
}

/** The viewer whom verified claims describe, or null when they are not the claims of the contract. */
export function viewerOf(payload: JWTPayload): Viewer | null {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) return null;
  const { sub, tenant_id, kind, permissions, client_id, contact_id } = parsed.data;
  const base = { tenantId: tenant_id, id: sub, permissions: new Set(permissions.filter(isPermission)) };
  if (kind !== 'client') return { ...base, kind };
  return client_id === undefined ? null : { ...base, kind, clientId: client_id, contactId: contact_id };
}

/** Tells who sent a request, by its `Authorization` header; null when that cannot be told, for whatever reason. */
export type Authenticate = (authorization: string | undefined) => Promise<Viewer | null>;

async function keySource(jwks: Config['auth']['jwks']): Promise<JWTVerifyGetKey> {
  if ('url' in jwks) return createRemoteJWKSet(new URL(jwks.url), { timeoutDuration: 5_000 });
  try {
    return createLocalJWKSet(JSON.parse(await readFile(jwks.file, 'utf8')));
  } catch (cause) {
    throw new ConfigError(`AUTH_JWKS_FILE is not a readable JSON Web Key Set: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Makes the check of bearer tokens against the configured keys.
 *
 * @throws ConfigError when the file of keys cannot be read
 */
export async function createAuthenticator(auth: Config['auth'], clock: () => Date): Promise<Authenticate> {
  const keys = await keySource(auth.jwks);
  return async (authorization) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: auth.issuer,
        audience: auth.audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
        currentDate: clock(),
      });
      return viewerOf(payload);
    } catch {
      return null;
    }
  };
}
