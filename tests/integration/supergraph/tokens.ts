import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUDIENCE, createTokenMaker, ISSUER, type TokenMaker } from '../../support/tokens.ts';

export interface TokenIssuer {
  /** What the verifying side needs. */
  auth: { jwksFile: string; issuer: string; audience: string };
  token: TokenMaker['sign'];
  close(): void;
}

/** A token issuer with a key of its own, whose public half lies in a JWKS file. */
export async function createTokenIssuer(): Promise<TokenIssuer> {
  const { jwks, sign } = await createTokenMaker();
  const folder = mkdtempSync(join(tmpdir(), 'jwks-'));
  const jwksFile = join(folder, 'jwks.json');
  writeFileSync(jwksFile, JSON.stringify(jwks));
  return {
    auth: { jwksFile, issuer: ISSUER, audience: AUDIENCE },
    token: sign,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
