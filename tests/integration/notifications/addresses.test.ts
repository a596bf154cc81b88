import { describe, expect, it } from 'vitest';
import { activated, atMicrosoft, statusOf, subgraph, useNotifications } from './support.ts';

const asked = async () => (await subgraph.simulator.requests({ path: '/subscriptions' })).length;

describe('a public address that Microsoft would never call', () => {
  useNotifications({ isCallable: false, publicUrl: 'http://psa.example' });

  it('is told in the status, and Microsoft is not asked', async () => {
    await activated();
    expect(await statusOf()).toMatchObject([
      { state: 'PENDING', failure: { code: 'NOT_CONFIGURED', remedy: expect.stringContaining('https') } },
      { state: 'PENDING', failure: { code: 'NOT_CONFIGURED' } },
    ]);
    expect(await asked()).toBe(0);
  });
});

describe('a public address at which nobody answers', () => {
  useNotifications({ isCallable: false, publicUrl: 'http://127.0.0.1:9' });

  it('is told as what Microsoft could not reach', async () => {
    await activated();
    expect(await atMicrosoft()).toEqual([]);
    expect(await statusOf()).toMatchObject([
      { state: 'PENDING', failure: { code: 'NOT_CONFIGURED', remedy: expect.stringContaining('/webhooks/graph/') } },
      { state: 'PENDING', failure: { code: 'NOT_CONFIGURED' } },
    ]);
  });
});
