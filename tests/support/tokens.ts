import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWTPayload, SignJWT } from 'jose';
import { ROLES, type Role } from '../../src/cli/development-secrets.ts';

export const ISSUER = 'https://psa.example/';
export const AUDIENCE = 'teams-meetings';

export interface TokenMaker {
  jwks: JSONWebKeySet;
  /** A good token of a role; claims are added to it or replace its own. */
  token(role: Role, claims?: JWTPayload): Promise<string>;
  /** A token with exactly these claims besides issuer, audience and times. */
  sign(
    claims: JWTPayload,
    options?: { issuer?: string; audience?: string; expiresAt?: number; kid?: string },
  ): Promise<string>;
}

/** An identity provider of one test file. */
export async function createTokenMaker(): Promise<TokenMaker> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwks: JSONWebKeySet = { keys: [{ ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256' }] };
  const sign: TokenMaker['sign'] = (
    claims,
    { issuer = ISSUER, audience = AUDIENCE, expiresAt = Math.floor(Date.now() / 1000) + 3600, kid = 'test' } = {},
  ) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(privateKey);
  return {
    jwks,
    sign,
    token: (role, claims = {}) => {
      const { kind, sub, permissions } = ROLES[role];
      return sign({
        sub,
        kind,
        permissions: [...permissions],
        tenant_id: 'tenant-a',
        ...(kind === 'client' ? { client_id: 'client-acme' } : {}),
        ...claims,
      });
    },
  };
}
