import { setTimeout } from 'node:timers/promises';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPEN_TO_ALL } from '../../../src/server/admission/admission.ts';
import { shedLoad } from '../../../src/server/admission/load-shedding.ts';
import { makeRefuse } from '../../../src/server/admission/refusals.ts';
import { createMetrics } from '../../../src/server/metrics.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ask } from './asking.ts';

let subgraph: TestSubgraph;
let authorization: string;

beforeAll(async () => {
  subgraph = await startTestSubgraph({ admission: { ...OPEN_TO_ALL, shedding: { maxEventLoopDelayMs: 250 } } });
  authorization = `Bearer ${await subgraph.tokens.token('technician')}`;
});
afterAll(() => subgraph.close());

/** Gives the process more to do than it can, until told to stop: between two pieces of work little else gets its turn. */
function overload(): () => Promise<void> {
  const stop = new AbortController();
  const loop = async () => {
    while (!stop.signal.aborted) {
      for (const until = performance.now() + 400; performance.now() < until; );
      await setTimeout(0);
    }
  };
  const running = loop();
  return () => {
    stop.abort();
    return running;
  };
}

describe('a server that has more to do than it can', () => {
  it('turns requests away with a time to come back, keeps its health and metrics, and recovers by itself', async () => {
    expect((await ask(subgraph, { authorization })).status).toBe(200);
    const relieve = overload();
    try {
      await expect
        .poll(() => ask(subgraph, { authorization }), { timeout: 20_000 })
        .toMatchObject({
          status: 503,
          code: 'SERVICE_UNAVAILABLE',
          message: 'The service has too much to do at the moment. Try again shortly.',
        });
      const refused = await ask(subgraph, { authorization });
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
      expect((await ask(subgraph)).status, 'whoever asks').toBe(503);
      for (const path of ['/health/live', '/health/ready', '/metrics'])
        expect((await fetch(`${subgraph.url}${path}`)).status, path).toBe(200);
    } finally {
      await relieve();
    }
    await expect.poll(() => ask(subgraph, { authorization }), { timeout: 20_000 }).toMatchObject({ status: 200 });
    const metrics = await (await fetch(`${subgraph.url}/metrics`)).text();
    expect(metrics).toMatch(/teams_meetings_requests_refused_total\{reason="overload"\} \d/);
    expect(subgraph.logs.find(({ reason }) => reason === 'overload')).toMatchObject({ pressure: 'eventLoopDelay' });
  }, 60_000);

  it('turns requests away also while it is about to run out of memory', async () => {
    const app = Fastify();
    await shedLoad(app, { maxEventLoopDelayMs: 60_000, maxHeapUsedBytes: 1 }, makeRefuse(createMetrics()));
    app.get('/', async () => 'let in');
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    await expect.poll(async () => (await fetch(url)).status, { timeout: 20_000 }).toBe(503);
    await app.close();
  });
});
