import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

let subgraph: TestSubgraph;
let admin: string;

beforeAll(async () => {
  subgraph = await startTestSubgraph({
    // An error of ours, with something in it that nobody outside may read.
    replace: () => ({
      capability: { check: () => Promise.reject(new Error('password=hunter2')) } as never,
    }),
  });
  admin = await subgraph.tokens.token('admin');
});
afterAll(() => subgraph?.close());

/** Asks as a gateway does; resolves with Apollo's trace in bytes, if there is one. */
async function traceOf(query: string, asked: Record<string, string>): Promise<Buffer | undefined> {
  const response = await fetch(`${subgraph.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}`, ...asked },
    body: JSON.stringify({ query }),
  });
  const { extensions } = (await response.json()) as { extensions?: { ftv1?: string } };
  return extensions?.ftv1 === undefined ? undefined : Buffer.from(extensions.ftv1, 'base64');
}

const FTV1 = { 'apollo-federation-include-trace': 'ftv1' };

describe('federated tracing', () => {
  it('is in no answer that nobody asked for', async () => {
    expect(await traceOf('{ teamsSettings { installStatus } }', {})).toBeUndefined();
    expect(
      await traceOf('{ teamsSettings { installStatus } }', { 'apollo-federation-include-trace': 'v9' }),
    ).toBeUndefined();
  });

  it('tells a gateway that asks of every field', async () => {
    const trace = await traceOf('{ teamsSettings { installStatus } }', FTV1);
    expect(trace?.toString('latin1')).toMatch(/teamsSettings.*TeamsSettings/s);
  });

  it('shows no message of an error', async () => {
    const trace = await traceOf('{ teamsMeetingCapability { available } }', FTV1);
    expect(trace?.toString('latin1')).toContain('<masked>');
    expect(trace?.toString('latin1')).not.toContain('hunter2');
  });

  it('is over with the answer: the next one is without', async () => {
    expect(await traceOf('{ teamsSettings { installStatus } }', {})).toBeUndefined();
  });
});
