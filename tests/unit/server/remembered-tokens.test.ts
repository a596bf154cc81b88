import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type Authenticate, createAuthenticator } from '../../../src/server/authenticator.ts';
import { AUDIENCE, createTokenMaker, ISSUER, type TokenMaker } from '../../support/tokens.ts';

let directory: string;
let tokens: TokenMaker;
let authenticate: Authenticate;
let now = Date.now();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokens-'));
  tokens = await createTokenMaker();
  const file = join(directory, 'jwks.json');
  await writeFile(file, JSON.stringify(tokens.jwks));
  authenticate = await createAuthenticator({ jwks: { file }, issuer: ISSUER, audience: AUDIENCE }, () => new Date(now));
});
afterEach(() => {
  vi.restoreAllMocks();
  now = Date.now();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const seconds = () => Math.floor(now / 1000);

/** A token, judged once, and what counts the judgements after that. */
async function judged(claims: object = {}, expiresAt = seconds() + 3_600) {
  const { sub, kind, permissions } = { sub: 'user-1', kind: 'msp', permissions: ['teams_meeting:read'] };
  const token = await tokens.sign({ sub, kind, permissions, tenant_id: 'tenant-a', ...claims }, { expiresAt });
  const first = await authenticate(`Bearer ${token}`);
  const verify = vi.spyOn(crypto.subtle, 'verify');
  return { token, first, verify };
}

it('a token’s signature is judged once a minute, whoever sends it', async () => {
  const { token, first, verify } = await judged();
  expect(first).toMatchObject({ tenantId: 'tenant-a', id: 'user-1' });
  for (let n = 0; n < 10; n += 1) expect(await authenticate(`Bearer ${token}`)).toEqual(first);
  expect(verify).not.toHaveBeenCalled();
  now += 60_001;
  expect(await authenticate(`Bearer ${token}`)).toEqual(first);
  expect(verify).toHaveBeenCalledOnce();
});

it('a token that expires is refused at that second, remembered or not', async () => {
  const { token, first } = await judged({}, seconds() + 10);
  expect(first).not.toBeNull();
  now = (seconds() + 9) * 1_000;
  expect(await authenticate(`Bearer ${token}`)).toEqual(first);
  now += 1_000;
  expect(await authenticate(`Bearer ${token}`)).toBeNull();
});

it('a clock that was put back makes a token be judged anew', async () => {
  const { token, verify } = await judged();
  now -= 3_600_000;
  await authenticate(`Bearer ${token}`);
  expect(verify).toHaveBeenCalledOnce();
});

it('nothing is remembered of a token that was refused', async () => {
  const { token, first, verify } = await judged({ tenant_id: '' });
  expect(first).toBeNull();
  expect(await authenticate(`Bearer ${token}`)).toBeNull();
  expect(verify).toHaveBeenCalledOnce();
});

it('a token that differs in one character from a remembered one is judged by itself', async () => {
  const { token, first } = await judged();
  expect(first).not.toBeNull();
  const [head = '', body = '', signature = ''] = token.split('.');
  const other = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
  const forged = Buffer.from(JSON.stringify({ ...other, tenant_id: 'tenant-b' })).toString('base64url');
  expect(await authenticate(`Bearer ${head}.${forged}.${signature}`)).toBeNull();
  const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  expect(await authenticate(`Bearer ${head}.${body}.${flipped}`)).toBeNull();
});
