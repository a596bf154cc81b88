import { globSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES, type Role } from '../../../src/cli/development-secrets.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

const ASSETS = globSync('explorer/dist/explorer/*')
  .map((path) => path.replaceAll('\\', '/').replace('explorer/dist/', ''))
  .filter((path) => !path.endsWith('.gz'));

let development: TestSubgraph;
let plain: TestSubgraph;
beforeAll(async () => {
  development = await startTestSubgraph({
    explorer: {
      development: {
        roles: ['admin', 'client'],
        tokenFor: async (role) => (Object.hasOwn(ROLES, role) ? development.tokens.token(role as Role) : null),
        demo: { organizer: 'scheduling@acme.example' },
        headers: { 'x-gateway-secret': 'shown-to-this-machine-alone' },
      },
    },
  });
  plain = await startTestSubgraph({ explorer: {}, introspection: false, isProduction: true });
});
afterAll(() => Promise.all([development?.close(), plain?.close()]));

/** Sends a path as it is written: fetch would resolve `..` before it asks. */
function askRaw(url: string, path: string, host = new URL(url).hostname): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
    );
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    socket.on('end', () => resolve(answer)).on('error', reject);
  });
}

function askToken(subgraph: TestSubgraph, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${subgraph.url}/explorer/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

describe('the page of the explorer', () => {
  it('comes with a policy that lets nothing in from elsewhere and runs no script of its own text', async () => {
    const response = await fetch(`${plain.url}/`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = Object.fromEntries(
      (response.headers.get('content-security-policy') ?? '').split('; ').map((directive) => {
        const [name, ...sources] = directive.split(' ');
        return [name, sources.join(' ')];
      }),
    );
    expect(policy).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self' 'unsafe-inline'",
      'img-src': "'self' data:",
      'font-src': "'self' data:",
      'connect-src': "'self'",
      'worker-src': "'self'",
      'form-action': "'self'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
    });
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    const html = await response.text();
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/<script(?![^>]* src=)/);
  });

  it('is not there when it is switched off', async () => {
    const off = await startTestSubgraph();
    const answers = await Promise.all(
      ['/', '/explorer/', '/explorer/settings.json', `/${ASSETS[0]}`].map((path) => fetch(`${off.url}${path}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect((await askToken(off, { role: 'admin' })).status).toBe(404);
    await off.close();
  });
});

describe('the files of the explorer', () => {
  it('may be kept for ever by a browser, as their names are hashes of what they hold', async () => {
    expect(ASSETS.length).toBeGreaterThan(5);
    for (const asset of ASSETS) {
      expect(asset).toMatch(/^explorer\/[\w.]+(?:-[\w-]+)+\.(?:js|css|ttf)$/);
      const response = await fetch(`${plain.url}/${asset}`, { method: 'HEAD' });
      expect([asset, response.status]).toEqual([asset, 200]);
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('are sent compressed to those who take it so', async () => {
    const script = ASSETS.find((path) => path.endsWith('.js')) ?? '';
    const raw = await askRaw(plain.url, `/${script}`);
    expect(raw).not.toContain('content-encoding');
    const response = await fetch(`${plain.url}/${script}`, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(response.headers.get('content-type')).toBe('application/javascript; charset=utf-8');
    expect(await response.text()).toBe(gunzipSync(readFileSync(`explorer/dist/${script}.gz`)).toString());
  });

  it.each([
    '/explorer/../index.html',
    '/explorer/../../../package.json',
    '/explorer/..%2f..%2f..%2fpackage.json',
    '/explorer/%2e%2e/%2e%2e/%2e%2e/package.json',
    '/explorer/..%5c..%5c..%5cpackage.json',
    '/explorer/....//....//package.json',
    '/explorer//etc/passwd',
    '/explorer/%00',
    '/explorer/%',
    '/explorer/.',
    '/explorer/',
    '/explorer',
    '/../package.json',
    `/${ASSETS.find((path) => path.endsWith('.js'))}.gz`,
  ])('are the bundle and nothing else: %s leads nowhere', async (path) => {
    const answer = await askRaw(plain.url, path);
    expect(answer).toMatch(/^HTTP\/1\.1 (?:400|404) /);
    expect(answer).not.toMatch(/teams-meetings-subgraph|root:/);
  });

  it('hold no secret of the simulator', () => {
    for (const asset of ASSETS) expect(readFileSync(`explorer/dist/${asset}`, 'utf8')).not.toMatch(/simulator-secret/);
  });
});

describe('what the server tells its explorer', () => {
  it('is a demo tenant and roles in development, and neither anywhere else', async () => {
    const settings = async ({ url }: TestSubgraph) => (await fetch(`${url}/explorer/settings.json`)).json();
    const told = { introspection: true, roles: ['admin', 'client'], demo: { organizer: 'scheduling@acme.example' } };
    const headers = { 'x-gateway-secret': 'shown-to-this-machine-alone' };
    expect(await settings(development)).toEqual({ ...told, headers });
    const rebound = await askRaw(development.url, '/explorer/settings.json', 'attacker.example');
    expect(JSON.parse(rebound.slice(rebound.indexOf('{')))).toEqual(told);
    expect(await settings(plain)).toEqual({ introspection: false, roles: [], demo: null });
  });
});

describe('tokens for developers', () => {
  it('open what the role may do', async () => {
    const response = await askToken(development, { role: 'client' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const { token } = (await response.json()) as { token: string };
    const { data } = await development.send(token, '{ teamsMeetingCapability { available } }');
    expect(data).toEqual({ teamsMeetingCapability: { available: false } });
    const { errors } = await development.send(token, '{ teamsSettings { installStatus } }');
    expect(errors[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it.each([{ role: 'root' }, { role: 'toString' }, { role: ['admin'] }, {}, null, 'admin'])(
    'are not made for %j',
    async (body) => {
      expect((await askToken(development, body)).status).toBe(400);
    },
  );

  it('are not made for a page of somebody else that has its own name lead to this machine', async () => {
    const { port } = new URL(development.url);
    for (const host of [`evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example', '127.0.0.1@evil'])
      expect(await statusFor(host)).toBe(403);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`])
      expect(await statusFor(host)).toBe(200);
  });

  it('are not made for a form of another page, which cannot send JSON', async () => {
    const response = await fetch(`${development.url}/explorer/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{"role":"admin"}',
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('have no route where nobody develops', async () => {
    const response = await askToken(plain, { role: 'admin' });
    expect(response.status).toBe(404);
    expect(await response.text()).not.toMatch(/ey[\w-]+\./);
  });

  /** fetch does not let a caller choose the host. */
  async function statusFor(host: string): Promise<number> {
    const { hostname, port } = new URL(development.url);
    const body = '{"role":"admin"}';
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write(
          `POST /explorer/tokens HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        ),
      );
      socket.setEncoding('utf8').once('data', (text) => {
        resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(String(text))?.[1]));
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }
});
