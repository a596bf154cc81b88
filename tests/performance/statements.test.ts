import { afterAll, beforeAll, expect, it } from 'vitest';
import { fill } from '../../bench/beside/data.ts';
import { WORKLOADS } from '../../bench/beside/workloads.ts';
import { countStatements } from '../support/statements.ts';
import { startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { BUDGETS } from './budgets.ts';

const statements = countStatements();
let subgraph: TestSubgraph;

beforeAll(async () => {
  // One connection, so that opening more of them is no part of the count.
  subgraph = await startTestSubgraph({ poolSize: 1 });
  await fill(subgraph.database.url, new Map([['tenant-a', 500]]));
});
afterAll(() => subgraph.close());

it.each(['W1', 'W2', 'W3'] as const)('a request of %s sends no more statements than its budget', async (name) => {
  const workload = WORKLOADS.find((one) => one.name === name);
  if (workload === undefined) throw new Error(`there is no ${name}`);
  const token = await subgraph.tokens.token('technician');
  const r = Array.from({ length: workload.entities }, (_, n) => ({
    __typename: 'Appointment',
    id: `appointment-${n}`,
  }));
  // The first request of all opens the connection.
  await subgraph.send(token, '{ teamsMeetingCapability { available } }');
  statements.reset();
  const { data, errors } = await subgraph.send<{ _entities: { teamsMeeting: object | null }[] }>(
    token,
    workload.query,
    { r },
  );
  expect(errors).toEqual([]);
  expect(data?._entities.filter(({ teamsMeeting }) => teamsMeeting !== null)).toHaveLength(workload.entities);
  const texts = statements.sent().map(({ text }) => text);
  expect(texts.length, texts.join('\n')).toBeGreaterThan(0);
  expect(texts.length, texts.join('\n')).toBeLessThanOrEqual(BUDGETS.statements[name]);
});
