import { describe, expect, it } from 'vitest';
import { createMeeting } from '../../support/setup.ts';
import { ACME } from '../domain/support.ts';
import {
  activated,
  atMicrosoft,
  countedBy,
  expectNothingStored,
  GLOBEX,
  notification,
  rows,
  send,
  stored,
  subgraph,
  update,
  useNotifications,
} from './support.ts';

useNotifications();

describe('a notification that proves nothing', () => {
  const flip = (text: string, at: number) => `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;

  it.each<[string, (state: string) => unknown]>([
    ['no clientState', () => undefined],
    ['null', () => null],
    ['another text', () => 'secret'],
    ['an empty one', () => ''],
    ['a number', () => 5],
    [
      'a changed tenant',
      (state) => `${Buffer.from('tenant-b').toString('base64url')}${state.slice(state.indexOf('.'))}`,
    ],
    ['a changed nonce', (state) => flip(state, state.indexOf('.') + 1)],
    ['a changed signature', (state) => flip(state, state.lastIndexOf('.') + 1)],
    ['a shortened signature', (state) => state.slice(0, -1)],
    ['something appended', (state) => `${state}.x`],
    ['a very long one', (state) => state.padEnd(10_000, 'A')],
  ])('is dropped: %s', async (_case, spoil) => {
    await activated();
    const good = await notification();
    const counts = await countedBy(async () => {
      expect((await send([{ ...good, clientState: spoil(String(good.clientState)) }])).status).toBe(202);
    });
    expect(Object.keys(counts)).toHaveLength(1);
    expect((counts.foreign ?? 0) + (counts.malformed ?? 0)).toBe(1);
    await expectNothingStored();
  });

  it('is dropped when a valid secret of one tenant comes with the subscription of another', async () => {
    await activated('tenant-a');
    await activated('tenant-b');
    const a = await notification({}, 'tenant-a');
    const b = await notification({}, 'tenant-b');
    const mixed = [
      { ...b, clientState: a.clientState },
      { ...a, subscriptionId: b.subscriptionId },
      { ...a, tenantId: GLOBEX.directoryId },
      { ...a, resource: b.resource },
    ];
    expect(await countedBy(() => send(mixed))).toEqual({ foreign: 4 });
    await expectNothingStored();
  });

  it('is dropped when the secret is that of the tenant’s other subscription', async () => {
    await activated();
    const [one, other] = await atMicrosoft();
    const item = await notification({ subscriptionId: one?.id, clientState: other?.clientState });
    expect(await countedBy(() => send([item]))).toEqual({ foreign: 1 });
  });

  it('is dropped when its directory is another, however it is sent', async () => {
    await activated();
    const token = await subgraph.tokens.token('admin');
    const meeting = await createMeeting(subgraph, token, { appointmentId: `appt-${Date.now()}` });
    await subgraph.simulator.holdNotifications();
    await subgraph.simulator.meetingTookPlace({ directoryId: ACME.directoryId, joinUrl: meeting.joinUrl ?? '' });
    const counts = await countedBy(async () => {
      await subgraph.simulator.releaseNotifications({ tenantId: GLOBEX.directoryId });
      await subgraph.simulator.deliveriesDone();
    });
    expect(counts).toEqual({ foreign: 2 });
    await expectNothingStored();
  });

  it('is dropped when its kind is not that of its subscription', async () => {
    await activated();
    const resource = "communications/onlineMeetings('m')/transcripts('t')";
    expect(await countedBy(async () => send([await notification({ resource })]))).toEqual({ foreign: 1 });
  });

  it('is lapsed when its subscription is being removed or was over long ago', async () => {
    const token = await activated();
    const item = await notification();
    await subgraph.database.query("UPDATE graph_subscriptions SET expires_at = now() - interval '5 hours'");
    expect(await countedBy(() => send([item]))).toEqual({ lapsed: 1 });
    await subgraph.database.query("UPDATE graph_subscriptions SET expires_at = now() + interval '1 day'");
    await subgraph.simulator.addFault({ match: { method: 'DELETE' }, status: 503, times: null });
    await update(token, { installStatus: 'INSTALL_PENDING' });
    await subgraph.runJobs();
    expect(await rows()).toHaveLength(2);
    expect(await countedBy(() => send([item]))).toEqual({ lapsed: 1 });
    expect(await stored()).toEqual([]);
  });

  it('says nothing in its answer', async () => {
    await activated();
    const good = await notification();
    const answers = [await send([good]), await send([{ ...good, clientState: 'wrong' }]), await send([{}])];
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [202, ''],
      [202, ''],
      [202, ''],
    ]);
  });
});
