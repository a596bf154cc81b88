import { describe, expect, it } from 'vitest';
import { ACME, forgetTokens } from '../domain/support.ts';
import {
  activated,
  advance,
  atMicrosoft,
  countedBy,
  GLOBEX,
  HOUR_MS,
  jobs,
  notification,
  rows,
  send,
  subgraph,
  useNotifications,
} from './support.ts';

useNotifications();

describe('lifecycle events', () => {
  const event = async (lifecycleEvent: string, over: object = {}) => {
    const { resource: _resource, resourceData: _data, changeType: _type, ...head } = await notification();
    return { ...head, lifecycleEvent, ...over };
  };
  const patches = async () =>
    (await subgraph.simulator.requests({ method: 'PATCH', path: '/subscriptions' })).map(({ body }) =>
      Object.keys(body as object),
    );

  it('reauthorizationRequired is answered by one PATCH of the expiry, however often it comes', async () => {
    await activated();
    await advance(HOUR_MS);
    await forgetTokens(subgraph);
    const [one] = await atMicrosoft();
    for (let n = 0; n < 3; n += 1) {
      await subgraph.simulator.sendLifecycleEvent({
        subscriptionId: one?.id ?? '',
        event: 'reauthorizationRequired',
        pauses: true,
      });
    }
    expect((await subgraph.simulator.deliveriesDone()).every(({ status }) => status === 202)).toBe(true);
    await subgraph.runJobs();
    expect(await patches()).toEqual([['expirationDateTime']]);
    expect(await subgraph.simulator.requests({ path: '/reauthorize' })).toEqual([]);
    const renewed = (await atMicrosoft()).find(({ id }) => id === one?.id);
    expect(new Date(renewed?.expiresAt ?? 0).getTime()).toBeGreaterThan(new Date(one?.expiresAt ?? 0).getTime());
    // One that crossed with the PATCH asks for nothing more.
    await subgraph.simulator.sendLifecycleEvent({ subscriptionId: one?.id ?? '', event: 'reauthorizationRequired' });
    await subgraph.simulator.deliveriesDone();
    await subgraph.runJobs();
    expect(await patches()).toHaveLength(1);
  });

  it('subscriptionRemoved makes it again and looks for what was missed', async () => {
    await activated();
    const before = (await atMicrosoft()).map(({ id }) => id);
    await subgraph.simulator.sendLifecycleEvent({ subscriptionId: before[0] ?? '', event: 'subscriptionRemoved' });
    await subgraph.simulator.deliveriesDone();
    await subgraph.runJobs();
    const after = (await atMicrosoft()).map(({ id }) => id);
    expect(after).toHaveLength(2);
    expect(after).not.toContain(before[0]);
    expect(await subgraph.simulator.requests({ path: '/getAll(Recordings|Transcripts)' })).toHaveLength(2);
  });

  it('subscriptionRemoved of one that is there all the same takes it over', async () => {
    await activated();
    const before = (await atMicrosoft()).map(({ id }) => id).sort();
    expect(await countedBy(async () => send([await event('subscriptionRemoved')], 'lifecycle'))).toEqual({ stored: 1 });
    await subgraph.runJobs();
    expect((await atMicrosoft()).map(({ id }) => id).sort()).toEqual(before);
  });

  it('missed asks for a look at the organizer, once', async () => {
    await activated();
    await send([await event('missed'), await event('missed')], 'lifecycle');
    expect(await jobs('capture_organizer')).toMatchObject([
      { payload: { tenantId: 'tenant-a', organizerObjectId: ACME.organizerId } },
    ]);
  });

  it('that prove nothing change nothing', async () => {
    await activated('tenant-a');
    await activated('tenant-b');
    const before = [await rows('tenant-a'), await rows('tenant-b')];
    const [b] = await atMicrosoft(GLOBEX.directoryId);
    const items = [
      await event('subscriptionRemoved', { clientState: 'wrong' }),
      await event('subscriptionRemoved', { subscriptionId: b?.id }),
      await event('subscriptionRemoved', { tenantId: GLOBEX.directoryId }),
      await event('somethingElse'),
    ];
    expect(await countedBy(() => send(items, 'lifecycle'))).toEqual({ foreign: 3, malformed: 1 });
    expect([await rows('tenant-a'), await rows('tenant-b')]).toEqual(before);
  });

  it('are not taken at the other address, nor notifications at theirs', async () => {
    await activated();
    expect(await countedBy(async () => send([await event('subscriptionRemoved')]))).toEqual({ malformed: 1 });
    expect(await countedBy(async () => send([await notification()], 'lifecycle'))).toEqual({ malformed: 1 });
  });
});
