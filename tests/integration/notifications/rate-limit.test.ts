import { describe, expect, it } from 'vitest';
import { post, send, subgraph, useNotifications } from './support.ts';

describe('an address that sends too much', () => {
  useNotifications({ notificationsPerMinute: 5 });

  it('is told to wait; nothing else that it asks for is counted', async () => {
    const answers = [];
    for (let n = 0; n < 7; n += 1) answers.push(await send([{}], n % 2 === 0 ? 'notifications' : 'lifecycle'));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429, 429]);
    const waitSeconds = Number(answers.at(-1)?.headers.get('retry-after'));
    expect(waitSeconds).toBeGreaterThan(0);
    expect(waitSeconds).toBeLessThanOrEqual(60);
    expect((await post('{')).status).toBe(429);
    expect((await sendFor('203.0.113.7')).status).toBe(429);
    for (let n = 0; n < 10; n += 1) {
      expect((await fetch(`${subgraph.url}/health/live`)).status).toBe(200);
    }
  });
});

describe('behind a proxy that is named', () => {
  useNotifications({ notificationsPerMinute: 2, trustedProxies: ['127.0.0.0/8'] });

  it('senders are counted one by one, whatever they write themselves', async () => {
    const statuses = [];
    for (const caller of ['203.0.113.7', '198.51.100.1, 203.0.113.7', '203.0.113.7', '203.0.113.8']) {
      statuses.push((await sendFor(caller)).status);
    }
    expect(statuses).toEqual([202, 202, 429, 202]);
  });
});

const sendFor = (forwardedFor: string) =>
  fetch(`${subgraph.url}/webhooks/graph/notifications`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': forwardedFor },
    body: JSON.stringify({ value: [{}] }),
  });
