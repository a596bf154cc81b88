import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activate, MICROSOFT } from '../../support/setup.ts';
import { startTestSubgraph } from '../../support/subgraph.ts';
import { WITHOUT_WAITS } from '../domain/support.ts';
import { checkOf, mend, subgraph, useVerification, verified, verify } from './support.ts';

const { directoryId } = MICROSOFT['tenant-a'];

useVerification();
beforeEach(async () => {
  await subgraph.database.query('TRUNCATE graph_subscriptions CASCADE');
  await subgraph.database.query('DELETE FROM graphile_worker._private_jobs');
  for (const { id } of await atMicrosoft()) await subgraph.simulator.loseSubscription(id);
  await subgraph.simulator.clearRequests();
});
afterEach(mend);

const atMicrosoft = () => subgraph.simulator.listSubscriptions(directoryId);
const calls = async (method: string) =>
  (await subgraph.simulator.requests({ method, path: '/subscriptions' })).map(({ status }) => status);
const webhook = async () => checkOf(await verified(), 'webhook');

/** The tenant's own subscriptions, made as its job makes them. */
async function subscribed() {
  await verified();
  await subgraph.runJobs();
  await subgraph.simulator.clearRequests();
  return atMicrosoft();
}

describe('without a subscription', () => {
  it('one is made for a moment, with a life of less than an hour', async () => {
    const check = await webhook();
    expect(check).toMatchObject({ status: 'PASS', detail: expect.stringMatching(/made and removed/) });
    const [request] = await subgraph.simulator.requests({ method: 'POST', path: '/subscriptions$' });
    const body = request?.body as { expirationDateTime: string } | undefined;
    expect(new Date(body?.expirationDateTime ?? 0).getTime() - Date.now()).toBeLessThan(3_600_000);
    expect(await calls('DELETE')).toEqual([204]);
    expect(await atMicrosoft()).toEqual([]);
    expect(await subgraph.database.query('SELECT 1 FROM graph_subscriptions')).toEqual([]);
  });

  it('one whose removal fails is no harm: it lapses by itself', async () => {
    await subgraph.simulator.addFault({
      match: { method: 'DELETE', path: '/subscriptions' },
      status: 500,
      times: 1000,
    });
    expect((await webhook()).status).toBe('PASS');
    expect(await atMicrosoft()).toHaveLength(1);
  });

  it('the tenant’s own ones can be made beside one that was left over', async () => {
    await subgraph.simulator.addFault({
      match: { method: 'DELETE', path: '/subscriptions' },
      status: 500,
      times: 1000,
    });
    await webhook();
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs();
    const rows = await subgraph.database.query<{ subscription_id: string }>(
      'SELECT subscription_id FROM graph_subscriptions WHERE last_failure IS NULL',
    );
    const ids = (await atMicrosoft()).map(({ id }) => id);
    expect(rows.map(({ subscription_id }) => subscription_id).sort()).toEqual(ids.sort());
  });
});

describe('subscriptions that are there', () => {
  it('are proof by being given their address once more, and stay as they are', async () => {
    const before = await subscribed();
    expect(before).toHaveLength(2);
    expect(await webhook()).toMatchObject({ status: 'PASS', detail: expect.stringMatching(/active until/) });
    expect(await atMicrosoft()).toEqual(before);
    expect(await calls('POST')).toEqual([]);
    expect(await calls('DELETE')).toEqual([]);
  });

  it('are worth a warning and stay, when Microsoft does not get through any more', async () => {
    const before = await subscribed();
    await subgraph.simulator.setSubscriptionBehaviour({ reachesAddresses: false });
    expect(await webhook()).toMatchObject({ status: 'WARN', remedy: expect.stringMatching(/PUBLIC_URL/) });
    expect(await atMicrosoft()).toEqual(before);
  });

  it('that Microsoft has lost prove nothing: one is made for a moment', async () => {
    for (const { id } of await subscribed()) await subgraph.simulator.loseSubscription(id);
    expect((await webhook()).detail).toMatch(/made and removed/);
    expect(await atMicrosoft()).toEqual([]);
  });

  it.each([true, false])(
    'that are not stored here are left alone, whether or not the refusal names them: %s',
    async (conflictNamesId) => {
      const before = await subscribed();
      await subgraph.database.query('TRUNCATE graph_subscriptions CASCADE');
      await subgraph.simulator.setSubscriptionBehaviour({ conflictNamesId });
      expect(await webhook()).toMatchObject({ status: 'PASS', detail: expect.stringMatching(/there already/) });
      expect(await atMicrosoft()).toEqual(before);
      expect(await calls('DELETE')).toEqual([]);
    },
  );
});

it('an address that is not https is worth a warning, and Microsoft is not asked', async () => {
  const other = await startTestSubgraph({ graph: WITHOUT_WAITS });
  try {
    const token = await activate(other);
    const { verification } = await verify({}, { token, of: other });
    expect(verification?.outcome).toBe('VERIFIED');
    expect(verification === null ? null : checkOf(verification, 'webhook')).toMatchObject({
      status: 'WARN',
      remedy: expect.stringMatching(/https/),
    });
    expect(await other.simulator.requests({ path: '/subscriptions' })).toEqual([]);
  } finally {
    await other.close();
  }
});
