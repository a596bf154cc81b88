import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './process.ts';

const TOKEN = 'src/cli/token.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'token-test-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const token = (...args: string[]) => run(TOKEN, args, { DATA_DIRECTORY: directory });

const MEETINGS = ['teams_meeting:read', 'teams_meeting:write', 'teams_artifact:read', 'teams_artifact:refresh'];

describe('npm run token', () => {
  it.each<[string[], object]>([
    [
      ['--role', 'admin'],
      {
        sub: 'user-admin',
        kind: 'msp',
        tenant_id: 'tenant-a',
        permissions: ['teams_settings:read', 'teams_settings:update', ...MEETINGS],
      },
    ],
    [
      ['--role', 'technician', '--tenant', 'tenant-b'],
      { sub: 'user-technician', kind: 'msp', tenant_id: 'tenant-b', permissions: MEETINGS },
    ],
    [
      ['--role', 'client'],
      {
        kind: 'client',
        tenant_id: 'tenant-a',
        client_id: 'client-acme',
        permissions: ['teams_meeting:read', 'teams_artifact:read'],
      },
    ],
    [
      ['--role', 'client', '--client', 'client-x', '--contact', 'contact-y'],
      { kind: 'client', client_id: 'client-x', contact_id: 'contact-y' },
    ],
    [
      ['--role', 'service'],
      { sub: 'service', kind: 'service', permissions: ['teams_meeting:read', 'teams_meeting:write'] },
    ],
  ])('%j prints one signed token and nothing else', async (args, claims) => {
    const { code, stdout, stderr } = await token(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const jwks = createLocalJWKSet(JSON.parse(await readFile(join(directory, 'development-jwks.json'), 'utf8')));
    const { payload } = await jwtVerify(stdout.trim(), jwks, { audience: 'teams-meetings' });
    expect(payload).toMatchObject(claims);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(12 * 3600);
  });

  it('names no client in the token of a role that has none', async () => {
    const { stdout } = await token('--role', 'admin');
    expect(decodeJwt(stdout.trim())).not.toHaveProperty('client_id');
  });

  it('keeps the private key to its owner, and out of the published keys', async () => {
    await token('--role', 'admin');
    expect((await stat(join(directory, 'development-secrets.json'))).mode & 0o777).toBe(0o600);
    const { keys } = JSON.parse(await readFile(join(directory, 'development-jwks.json'), 'utf8')) as { keys: object[] };
    expect(keys).toHaveLength(1);
    expect(keys[0]).not.toHaveProperty('d');
  });

  it.each([
    ['no role', []],
    ['an unknown role', ['--role', 'root']],
    ['a role that every object has', ['--role', 'toString']],
    ['an unknown option', ['--role', 'admin', '--admin']],
    ['a client for a role that has none', ['--role', 'admin', '--client', 'c']],
    ['a contact for a role that has none', ['--role', 'service', '--contact', 'c']],
  ])('refuses %s with its usage and exit code 1', async (_, args) => {
    const { code, stdout, stderr } = await token(...args);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: npm run token -- --role admin|technician|client|service');
    expect(stderr).not.toContain('    at ');
  });
});
