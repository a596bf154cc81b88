import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPEN_TO_ALL } from '../../../src/server/admission/admission.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { createTokenMaker } from '../../support/tokens.ts';
import { ask } from './asking.ts';

let subgraph: TestSubgraph;

beforeAll(async () => {
  subgraph = await startTestSubgraph({
    trustedProxies: ['127.0.0.0/8'],
    admission: { ...OPEN_TO_ALL, perMinute: { viewer: 3, tenant: 5, anonymous: 2 } },
  });
});
afterAll(() => subgraph.close());

/** Sends one after another and tells the statuses. */
async function statuses(count: number, headers: Record<string, string>): Promise<number[]> {
  const answers: number[] = [];
  for (let n = 0; n < count; n += 1) answers.push((await ask(subgraph, headers)).status);
  return answers;
}

const as = async (tenant_id: string, sub: string) => ({
  authorization: `Bearer ${await subgraph.tokens.token('technician', { tenant_id, sub })}`,
});

describe('a viewer', () => {
  it('who asks too much is told so and when to come back, whatever token and address the request has', async () => {
    const ann = await as('limits', 'ann');
    expect(await statuses(3, ann)).toEqual([200, 200, 200]);
    const { status, code, message, headers } = await ask(subgraph, { ...ann, 'x-forwarded-for': '203.0.113.9' });
    expect({ status, code }).toEqual({ status: 429, code: 'RATE_LIMITED' });
    const seconds = Number(headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(message).toBe(`More than 3 requests in a minute. Try again in ${seconds} s.`);
    const another = await subgraph.tokens.token('technician', { tenant_id: 'limits', sub: 'ann', iat: 1 });
    expect((await ask(subgraph, { authorization: `Bearer ${another}` })).status).toBe(429);
  });

  it('uses nothing of what the others have: not by asking on, and not by a like name elsewhere', async () => {
    expect(await statuses(4, await as('limits', 'ann'))).toEqual([429, 429, 429, 429]);
    expect(await statuses(2, await as('limits', 'bob'))).toEqual([200, 200]);
    expect(await statuses(1, await as('elsewhere', 'ann'))).toEqual([200]);
    expect(await statuses(4, await as('ab', 'c'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(1, await as('a', 'bc'))).toEqual([200]);
  });
});

describe('a tenant', () => {
  it('has a budget for all its viewers, and other tenants have theirs', async () => {
    expect(await statuses(3, await as('busy', 'one'))).toEqual([200, 200, 200]);
    expect(await statuses(3, await as('busy', 'two'))).toEqual([200, 200, 429]);
    const three = await ask(subgraph, await as('busy', 'three'));
    expect([three.code, three.message]).toEqual(['RATE_LIMITED', expect.stringContaining('More than 5 requests')]);
    expect(await statuses(1, await as('quiet', 'three'))).toEqual([200]);
  });
});

describe('somebody without a good token', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address });

  it('is counted by address', async () => {
    expect(await statuses(3, from('198.51.100.1'))).toEqual([200, 200, 429]);
    expect(await statuses(1, from('198.51.100.2'))).toEqual([200]);
    expect(await statuses(2, from('2001:db8::1'))).toEqual([200, 200]);
    expect(await statuses(1, from('2001:db8::2')), 'one network of IPv6 is one address').toEqual([429]);
  });

  it('cannot use up the budget of whom a forged token names', async () => {
    const stranger = await createTokenMaker();
    const forged = await stranger.token('technician', { tenant_id: 'victim', sub: 'vera' });
    const expired = await subgraph.tokens.sign(
      { tenant_id: 'victim', sub: 'vera', kind: 'msp', permissions: [] },
      { expiresAt: 1_000 },
    );
    for (const [index, token] of [forged, expired].entries()) {
      const headers = { authorization: `Bearer ${token}`, ...from(`198.51.100.${10 + index}`) };
      expect(await statuses(4, headers)).toEqual([200, 200, 429, 429]);
    }
    expect(await statuses(3, await as('victim', 'vera'))).toEqual([200, 200, 200]);
  });

  it('is kept out alone: a good token from the same address is not, nor is anything besides GraphQL', async () => {
    expect(await statuses(3, from('198.51.100.20'))).toEqual([200, 200, 429]);
    expect(await statuses(1, { ...(await as('neighbour', 'nina')), ...from('198.51.100.20') })).toEqual([200]);
    for (const path of ['/health/live', '/metrics', '/status'])
      expect((await fetch(`${subgraph.url}${path}`, { headers: from('198.51.100.20') })).status).toBe(200);
  });
});

it('what was refused is counted by its reason, which names nobody', async () => {
  const metrics = await (await fetch(`${subgraph.url}/metrics`)).text();
  const lines = metrics.split('\n').filter((line) => /^teams_meetings_requests_refused_total.* [1-9]\d*$/.test(line));
  expect(lines.map((line) => line.replace(/ \d+$/, '')).sort()).toEqual(
    ['anonymous-limit', 'tenant-limit', 'viewer-limit'].map(
      (reason) => `teams_meetings_requests_refused_total{reason="${reason}"}`,
    ),
  );
  expect(subgraph.logs.find(({ reason }) => reason === 'viewer-limit')).toMatchObject({
    msg: '[TeamsMeetings] operation=admission refused',
    tenantId: 'limits',
    viewerId: 'ann',
  });
});

describe('a request whose token nobody can judge, because the identity provider does not answer', () => {
  it('is counted for its address, so that a made-up token is no way around the budget', async () => {
    const alone = await startTestSubgraph({
      jwksUrl: 'http://127.0.0.1:9/jwks.json',
      admission: { ...OPEN_TO_ALL, perMinute: { viewer: 3, tenant: 5, anonymous: 2 } },
    });
    try {
      const authorization = `Bearer ${await alone.tokens.token('technician')}`;
      const codes = [];
      for (let n = 0; n < 4; n += 1) codes.push((await ask(alone, { authorization })).code);
      expect(codes).toEqual(['SERVICE_UNAVAILABLE', 'SERVICE_UNAVAILABLE', 'RATE_LIMITED', 'RATE_LIMITED']);
    } finally {
      await alone.close();
    }
  });
});
