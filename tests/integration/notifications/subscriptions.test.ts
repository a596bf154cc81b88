import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CONNECT, succeed } from '../../support/setup.ts';
import { ACME, everythingStored, forgetTokens } from '../domain/support.ts';
import {
  activated,
  advance,
  atMicrosoft,
  DAY_MS,
  ensure,
  HOUR_MS,
  jobs,
  notification,
  rows,
  scopeOf,
  send,
  statusOf,
  subgraph,
  update,
  useNotifications,
} from './support.ts';

useNotifications({
  linkSigningKeys: ['new', 'old'].map((id) => ({ id, bytes: randomBytes(32) })),
});

const RESOURCES = [
  `users/${ACME.organizerId}/onlineMeetings/getAllRecordings`,
  `users/${ACME.organizerId}/onlineMeetings/getAllTranscripts`,
];
const ids = async () => (await atMicrosoft()).map(({ id }) => id).sort();
const requests = async (method: string) =>
  (await subgraph.simulator.requests({ method, path: '/subscriptions' })).length;

describe('a tenant that becomes active', () => {
  it('has two subscriptions, with lifecycle addresses and secrets that cannot be guessed', async () => {
    await activated();
    const made = await atMicrosoft();
    expect(made.map(({ resource }) => resource).sort()).toEqual(RESOURCES);
    for (const one of made) {
      expect(one).toMatchObject({
        appId: ACME.clientId,
        notificationUrl: `${subgraph.url}/webhooks/graph/notifications`,
        lifecycleNotificationUrl: `${subgraph.url}/webhooks/graph/lifecycle`,
      });
      expect(new Date(one.expiresAt).getTime() - Date.now()).toBeGreaterThan(2.9 * DAY_MS);
      expect(one.clientState?.length).toBeLessThanOrEqual(128);
    }
    expect(new Set(made.map(({ clientState }) => clientState)).size).toBe(2);
    expect(await statusOf()).toMatchObject([
      { kind: 'RECORDINGS', state: 'ACTIVE', failure: null, subscriptionId: expect.any(String) },
      { kind: 'TRANSCRIPTS', state: 'ACTIVE', failure: null },
    ]);
  });

  it('keeps no secret of a subscription in the database or the log', async () => {
    await activated();
    const everything = `${await everythingStored(subgraph)}\n${JSON.stringify(subgraph.logs)}`;
    for (const { clientState } of await atMicrosoft()) expect(everything).not.toContain(clientState);
  });

  it('asks for nothing more while all is well', async () => {
    await activated();
    const before = await ids();
    await subgraph.simulator.clearRequests();
    await ensure();
    await subgraph.services.sweepTenant(scopeOf());
    await subgraph.runJobs();
    expect([await requests('POST'), await requests('PATCH'), await ids()]).toEqual([0, 0, before]);
  });

  it('does not have them twice when the job runs twice at once', async () => {
    await activated();
    await Promise.allSettled([ensure(), ensure()]);
    expect(await ids()).toHaveLength(2);
  });

  it('has none without being active', async () => {
    const token = await activated();
    await update(token, { installStatus: 'INSTALL_PENDING' });
    await subgraph.runJobs();
    await ensure();
    expect([await atMicrosoft(), await rows()]).toEqual([[], []]);
  });
});

describe('renewal', () => {
  it('comes at about half of the life, with one PATCH each', async () => {
    await activated();
    const before = await ids();
    await advance(1.2 * DAY_MS);
    await subgraph.simulator.clearRequests();
    await ensure();
    expect(await requests('PATCH')).toBe(0);
    await advance(0.6 * DAY_MS);
    await forgetTokens(subgraph);
    await ensure();
    expect([await requests('PATCH'), await requests('POST')]).toEqual([2, 0]);
    expect(await ids()).toEqual(before);
    for (const { expires_at } of await rows()) {
      expect((expires_at?.getTime() ?? 0) - Date.now()).toBeGreaterThan((1.8 + 2.9) * DAY_MS);
    }
  });

  it('is planned by the job itself', async () => {
    await activated();
    const [later] = (await jobs('ensure_subscriptions')).filter(({ key }) => key.endsWith(':later'));
    const wait = (later?.run_at.getTime() ?? 0) - Date.now();
    expect(wait).toBeGreaterThan(HOUR_MS);
    expect(wait).toBeLessThanOrEqual(6 * HOUR_MS);
  });

  it('that fails is shown, and tried again before the subscription lapses', async () => {
    await activated();
    await advance(1.8 * DAY_MS);
    await forgetTokens(subgraph);
    await subgraph.simulator.addFault({ match: { method: 'PATCH' }, status: 503, times: null });
    await ensure();
    expect(await statusOf()).toMatchObject([
      { state: 'ACTIVE', failure: { code: 'GRAPH_UNAVAILABLE' } },
      { state: 'ACTIVE', failure: { code: 'GRAPH_UNAVAILABLE' } },
    ]);
    await subgraph.simulator.clearFaults();
    await advance(HOUR_MS);
    await ensure();
    expect(await statusOf()).toMatchObject([{ failure: null }, { failure: null }]);
  });

  it('of one that Microsoft has lost makes it again, and looks for what was missed', async () => {
    await activated();
    const [lost = ''] = await ids();
    await subgraph.simulator.loseSubscription(lost);
    await advance(1.8 * DAY_MS);
    await forgetTokens(subgraph);
    await subgraph.simulator.setSubscriptionBehaviour({ unknownCode: 'ExtensionError' });
    await ensure();
    expect(await ids()).toHaveLength(2);
    expect(await ids()).not.toContain(lost);
    expect(await jobs('capture_organizer')).toMatchObject([
      { payload: { tenantId: 'tenant-a', organizerObjectId: ACME.organizerId } },
    ]);
  });

  it('that comes too late makes them again', async () => {
    await activated();
    const before = await ids();
    await advance(4 * DAY_MS);
    await forgetTokens(subgraph);
    expect(await atMicrosoft()).toEqual([]);
    expect(await statusOf()).toMatchObject([{ state: 'LAPSED' }, { state: 'LAPSED' }]);
    await ensure();
    const after = await ids();
    expect(after).toHaveLength(2);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    expect(await jobs('capture_organizer')).toHaveLength(1);
  });
});

describe('a subscription that is there already', () => {
  /** As after a create whose answer never came, or in a database that was restored. */
  const forget = (set: string) =>
    subgraph.database.query(`UPDATE graph_subscriptions SET next_attempt_at = now(), ${set}`);

  it.each([true, false])('is taken over when it is ours (named by the refusal: %s)', async (conflictNamesId) => {
    await activated();
    const before = await ids();
    await forget('subscription_id = NULL, expires_at = NULL');
    await subgraph.simulator.setSubscriptionBehaviour({ conflictNamesId });
    await ensure();
    expect(await ids()).toEqual(before);
    expect((await rows()).map(({ subscription_id }) => subscription_id).sort()).toEqual(before);
    // Its notifications are ours again, though another clientState was tried meanwhile.
    expect((await send([await notification()])).status).toBe(202);
    expect(await jobs('capture_online_meeting')).toHaveLength(1);
  });

  it('is taken over after a create that worked and was answered with 504', async () => {
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/subscriptions$' }, status: 504, after: true });
    await activated();
    expect(await atMicrosoft()).toHaveLength(2);
    await advance(60_000);
    await ensure();
    expect(await statusOf()).toMatchObject([
      { state: 'ACTIVE', failure: null },
      { state: 'ACTIVE', failure: null },
    ]);
    expect((await rows()).map(({ subscription_id }) => subscription_id).sort()).toEqual(await ids());
  });

  it('is removed and made anew where its secret is not shown', async () => {
    await activated();
    const before = await ids();
    await forget('subscription_id = NULL, expires_at = NULL');
    await subgraph.simulator.setSubscriptionBehaviour({ showsClientState: false });
    await ensure();
    const after = await ids();
    expect(after).toHaveLength(2);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
  });

  it('is left to other software that uses the same app, and the conflict is shown', async () => {
    await activated();
    const graph = await subgraph.services.microsoftApp.graphFor(scopeOf());
    if (graph === null) throw new Error('no app is connected');
    for (const id of await ids()) await graph.subscriptions.remove(id);
    // Not where our notifications go, but an address that answers the handshake.
    const address = `${subgraph.url}/webhooks/graph/lifecycle`;
    const [resource = ''] = RESOURCES;
    const theirs = await graph.subscriptions.create({
      resource,
      notificationUrl: address,
      lifecycleNotificationUrl: address,
      clientState: 'of other software',
      expiresAt: new Date(Date.now() + DAY_MS),
    });
    await forget('subscription_id = NULL, expires_at = NULL');
    await ensure();
    expect((await atMicrosoft()).find(({ id }) => id === theirs.id)).toMatchObject({
      clientState: 'of other software',
    });
    expect((await statusOf()).map(({ failure }) => failure?.code).filter(Boolean)).toEqual(['CONFLICT']);
  });

  it('is left to another tenant of ours that made it, and the conflict is shown', async () => {
    await activated();
    const before = await atMicrosoft();
    const token = await subgraph.tokens.token('admin', { tenant_id: 'tenant-c' });
    const { clientId, directoryId, secret, organizer } = ACME;
    await succeed(subgraph, token, CONNECT, { clientId, directoryId, clientSecret: secret });
    await update(token, { organizerUserPrincipalName: organizer });
    await update(token, { installStatus: 'ACTIVE' });
    await subgraph.runJobs();
    expect(await atMicrosoft()).toEqual(before);
    expect(await statusOf('tenant-c')).toMatchObject([
      { state: 'PENDING', failure: { code: 'CONFLICT' } },
      { state: 'PENDING', failure: { code: 'CONFLICT' } },
    ]);
  });

  it('is replaced when its key is no longer in the ring, or the address is another, also when it is not due', async () => {
    await activated();
    const before = await ids();
    await subgraph.database.query("UPDATE graph_subscriptions SET key_id = 'gone'");
    await ensure();
    const second = await ids();
    expect(second.filter((id) => before.includes(id))).toEqual([]);
    await subgraph.database.query("UPDATE graph_subscriptions SET public_url = 'https://old.example'");
    await ensure();
    const third = await ids();
    expect(third).toHaveLength(2);
    expect(third.filter((id) => second.includes(id))).toEqual([]);
  });
});

describe('a new key that signs', () => {
  it('is taken at the renewal; until then the old one verifies', async () => {
    await activated();
    const before = await ids();
    await subgraph.database.query("UPDATE graph_subscriptions SET key_id = 'old'");
    await ensure();
    expect(await ids()).toEqual(before);
    await subgraph.database.query('UPDATE graph_subscriptions SET next_attempt_at = now()');
    await ensure();
    const after = await ids();
    expect(after).toHaveLength(2);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    expect(await subgraph.database.query('SELECT DISTINCT key_id FROM graph_subscriptions')).toEqual([
      { key_id: 'new' },
    ]);
  });
});
