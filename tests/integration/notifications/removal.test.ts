import { describe, expect, it } from 'vitest';
import { CONNECT, createMeeting, succeed } from '../../support/setup.ts';
import { ACME, forgetTokens } from '../domain/support.ts';
import {
  activated,
  advance,
  atMicrosoft,
  DAY_MS,
  ensure,
  GLOBEX,
  HOUR_MS,
  jobs,
  notification,
  rows,
  send,
  statusOf,
  subgraph,
  update,
  useNotifications,
} from './support.ts';

useNotifications();

const SECOND_APP = { clientId: 'aaaaaaaa-0000-4000-8000-000000000002', secret: 'second-secret' };

const ids = async () => (await atMicrosoft()).map(({ id }) => id).sort();

/** Another app of the same directory, which may do the same. */
async function registerSecondApp(): Promise<void> {
  const { directoryId } = ACME;
  await subgraph.simulator.putApp({
    directoryId,
    clientId: SECOND_APP.clientId,
    secrets: [{ value: SECOND_APP.secret }],
    roles: [
      'User.Read.All',
      'OnlineMeetings.Read.All',
      'OnlineMeetingRecording.Read.All',
      'OnlineMeetingTranscript.Read.All',
    ],
  });
  await subgraph.simulator.updateUser(directoryId, ACME.organizer, {
    teamsPolicyAppIds: [ACME.clientId, SECOND_APP.clientId],
  });
}

const connectSecondApp = (token: string) =>
  succeed(subgraph, token, CONNECT, {
    clientId: SECOND_APP.clientId,
    directoryId: ACME.directoryId,
    clientSecret: SECOND_APP.secret,
  });

describe('what is not wanted any more', () => {
  it('is removed when the tenant is deactivated, and made again when it is activated', async () => {
    const token = await activated();
    await update(token, { installStatus: 'INSTALL_PENDING' });
    await subgraph.runJobs();
    expect([await atMicrosoft(), await rows()]).toEqual([[], []]);
    await update(token, { installStatus: 'ACTIVE' });
    await subgraph.runJobs();
    expect(await atMicrosoft()).toHaveLength(2);
  });

  it('is removed when the organizer changes', async () => {
    const token = await activated();
    const other = { objectId: 'aaaaaaaa-0000-4000-8000-0000000000ee', upn: 'other@acme.example' };
    await subgraph.simulator.putUser({
      directoryId: ACME.directoryId,
      id: other.objectId,
      userPrincipalName: other.upn,
      teamsPolicyAppIds: [ACME.clientId],
    });
    await update(token, { organizerUserPrincipalName: other.upn });
    await subgraph.runJobs();
    const resources = (await atMicrosoft()).map(({ resource }) => resource);
    expect(resources).toHaveLength(2);
    for (const resource of resources) expect(resource).toContain(other.objectId);
    expect((await rows()).map(({ organizer_object_id }) => organizer_object_id)).toEqual([
      other.objectId,
      other.objectId,
    ]);
  });

  it('is removed with the old app’s credential when the app changes, and then that is forgotten', async () => {
    const token = await activated();
    await registerSecondApp();
    await connectSecondApp(token);
    expect((await rows()).every(({ former_credential_ciphertext }) => former_credential_ciphertext !== null)).toBe(
      true,
    );
    await update(token, { organizerUserPrincipalName: ACME.organizer });
    await update(token, { installStatus: 'ACTIVE' });
    await subgraph.runJobs();
    expect((await atMicrosoft()).map(({ appId }) => appId)).toEqual([SECOND_APP.clientId, SECOND_APP.clientId]);
    expect(await rows()).toMatchObject([
      { former_credential_ciphertext: null, retired_at: null },
      { former_credential_ciphertext: null, retired_at: null },
    ]);
  });

  it.each([
    ['may no longer do it', () => subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { roles: [] })],
    ['has lost its secret', () => subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { secrets: [] })],
    [
      'has lost its subscriptions',
      async () => {
        for (const id of await ids()) await subgraph.simulator.loseSubscription(id);
      },
    ],
  ])('holds nothing up when the old app %s', async (_case, spoil) => {
    const token = await activated();
    await registerSecondApp();
    await spoil();
    await forgetTokens(subgraph);
    await connectSecondApp(token);
    await update(token, { organizerUserPrincipalName: ACME.organizer });
    await update(token, { installStatus: 'ACTIVE' });
    await subgraph.runJobs();
    expect((await atMicrosoft()).filter(({ appId }) => appId === SECOND_APP.clientId)).toHaveLength(2);
    expect(await rows()).toHaveLength(2);
  });

  it('is tried again while Microsoft is away, and given up when it has lapsed', async () => {
    const token = await activated();
    await subgraph.simulator.addFault({ match: { method: 'DELETE' }, status: 503, times: null });
    await update(token, { installStatus: 'INSTALL_PENDING' });
    await subgraph.runJobs();
    expect(await statusOf()).toMatchObject([
      { state: 'REMOVING', failure: { code: 'GRAPH_UNAVAILABLE' } },
      { state: 'REMOVING', failure: { code: 'GRAPH_UNAVAILABLE' } },
    ]);
    await advance(4 * DAY_MS);
    await ensure();
    expect(await rows()).toEqual([]);
  });
});

describe('a refusal', () => {
  it('by quota is shown with what to do, and tried again by itself', async () => {
    await subgraph.simulator.setSubscriptionBehaviour({ quota: 0 });
    await activated();
    const [status] = await statusOf();
    expect(status).toMatchObject({ state: 'PENDING', failure: { code: 'GRAPH_THROTTLED' } });
    expect(status?.failure?.message).toContain('as many change notification subscriptions as Microsoft allows');
    await subgraph.simulator.setSubscriptionBehaviour({});
    await advance(HOUR_MS);
    await ensure();
    expect(await statusOf()).toMatchObject([
      { state: 'ACTIVE', failure: null },
      { state: 'ACTIVE', failure: null },
    ]);
  });

  it('of one kind does not keep the other from being made', async () => {
    const roles = ['User.Read.All', 'OnlineMeetingRecording.Read.All'];
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { roles });
    await forgetTokens(subgraph);
    await activated();
    expect(await statusOf()).toMatchObject([
      { kind: 'RECORDINGS', state: 'ACTIVE' },
      { kind: 'TRANSCRIPTS', state: 'PENDING', failure: { code: 'PERMISSION_MISSING' } },
    ]);
  });

  it('that a change of settings may have mended is tried again at once', async () => {
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [] });
    const token = await activated();
    expect(await statusOf()).toMatchObject([{ failure: { code: 'POLICY_MISSING' } }, {}]);
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [ACME.clientId] });
    await update(token, { sendMeetingInvites: false });
    await subgraph.runJobs();
    expect(await statusOf()).toMatchObject([
      { state: 'ACTIVE', failure: null },
      { state: 'ACTIVE', failure: null },
    ]);
  });
});

describe('from end to end', () => {
  it('a call’s recording and transcript each ask for one capture of its meeting', async () => {
    const token = await activated();
    const meeting = await createMeeting(subgraph, token);
    const { meetingId } = await subgraph.simulator.meetingTookPlace({
      directoryId: ACME.directoryId,
      joinUrl: meeting.joinUrl ?? '',
      recordings: 2,
    });
    const deliveries = await subgraph.simulator.deliveriesDone();
    expect(deliveries).toHaveLength(3);
    expect(deliveries.every(({ status, tries }) => status === 202 && tries === 1)).toBe(true);
    expect(await jobs('capture_online_meeting')).toMatchObject([
      {
        key: `capture_online_meeting:tenant-a:${meetingId}`,
        payload: { tenantId: 'tenant-a', organizerObjectId: ACME.organizerId, onlineMeetingId: meetingId },
      },
    ]);
    expect((await statusOf()).every(({ lastNotificationAt }) => lastNotificationAt !== null)).toBe(true);
  });

  it('an app that is registered with a domain name gets its notifications too', async () => {
    const token = await subgraph.tokens.token('admin', { tenant_id: 'tenant-a' });
    await succeed(subgraph, token, CONNECT, {
      clientId: ACME.clientId,
      directoryId: 'acme.example',
      clientSecret: ACME.secret,
    });
    await update(token, { organizerUserPrincipalName: ACME.organizer });
    await update(token, { installStatus: 'ACTIVE' });
    await subgraph.runJobs();
    expect((await send([await notification()])).status).toBe(202);
    expect(await jobs('capture_online_meeting')).toHaveLength(1);
    await send([await notification({ tenantId: GLOBEX.directoryId })]);
    expect(await jobs('capture_online_meeting')).toHaveLength(1);
  });
});
