import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { AUDIENCE, createTokenMaker, ISSUER, type TokenMaker } from '../support/tokens.ts';
import { addressOf, type Run, run, start } from './process.ts';

const MAIN = 'src/main.ts';

let directory: string;
let database: TestDatabase;
let tokens: TokenMaker;
let good: Record<string, string>;
const running: Run[] = [];

beforeAll(async () => {
  [directory, database, tokens] = await Promise.all([
    mkdtemp(join(tmpdir(), 'serve-test-')),
    createTestDatabase(),
    createTokenMaker(),
  ]);
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(tokens.jwks));
  const key = () => `k1:${randomBytes(32).toString('base64')}`;
  good = {
    DATABASE_URL: database.applicationUrl,
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: 'http://127.0.0.1:4001',
    AUTH_JWKS_FILE: jwksFile,
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: AUDIENCE,
    ENCRYPTION_KEYS: key(),
    LINK_SIGNING_KEYS: key(),
  };
});
afterAll(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

/** Starts the server and waits until it says where it listens. */
async function listening(env: Record<string, string> = {}): Promise<{ process: Run; url: string }> {
  const process = start(MAIN, [], { ...good, ...env });
  running.push(process);
  return { process, url: await addressOf(process) };
}

function withDatabase(change: (url: URL) => void): Record<string, string> {
  const url = new URL(database.url);
  change(url);
  return { ...good, DATABASE_URL: url.href };
}

/** What an operator may see of a mistake: one line, no stack, no password. */
function expectOneLine(stderr: string): void {
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).not.toMatch(/ {4}at |postgres:postgres|secret-password/);
}

describe('a server that is set up wrongly exits with 1 and says what to mend', () => {
  it('lists every missing variable in one message', async () => {
    const { code, stdout, stderr } = await run(MAIN, [], {});
    expect(code).toBe(1);
    expect(stdout).toBe('');
    for (const name of [
      'DATABASE_URL',
      'PUBLIC_URL',
      'AUTH_ISSUER',
      'AUTH_AUDIENCE',
      'ENCRYPTION_KEYS',
      'LINK_SIGNING_KEYS',
    ])
      expect(stderr).toContain(`${name}: is missing`);
    expect(stderr).not.toContain('    at ');
  });

  it.each<[string, () => Record<string, string>, RegExp]>([
    [
      'a port on which nothing answers',
      () => withDatabase((url) => Object.assign(url, { port: '1' })),
      /^The database of DATABASE_URL cannot be used: .*ECONNREFUSED/,
    ],
    [
      'a name with several addresses, on none of which something answers',
      () => withDatabase((url) => Object.assign(url, { hostname: 'localhost', port: '1' })),
      /^The database of DATABASE_URL cannot be used: .*ECONNREFUSED/,
    ],
    [
      'a wrong password',
      () => withDatabase((url) => Object.assign(url, { password: 'secret-password' })),
      /^The database of DATABASE_URL cannot be used: password authentication failed/,
    ],
    [
      'an unknown database',
      () => withDatabase((url) => Object.assign(url, { pathname: '/nowhere' })),
      /^The database of DATABASE_URL cannot be used: database "nowhere" does not exist/,
    ],
    [
      'a database that was not migrated',
      () => withDatabase((url) => Object.assign(url, { pathname: '/postgres' })),
      /^The database has no tables yet. Run `npm run db:migrate` first\./,
    ],
    [
      'a key file that is not there',
      () => ({ ...good, AUTH_JWKS_FILE: join(directory, 'absent.json') }),
      /^AUTH_JWKS_FILE is not a readable JSON Web Key Set: ENOENT/,
    ],
  ])('for %s', async (_, env, message) => {
    const { code, stderr } = await run(MAIN, [], env());
    expect(stderr).toMatch(message);
    expectOneLine(stderr);
    expect(code).toBe(1);
  });

  it('for a port that is taken', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    const { code, stderr } = await run(MAIN, [], { ...good, PORT: String(port) });
    await new Promise((resolve) => holder.close(resolve));
    expect(stderr).toMatch(new RegExp(`^The port is taken: .*127\\.0\\.0\\.1:${port}.*Set PORT to another one\\.`));
    expectOneLine(stderr);
    expect(code).toBe(1);
  });
});

describe('a server that is set up well', () => {
  it('answers its health and GraphQL, and asks for a token', async () => {
    const { process, url } = await listening();
    const [live, ready] = await Promise.all([fetch(`${url}/health/live`), fetch(`${url}/health/ready`)]);
    expect([live.status, ready.status]).toEqual([200, 200]);
    const ask = async (headers: Record<string, string>) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query: '{ teamsMeetingCapability { available } }' }),
      });
      return (await response.json()) as { data: unknown; errors?: { extensions: { code: string } }[] };
    };
    expect((await ask({})).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    const authorization = `Bearer ${await tokens.token('technician')}`;
    expect(await ask({ authorization })).toEqual({ data: { teamsMeetingCapability: { available: false } } });
    expect(process.stdout()).not.toContain('could pass row security');
    process.child.kill('SIGTERM');
    await process.ended;
  });

  it('warns of a login that could pass row security, and names keys that are lost; it serves all the same', async () => {
    await database.query(
      `INSERT INTO microsoft_apps (tenant_id, client_id, directory_id, cloud, credential_kind, credential_ciphertext, credential_hint, created_at, updated_at)
       VALUES ('tenant-a', 'app', 'directory', 'GLOBAL', 'CLIENT_SECRET', 'v1:lost:n:c', 'abc…', now(), now())`,
    );
    const { process } = await listening({ DATABASE_URL: database.url });
    const lines = process.stdout().trim().split('\n');
    const told = lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 40);
    expect(told).toMatchObject([
      { level: 40, role: 'postgres', excess: ['superuser'], msg: expect.stringContaining('docs/database-roles.md') },
      { level: 50, lost: [{ keyId: 'lost', secrets: 1, tenants: 1 }], msg: expect.stringContaining('ENCRYPTION_KEYS') },
    ]);
    process.child.kill('SIGTERM');
    await process.ended;
  });

  it('has no explorer, and where it is asked for one, none that gives anybody a token', async () => {
    const { process, url } = await listening();
    expect((await fetch(`${url}/`)).status).toBe(404);
    process.child.kill('SIGTERM');
    await process.ended;

    const asked = await listening({ EXPLORER: 'on' });
    expect((await fetch(`${asked.url}/`)).status).toBe(200);
    const settings = await (await fetch(`${asked.url}/explorer/settings.json`)).json();
    expect(settings).toEqual({ introspection: false, roles: [], demo: null });
    const response = await fetch(`${asked.url}/explorer/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"role":"admin"}',
    });
    expect(response.status).toBe(404);
    asked.process.child.kill('SIGTERM');
    await asked.process.ended;
  });

  it('does not start with the means to give anybody a token', async () => {
    const secrets = { ...good, EXPLORER: 'on', DEVELOPMENT_SECRETS: directory };
    for (const env of [secrets, { ...secrets, NODE_ENV: 'development', HOST: '0.0.0.0' }]) {
      const { code, stderr } = await run(MAIN, [], env);
      expect([code, stderr]).toEqual([1, expect.stringContaining('DEVELOPMENT_SECRETS: is for npm start')]);
    }
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('stops on %s with exit code 0 and nothing on stderr', async (signal) => {
    const { process, url } = await listening();
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const began = Date.now();
    process.child.kill(signal);
    expect(await process.ended).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(process.stderr()).toBe('');
    expect(process.stdout()).toContain('the subgraph has stopped');
  });
});
