import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSupergraph } from '../../../examples/supergraph/start-supergraph.ts';
import { OPEN_TO_ALL } from '../../../src/server/admission/admission.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { AUDIENCE, ISSUER } from '../../support/tokens.ts';
import { ask as askGateway } from '../supergraph/ask.ts';
import { createTokenIssuer } from '../supergraph/tokens.ts';
import { ask } from './asking.ts';

const [CURRENT, NEXT] = ['c'.repeat(32), 'n'.repeat(40)];

let subgraph: TestSubgraph;
let authorization: string;

beforeAll(async () => {
  subgraph = await startTestSubgraph({
    psaWebhookSecrets: [`whsec_${Buffer.alloc(32, 7).toString('base64')}`],
    admission: { ...OPEN_TO_ALL, gatewaySecrets: [CURRENT, NEXT], perMinute: { viewer: 3, tenant: 0, anonymous: 0 } },
  });
  authorization = `Bearer ${await subgraph.tokens.token('technician')}`;
});
afterAll(() => subgraph.close());

describe('a subgraph that has a gateway', () => {
  const REFUSED = { status: 403, code: 'FORBIDDEN', message: 'This subgraph answers its gateway alone.' };

  it.each([
    ['no secret', {}],
    ['an empty secret', { 'x-gateway-secret': '' }],
    ['another secret', { 'x-gateway-secret': 'x'.repeat(32) }],
    ['the beginning of a secret', { 'x-gateway-secret': CURRENT.slice(0, -1) }],
    ['more than a secret', { 'x-gateway-secret': `${CURRENT}c` }],
    ['all secrets at once', { 'x-gateway-secret': `${CURRENT},${NEXT}` }],
    ['the secret as another header', { authorization: `Bearer ${CURRENT}` }],
  ])('refuses %s, with a good token too and without one', async (_, headers) => {
    expect(await ask(subgraph, { authorization, ...headers })).toMatchObject(REFUSED);
    expect(await ask(subgraph, headers)).toMatchObject(REFUSED);
    expect(await ask(subgraph, headers, '{ _service { sdl } }')).toMatchObject(REFUSED);
  });

  it('refuses what it has not read: another method, another type, a body that is none', async () => {
    const refused = await Promise.all([
      fetch(`${subgraph.url}/graphql?query={__typename}`),
      fetch(`${subgraph.url}/graphql`, { method: 'POST', body: '{' }),
      fetch(`${subgraph.url}/graphql`, { method: 'OPTIONS' }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(refused[0]?.headers.get('content-type')).toContain('application/json');
  });

  it('lets each of its secrets in, so that they can be changed', async () => {
    for (const secret of [CURRENT, NEXT])
      expect(await ask(subgraph, { authorization, 'x-gateway-secret': secret })).toMatchObject({
        status: 200,
        code: null,
      });
    expect((await ask(subgraph, { 'x-gateway-secret': NEXT })).code).toBe('UNAUTHENTICATED');
  });

  it.each([
    ['GET', '/health/live', 200],
    ['GET', '/health/ready', 200],
    ['GET', '/metrics', 200],
    ['GET', '/status', 200],
    ['GET', '/recordings/x?token=x', 403],
    ['GET', '/transcripts/x.vtt?token=x', 403],
    ['GET', '/invitations/x.ics?token=x', 403],
    ['POST', '/webhooks/graph/notifications?validationToken=hello', 200],
    ['POST', '/webhooks/psa', 401],
  ])('leaves %s %s alone', async (method, path, status) => {
    const response = await fetch(`${subgraph.url}${path}`, { method });
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain('gateway alone');
  });

  it('is counted and logged, and nothing that was shown is', async () => {
    await ask(subgraph, { 'x-gateway-secret': 'a-guess-of-somebody' });
    const metrics = await (await fetch(`${subgraph.url}/metrics`)).text();
    expect(metrics).toMatch(/teams_meetings_requests_refused_total\{reason="gateway-secret"\} \d+/);
    const lines = JSON.stringify(subgraph.logs);
    expect(lines).toContain('operation=admission refused');
    for (const secret of [CURRENT, NEXT, 'a-guess-of-somebody']) expect(lines).not.toContain(secret);
  });

  it('is asked through the example gateway, which shows the secret and hands on what it is told', async () => {
    const issuer = await createTokenIssuer();
    await writeFile(issuer.auth.jwksFile, JSON.stringify(subgraph.tokens.jwks));
    const supergraph = await startSupergraph({
      subgraphUrl: `${subgraph.url}/graphql`,
      gatewaySecret: NEXT,
      hostname: '127.0.0.1',
      ports: { gateway: 0, psaCore: 0 },
      auth: { ...issuer.auth, issuer: ISSUER, audience: AUDIENCE },
    });
    try {
      const token = await subgraph.tokens.token('technician', { sub: 'user-through-the-gateway' });
      const query = '{ appointments { id teamsMeeting { id } } }';
      for (let n = 0; n < 3; n += 1)
        expect((await askGateway(supergraph.gatewayUrl, query, token)).errors).toBeUndefined();
      const { data, errors } = await askGateway(supergraph.gatewayUrl, query, token);
      expect(errors?.[0]).toMatchObject({ extensions: { code: 'RATE_LIMITED' } });
      expect(data?.appointments, 'the PSA’s own fields').not.toHaveLength(0);
    } finally {
      await supergraph.close();
      issuer.close();
    }
  });
});
