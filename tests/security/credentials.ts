import { createHmac } from 'node:crypto';
import { type CryptoKey, exportSPKI, generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose';
import { PERMISSIONS } from '../../src/services/viewer.ts';
import { AUDIENCE, ISSUER, type TokenMaker } from '../support/tokens.ts';

/** What a token needs to pass, which each of those below lacks somewhere. */
const CLAIMS = { sub: 'user-x', tenant_id: 'tenant-a', kind: 'msp', permissions: [...PERMISSIONS] };

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const payload = (over: object = {}) => encode({ ...CLAIMS, iss: ISSUER, aud: AUDIENCE, exp: inSeconds(600), ...over });
const publicKey = (tokens: TokenMaker) => tokens.jwks.keys[0] ?? {};

function without(claim: keyof typeof CLAIMS): JWTPayload {
  const { [claim]: _left, ...others } = CLAIMS;
  return others;
}

async function signedByPublicKey(tokens: TokenMaker): Promise<string> {
  const pem = await exportSPKI((await importJWK(publicKey(tokens), 'ES256')) as CryptoKey);
  const signed = `${encode({ alg: 'HS256', kid: 'test' })}.${payload()}`;
  return `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
}

async function signedByAnother(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256');
  return new SignJWT(CLAIMS)
    .setProtectedHeader({ alg: 'ES256', kid: 'test' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime('1h')
    .sign(privateKey);
}

async function withAnotherTenant(tokens: TokenMaker): Promise<string> {
  const [header, , signature] = (await tokens.sign({ ...CLAIMS, tenant_id: 'tenant-b' })).split('.');
  return `${header}.${payload()}.${signature}`;
}

/** Every way in which somebody is nobody; each makes a bearer token, or null for none. */
export const NOBODYS: readonly (readonly [what: string, make: (tokens: TokenMaker) => Promise<string | null>])[] = [
  ['no token', async () => null],
  ['an expired token', (tokens) => tokens.sign(CLAIMS, { expiresAt: inSeconds(-1) })],
  ['a token of another issuer', (tokens) => tokens.sign(CLAIMS, { issuer: 'https://elsewhere.example/' })],
  ['a token for another audience', (tokens) => tokens.sign(CLAIMS, { audience: 'another-subgraph' })],
  ['alg none', async () => `${encode({ alg: 'none' })}.${payload()}.`],
  ['alg none with something for a signature', async () => `${encode({ alg: 'none', kid: 'test' })}.${payload()}.AAAA`],
  ['HS256 signed with the public key', signedByPublicKey],
  ['an unknown kid', (tokens) => tokens.sign(CLAIMS, { kid: 'unknown' })],
  ['another key under our kid', signedByAnother],
  ['the tenant changed after signing', withAnotherTenant],
  ['no sub', (tokens) => tokens.sign(without('sub'))],
  ['no tenant_id', (tokens) => tokens.sign(without('tenant_id'))],
  ['no kind', (tokens) => tokens.sign(without('kind'))],
  ['no permissions', (tokens) => tokens.sign(without('permissions'))],
];
