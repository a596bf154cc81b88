import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export interface TokenIssuer {
  /** What the verifying side needs. */
  auth: { jwksFile: string; issuer: string; audience: string };
  /** A bearer token of one hour, unless `expiresAt` says otherwise. */
  token(payload: JWTPayload, overrides?: { audience?: string; expiresAt?: Date }): Promise<string>;
  close(): void;
}

/** A token issuer with a key of its own, whose public half lies in a JWKS file. */
export async function createTokenIssuer(): Promise<TokenIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const folder = mkdtempSync(join(tmpdir(), 'jwks-'));
  const jwksFile = join(folder, 'jwks.json');
  writeFileSync(jwksFile, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256' }] }));
  const issuer = 'https://issuer.example';
  const audience = 'psa';
  return {
    auth: { jwksFile, issuer, audience },
    token: (payload, overrides = {}) =>
      new SignJWT(payload)
        .setProtectedHeader({ alg: 'ES256', kid: 'test' })
        .setIssuer(issuer)
        .setAudience(overrides.audience ?? audience)
        .setIssuedAt()
        .setExpirationTime(overrides.expiresAt ?? '1h')
        .sign(privateKey),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
