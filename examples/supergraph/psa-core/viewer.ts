import { readFileSync } from 'node:fs';
import { createLocalJWKSet, createRemoteJWKSet, type JWTVerifyGetKey, errors as joseErrors, jwtVerify } from 'jose';
import { z } from 'zod';

/** Where the public keys of the token issuer are (an address or a file), and what its tokens must say. */
export type AuthOptions = { issuer: string; audience: string } & (
  | { jwksUrl: string; jwksFile?: undefined }
  | { jwksFile: string; jwksUrl?: undefined }
);

/** Who asks, as the verified token says. */
export interface Viewer {
  userId: string;
  tenantId: string;
  /** The only client that the viewer may see; null for a viewer who may see all of the tenant's. */
  clientId: string | null;
}

/** Reads an Authorization header. Null without a valid bearer token; rejects when the keys cannot be fetched. */
export type ViewerReader = (authorization: string | undefined) => Promise<Viewer | null>;

const claims = z
  .object({
    sub: z.string().min(1),
    tenant_id: z.string().min(1),
    kind: z.enum(['msp', 'client', 'service']),
    client_id: z.string().min(1).optional(),
  })
  .refine((value) => value.kind !== 'client' || value.client_id !== undefined);

/** Makes a reader that verifies signature, issuer, audience and expiry. Throws when the key file cannot be read. */
export function createViewerReader(auth: AuthOptions): ViewerReader {
  const keys: JWTVerifyGetKey =
    auth.jwksUrl === undefined
      ? createLocalJWKSet(JSON.parse(readFileSync(auth.jwksFile, 'utf8')))
      : createRemoteJWKSet(new URL(auth.jwksUrl));

  return async (authorization) => {
    const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    try {
      const { issuer, audience } = auth;
      const { payload } = await jwtVerify(token, keys, { issuer, audience, requiredClaims: ['exp'] });
      const { sub, tenant_id, kind, client_id } = claims.parse(payload);
      return { userId: sub, tenantId: tenant_id, clientId: kind === 'client' ? (client_id ?? null) : null };
    } catch (error) {
      if (error instanceof joseErrors.JOSEError || error instanceof z.ZodError) return null;
      throw error;
    }
  };
}
