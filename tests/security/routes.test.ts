import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES, type Role } from '../../src/cli/development-secrets.ts';
import { attempts } from './attempts.ts';
import { NOBODYS } from './credentials.ts';
import { sendRaw, statusOf } from './raw-http.ts';
import { expectNothingOf, type Stage, setTheStage, tokenOfA, tokenOfB } from './stage.ts';

/** How a route answers to those who are nobody. `say` is what it may say: nothing of any tenant in any case. */
interface Route {
  path(stage: Stage): string;
  statuses: number[];
  body?: () => string;
  type?: string;
  /** What is behind it has a test of its own here or elsewhere. */
  also: string;
}

const FORM = { body: () => 'token=', type: 'application/x-www-form-urlencoded' };
const JSON_BODY = { body: () => '{}', type: 'application/json' };
const link = (kind: string, ending: string, id: (stage: Stage) => string) => ({
  path: (stage: Stage) => `/${kind}/${id(stage)}${ending}`,
  statuses: [403],
  also: 'links.test.ts',
});
const open = (path: string) => ({ path: () => path, statuses: [200], also: 'open to everybody' });

/** One entry for each route that Fastify has: a route that is added and is not here fails a test. */
const ROUTES: Record<string, Route> = {
  'GET /graphql': {
    path: () => '/graphql?query={teamsSettings{installStatus}}',
    statuses: [400],
    also: 'fields.test.ts',
  },
  'POST /graphql': { path: () => '/graphql', statuses: [400], ...JSON_BODY, also: 'fields.test.ts' },
  'OPTIONS /graphql': { path: () => '/graphql', statuses: [400, 405], also: 'fields.test.ts' },
  'GET /health/live': open('/health/live'),
  'GET /health/ready': open('/health/ready'),
  'GET /metrics': open('/metrics'),
  'GET /recordings/:id': link('recordings', '', ({ a }) => a.recordingId),
  'GET /transcripts/:id.vtt': link('transcripts', '.vtt', ({ a }) => a.transcriptId),
  'GET /transcripts/:id.txt': link('transcripts', '.txt', ({ a }) => a.transcriptId),
  'GET /invitations/:id.ics': link('invitations', '.ics', ({ a }) => a.meetingId),
  'POST /webhooks/graph/notifications': {
    path: () => '/webhooks/graph/notifications',
    statuses: [400],
    ...JSON_BODY,
    also: 'webhooks.test.ts',
  },
  'POST /webhooks/graph/lifecycle': {
    path: () => '/webhooks/graph/lifecycle',
    statuses: [400],
    ...JSON_BODY,
    also: 'webhooks.test.ts',
  },
  'POST /webhooks/psa': { path: () => '/webhooks/psa', statuses: [401], ...JSON_BODY, also: 'webhooks.test.ts' },
  'GET /status': { path: () => '/status', statuses: [200, 401], also: 'below' },
  'POST /status': { path: () => '/status', statuses: [401], ...FORM, also: 'below' },
  'GET /': open('/'),
  'GET /explorer/<file>': { path: () => '/explorer/nothing.js', statuses: [404], also: 'open to everybody' },
  'GET /explorer/settings.json': open('/explorer/settings.json'),
  'POST /explorer/tokens': {
    path: () => '/explorer/tokens',
    statuses: [400],
    ...JSON_BODY,
    also: 'in development only',
  },
};

let stage: Stage;
beforeAll(async () => {
  stage = await setTheStage({
    explorer: {
      development: {
        roles: ['admin'],
        tokenFor: async (role) => (role === 'admin' ? stage.subgraph.tokens.token(role) : null),
        demo: {},
      },
    },
  });
});
afterAll(() => stage.subgraph.close());

async function call(
  method: string,
  name: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  const { path, body, type } = ROUTES[name] as Route;
  const response = await fetch(`${stage.subgraph.url}${path(stage)}`, {
    method,
    headers: { ...(type === undefined ? {} : { 'content-type': type }), ...headers },
    ...(body === undefined ? {} : { body: body() }),
  });
  return { status: response.status, text: await response.text() };
}

it('every route that Fastify has is attacked', () => {
  const known = stage.routes
    .filter((route) => !route.startsWith('HEAD '))
    .map((route) => route.replace(/^(GET \/explorer\/)(?!settings\.json$).+/, '$1<file>'));
  expect([...new Set(known)].sort()).toEqual(Object.keys(ROUTES).sort());
});

describe.each(Object.keys(ROUTES))('%s', (name) => {
  const [method = ''] = name.split(' ');
  const { statuses } = ROUTES[name] as Route;
  const nobody = attempts('a route with a token that is missing or forged');
  for (const [what, make] of NOBODYS)
    nobody(`says nothing to ${what}`, async () => {
      const token = await make(stage.subgraph.tokens);
      const { status, text } = await stage.withoutEffect(() =>
        call(method, name, token === null ? {} : { authorization: `Bearer ${token}` }),
      );
      expect(statuses).toContain(status);
      expectNothingOf(stage.a, text);
      expectNothingOf(stage.b, text);
    });

  const somebody = attempts('a route with a good token of another tenant');
  somebody('says nothing of the victim, whoever else asks', async () => {
    const token = await tokenOfB(stage);
    const { status, text } = await stage.withoutEffect(() => call(method, name, { authorization: `Bearer ${token}` }));
    expect(status).toBeLessThan(500);
    expectNothingOf(stage.a, text);
  });

  const headers = attempts('a route with headers that pretend to be somebody');
  headers('takes no header for a tenant, an address or another path', async () => {
    const pretence = {
      ...{ 'x-tenant-id': 'tenant-a', 'x-user-id': 'user-a', 'x-forwarded-user': 'user-a', cookie: 'token=x' },
      ...{ 'x-original-url': '/metrics', 'x-rewrite-url': '/metrics', 'x-http-method-override': 'DELETE' },
      ...{ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'evil.example', forwarded: 'for=127.0.0.1' },
    };
    const { status, text } = await stage.withoutEffect(() => call(method, name, pretence));
    expect(statuses).toContain(status);
    expectNothingOf(stage.a, text);
  });
});

describe('/status', () => {
  const denied = attempts('a route without its permission');
  const ask = async (how: 'GET' | 'POST', token: string) => {
    const response = await fetch(`${stage.subgraph.url}/status`, {
      method: how,
      ...(how === 'GET' ? { headers: { authorization: `Bearer ${token}` } } : { body: new URLSearchParams({ token }) }),
    });
    return { status: response.status, text: await response.text() };
  };
  for (const how of ['GET', 'POST'] as const) {
    for (const role of Object.keys(ROLES).filter((one) => one !== 'admin'))
      denied(`shows nothing to a ${role} by ${how}`, async () => {
        const token = await stage.subgraph.tokens.token(role as Role);
        const { status, text } = await stage.withoutEffect(() => ask(how, token));
        expect(status).toBe(403);
        expectNothingOf(stage.a, text);
      });

    it(`shows by ${how} to those who may what the attempts were about`, async () => {
      const { status, text } = await ask(how, await tokenOfA(stage));
      expect(status).toBe(200);
      expect(text).toContain('tenant-a');
    });
  }

  const forms = attempts('a route with a body that is not what it takes');
  for (const [what, type, body] of [
    ['JSON', 'application/json', '{"token":"x"}'],
    ['a file', 'multipart/form-data; boundary=x', '--x\r\n\r\n--x--'],
    ['prototype keys', 'application/x-www-form-urlencoded', '__proto__[token]=x&constructor=y'],
    ['a hundred thousand fields', 'application/x-www-form-urlencoded', 'a=&'.repeat(10_000)],
    ['more than a form', 'application/x-www-form-urlencoded', `token=${'a'.repeat(40_000)}`],
    ['broken escapes', 'application/x-www-form-urlencoded', 'token=%E0%A4%A'],
  ] as const)
    forms(`refuses ${what}`, async () => {
      const response = await stage.withoutEffect(() =>
        fetch(`${stage.subgraph.url}/status`, { method: 'POST', headers: { 'content-type': type }, body }),
      );
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
    });
});

describe('methods that no route has', () => {
  const methods = attempts('a route by another method');
  for (const method of ['PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE'])
    for (const path of ['/graphql', '/metrics', '/webhooks/psa', '/status'])
      methods(`refuses ${method} ${path}`, async () => {
        const answer = await stage.withoutEffect(() =>
          sendRaw(stage.subgraph.url, `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
        );
        expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
        expect(statusOf(answer)).toBeLessThan(500);
      });
});
