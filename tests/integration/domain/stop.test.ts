import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

let subgraph: TestSubgraph;
let isClosed = false;

beforeAll(async () => {
  subgraph = await startTestSubgraph();
});
afterAll(async () => {
  if (!isClosed) await subgraph.close();
});

it('a connection on which nothing was asked, as browsers open them ahead, does not hold up the stop', async () => {
  const { hostname, port } = new URL(subgraph.url);
  const connection = connect(Number(port), hostname);
  await once(connection, 'connect');
  // One that was used tells that the server has taken both.
  expect((await fetch(`${subgraph.url}/health/live`)).status).toBe(200);
  const ended = once(connection.resume(), 'close');
  await subgraph.close();
  isClosed = true;
  await ended;
}, 10_000);
