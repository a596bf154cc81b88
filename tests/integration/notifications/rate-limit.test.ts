import { expect, it } from 'vitest';
import { post, send, subgraph, useNotifications } from './support.ts';

useNotifications({ notificationsPerMinute: 5 });

it('an address that sends too much is told to wait; nothing else that it asks for is counted', async () => {
  const answers = [];
  for (let n = 0; n < 7; n += 1) answers.push(await send([{}], n % 2 === 0 ? 'notifications' : 'lifecycle'));
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429, 429]);
  const waitSeconds = Number(answers.at(-1)?.headers.get('retry-after'));
  expect(waitSeconds).toBeGreaterThan(0);
  expect(waitSeconds).toBeLessThanOrEqual(60);
  expect((await post('{')).status).toBe(429);
  for (let n = 0; n < 10; n += 1) {
    expect((await fetch(`${subgraph.url}/health/live`)).status).toBe(200);
  }
});
