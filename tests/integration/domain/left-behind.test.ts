import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import {
  CREATE,
  type CreatedMeeting,
  captureMeeting,
  createMeeting,
  meetingInput,
  mutate,
  REFRESH,
  succeed,
  UPDATE_SETTINGS,
  type UserErrorAnswer,
} from '../../support/setup.ts';
import { reachable } from '../../support/subgraph.ts';
import {
  type Answer,
  activateWith,
  activeTenant,
  CANCEL,
  connect,
  GLOBEX,
  MOVED,
  RESCHEDULE,
  read,
  SECOND_APP,
  subgraph,
  toGlobex,
  toldToGraph,
  useChangingApp,
} from './changing-app.ts';
import { ACME, ALWAYS, auditOf, forgetTokens, ROLES } from './support.ts';

useChangingApp();

describe('meetings of before', () => {
  it('are reached by another app of the same directory', async () => {
    await subgraph.simulator.putApp({
      directoryId: ACME.directoryId,
      clientId: SECOND_APP.clientId,
      secrets: [{ value: SECOND_APP.clientSecret }],
      roles: ROLES,
    });
    const { admin } = await activeTenant();
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'made-by-the-first' });
    await activateWith(admin, SECOND_APP);
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizerId, {
      teamsPolicyAppIds: [ACME.clientId, SECOND_APP.clientId],
    });
    const { meeting: moved } = await succeed<Answer & { meeting: object }>(subgraph, admin, RESCHEDULE, {
      meetingId: meeting.id,
      ...MOVED,
    });
    expect(moved).toMatchObject({ status: 'SCHEDULED', startsAt: '2036-12-05T10:00:00.000Z' });
  });

  it('are reached when the same directory is named by its domain instead of its id', async () => {
    const { admin } = await activeTenant();
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'by-id' });
    await activateWith(admin, {});
    expect((await connect(admin, { directoryId: 'acme.example' })).userErrors).toEqual([]);
    await succeed(subgraph, admin, UPDATE_SETTINGS, {
      organizerUserPrincipalName: ACME.organizer,
      installStatus: 'ACTIVE',
    });
    const moved = await succeed<Answer>(subgraph, admin, RESCHEDULE, { meetingId: meeting.id, ...MOVED });
    expect(moved.meeting?.status).toBe('SCHEDULED');
  });

  it('are reached after a new secret for an app that an earlier release connected by a domain', async () => {
    const { tenantId, admin } = await activeTenant();
    await activateWith(admin, { directoryId: 'acme.example' });
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'of-an-earlier-release' });
    await subgraph.database.query('UPDATE microsoft_apps SET directory_object_id = NULL WHERE tenant_id = $1', [
      tenantId,
    ]);
    expect((await connect(admin, { directoryId: 'acme.example' })).userErrors).toEqual([]);
    const moved = await succeed<Answer>(subgraph, admin, RESCHEDULE, { meetingId: meeting.id, ...MOVED });
    expect(moved.meeting?.status).toBe('SCHEDULED');
  });

  describe('of an app that an earlier release connected by a domain', () => {
    async function connectedByDomain() {
      const { tenantId, admin } = await activeTenant();
      await activateWith(admin, { directoryId: 'acme.example' });
      const meeting = await createMeeting(subgraph, admin, { appointmentId: 'of-an-earlier-release' });
      await subgraph.database.query('UPDATE microsoft_apps SET directory_object_id = NULL WHERE tenant_id = $1', [
        tenantId,
      ]);
      const leftIn = async () => {
        const rows = await subgraph.database.query<{ left_in: string | null }>(
          'SELECT left_in FROM online_meetings WHERE tenant_id = $1',
          [tenantId],
        );
        return rows.map(({ left_in }) => left_in);
      };
      return { tenantId, admin, meeting, leftIn };
    }

    it('are reached when the directory is named by its id', async () => {
      const { admin, meeting } = await connectedByDomain();
      await activateWith(admin);
      const moved = await succeed<Answer>(subgraph, admin, RESCHEDULE, { meetingId: meeting.id, ...MOVED });
      expect(moved.meeting?.status).toBe('SCHEDULED');
    });

    it('are reached by another app of the same directory', async () => {
      await subgraph.simulator.putApp({
        directoryId: ACME.directoryId,
        clientId: SECOND_APP.clientId,
        secrets: [{ value: SECOND_APP.clientSecret }],
        roles: ROLES,
      });
      const { admin, leftIn } = await connectedByDomain();
      expect((await connect(admin, SECOND_APP)).userErrors).toEqual([]);
      expect(await leftIn()).toEqual([null]);
    });

    it('are reached by the app’s new secret, when the former one can no longer say where they are', async () => {
      const { tenantId, admin, leftIn } = await connectedByDomain();
      await forgetTokens(subgraph, tenantId);
      await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { secrets: [{ value: 'rotated-at-entra' }] });
      expect((await connect(admin, { clientSecret: 'rotated-at-entra' })).userErrors).toEqual([]);
      expect(await leftIn()).toEqual([null]);
    });

    it('are left behind in another directory, under the name of their own', async () => {
      const { admin, leftIn } = await connectedByDomain();
      expect((await connect(admin, toGlobex)).userErrors).toEqual([]);
      expect(await leftIn()).toEqual([`GLOBAL/${ACME.directoryId}`]);
      expect((await connect(admin)).userErrors).toEqual([]);
      expect(await leftIn()).toEqual([null]);
    });
  });

  it.each([
    ['another directory', toGlobex],
    ['another cloud', { cloud: 'US_GOV_L4' }],
  ])('stay, are out of reach in %s and say so, and nothing of them is told there', async (_name, over) => {
    const { tenantId, admin } = await activeTenant();
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'left-behind' });
    const other = await createMeeting(subgraph, admin, { appointmentId: 'left-behind-too' });
    await subgraph.runJobs();
    const [event] = await subgraph.database.query<{ graph_event_id: string; graph_online_meeting_id: string }>(
      'SELECT graph_event_id, graph_online_meeting_id FROM online_meetings WHERE id = $1',
      [meeting.id],
    );
    await activateWith(admin, over);
    // What the other tenants of this file do would be told as well.
    await subgraph.database.query("DELETE FROM graphile_worker._private_jobs WHERE payload ->> 'tenantId' <> $1", [
      tenantId,
    ]);
    await subgraph.simulator.clearRequests();

    expect(await read(admin, meeting)).toMatchObject({ status: 'SCHEDULED', joinUrl: meeting.joinUrl });
    const moved = await mutate<Answer>(subgraph, admin, RESCHEDULE, { meetingId: meeting.id, ...MOVED });
    expect(moved.userErrors).toMatchObject([
      { code: 'NOT_CONFIGURED', message: expect.stringMatching(/no longer connected/), remedy: expect.any(String) },
    ]);
    const refreshed = await mutate<Answer>(subgraph, admin, REFRESH, { meetingId: other.id });
    expect(refreshed.userErrors).toMatchObject([{ code: 'NOT_CONFIGURED' }]);
    const cancelled = await mutate<Answer>(subgraph, admin, CANCEL, { meetingId: other.id });
    expect(cancelled).toEqual({ meeting: { status: 'CANCELLED' }, userErrors: [] });
    await subgraph.runJobs({ early: true });

    const told = await toldToGraph();
    expect(told).not.toContain(event?.graph_event_id ?? 'no event');
    expect(told).not.toContain(event?.graph_online_meeting_id ?? 'no online meeting');
    expect(told).not.toContain('meetup-join');
    if (over === toGlobex) expect(told).not.toContain(ACME.organizerId);
  });

  it('left behind are cancelled here alone, as a create says that has to be done first', async () => {
    const { tenantId, admin } = await activeTenant();
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'replaced' });
    await activateWith(admin, toGlobex);
    const input = meetingInput({ appointmentId: 'replaced' });
    const again = await mutate<{ meeting: CreatedMeeting; userErrors: UserErrorAnswer[] }>(
      subgraph,
      admin,
      CREATE,
      input,
    );
    expect(again.meeting.id).toBe(meeting.id);
    expect(again.userErrors).toMatchObject([
      { code: 'NOT_CONFIGURED', remedy: expect.stringMatching(/cancelTeamsMeeting.*Outlook.*create a new one/) },
    ]);

    await subgraph.simulator.clearRequests();
    await succeed<Answer>(subgraph, admin, CANCEL, { meetingId: meeting.id, comment: 'made anew' });
    expect(await toldToGraph()).toBe('');
    expect(await read(admin, meeting)).toMatchObject({ status: 'CANCELLED', joinUrl: null, failure: null });
    const [asked, done] = await auditOf(subgraph, tenantId, 'cancel');
    expect(asked).toMatchObject({ outcome: 'accepted', detail: { leftIn: `GLOBAL/${ACME.directoryId}` } });
    expect(done).toMatchObject({ outcome: 'success', detail: { leftIn: `GLOBAL/${ACME.directoryId}` } });

    const anew = await createMeeting(subgraph, admin, { appointmentId: 'replaced' });
    expect(anew).toMatchObject({ status: 'SCHEDULED' });
    expect(anew.id).not.toBe(meeting.id);
    await subgraph.runJobs({ early: true });
    expect(await read(admin, meeting)).toMatchObject({ status: 'CANCELLED' });
  });

  it('whose cancellation was stopped by the change can be cancelled here', async () => {
    const { admin } = await activeTenant();
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'stopped' });
    await subgraph.simulator.addFault({ match: { path: '/cancel$' }, status: 503, times: ALWAYS });
    await succeed<Answer>(subgraph, admin, CANCEL, { meetingId: meeting.id });
    await activateWith(admin, toGlobex);
    await subgraph.runJobs({ early: true });
    expect(await read(admin, meeting)).toMatchObject({ status: 'CANCELLING', failure: { code: 'NOT_CONFIGURED' } });
    await succeed<Answer>(subgraph, admin, CANCEL, { meetingId: meeting.id });
    expect(await read(admin, meeting)).toMatchObject({ status: 'CANCELLED', failure: null });
  });

  it('cancelled here are taken out of the calendar when their directory is connected again', async () => {
    const { admin } = await activeTenant();
    const meeting = await createMeeting(subgraph, admin, {
      appointmentId: 'cancelled-meanwhile',
      subject: 'Meanwhile',
      startsAt: new Date(Date.now() + 24 * 3_600_000),
      endsAt: new Date(Date.now() + 25 * 3_600_000),
    });
    await activateWith(admin, toGlobex);
    await succeed<Answer>(subgraph, admin, CANCEL, { meetingId: meeting.id });
    await activateWith(admin);
    await subgraph.runJobs({ early: true });
    const events = await subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer);
    expect(events.filter(({ subject }) => subject === 'Meanwhile')).toEqual([]);
  });

  it('that are over keep what was captured; in another directory nobody looks for more', async () => {
    const { tenantId, admin } = await activeTenant();
    const meeting = await createMeeting(subgraph, admin, {
      appointmentId: 'over',
      startsAt: new Date(Date.now() + 60_000),
      endsAt: new Date(Date.now() + 3_600_000),
    });
    await captureMeeting(subgraph, admin, meeting);
    await activateWith(admin, toGlobex);
    await subgraph.database.query("DELETE FROM graphile_worker._private_jobs WHERE payload ->> 'tenantId' <> $1", [
      tenantId,
    ]);
    await subgraph.simulator.clearRequests();
    // Long enough for a look to be due; tokens of the test do not live that long.
    subgraph.advanceClock(2 * 3_600_000);
    await subgraph.runJobs({ early: true });
    subgraph.advanceClock(-2 * 3_600_000);
    const { data, errors } = await subgraph.send<{
      teamsMeeting: { recordings: { contentUrl: string }[]; transcripts: { text: string }[] };
    }>(admin, 'query ($id: ID!) { teamsMeeting(id: $id) { recordings { contentUrl } transcripts { text } } }', {
      id: meeting.id,
    });
    expect(errors).toEqual([]);
    expect(data?.teamsMeeting.transcripts[0]?.text).toMatch(/\S/);
    const played = await fetch(reachable(subgraph, data?.teamsMeeting.recordings[0]?.contentUrl ?? ''));
    expect(played.status).toBe(503);
    const told = await toldToGraph();
    expect(told).toContain(GLOBEX.organizerId);
    expect(told).not.toContain(ACME.organizerId);
  });

  it('are not asked for in another directory by jobs that waited when it was connected', async () => {
    const { tenantId, admin } = await activeTenant();
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'told-late' });
    await activateWith(admin, toGlobex);
    await subgraph.simulator.clearRequests();
    const scope = { viewer: backgroundViewer(tenantId), db: subgraph.db.forTenant(tenantId) };
    const teamsId = `meeting-of-acme-${tenantId}`;
    await subgraph.services.capture.onlineMeeting(scope, ACME.organizerId, teamsId);
    await subgraph.services.capture.organizer(scope, ACME.organizerId);
    expect(await toldToGraph()).toBe('');

    // The same organizer is in use again, as in another cloud with one and the same directory.
    await subgraph.database.query(
      'UPDATE online_meetings SET organizer_object_id = $2, graph_online_meeting_id = $3 WHERE id = $1',
      [meeting.id, GLOBEX.organizerId, teamsId],
    );
    await subgraph.services.capture.onlineMeeting(scope, GLOBEX.organizerId, teamsId);
    await subgraph.database.query('UPDATE online_meetings SET graph_online_meeting_id = NULL WHERE id = $1', [
      meeting.id,
    ]);
    await subgraph.services.capture.onlineMeeting(scope, GLOBEX.organizerId, teamsId);
    expect(await toldToGraph()).not.toContain(teamsId);
  });

  it('are reached again when their directory is connected again, and what was wanted meanwhile is done', async () => {
    const { admin } = await activeTenant();
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'there-and-back' });
    await activateWith(admin, toGlobex);
    await mutate<Answer>(subgraph, admin, RESCHEDULE, { meetingId: meeting.id, ...MOVED });
    const made = await createMeeting(subgraph, admin, { appointmentId: 'made-at-globex' });
    await activateWith(admin);
    await subgraph.runJobs({ early: true });
    expect(await read(admin, meeting)).toMatchObject({
      status: 'SCHEDULED',
      startsAt: '2036-12-05T10:00:00.000Z',
      failure: null,
    });
    const stranded = await mutate<Answer>(subgraph, admin, RESCHEDULE, { meetingId: made.id, ...MOVED });
    expect(stranded.userErrors).toMatchObject([{ code: 'NOT_CONFIGURED' }]);
  });

  it('that are made at the moment of the change are in the one directory or marked as left in the other', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { tenantId, admin } = await activeTenant();
      const creating = mutate<{ userErrors: UserErrorAnswer[] }>(
        subgraph,
        admin,
        CREATE,
        meetingInput({ appointmentId: 'at-the-moment' }),
      );
      // At another moment of the create each round.
      await setTimeout(round * 15);
      await activateWith(admin, toGlobex);
      await creating;
      await subgraph.runJobs({ early: true });
      const rows = await subgraph.database.query<{ organizer_upn: string; left_in: string | null }>(
        'SELECT organizer_upn, left_in FROM online_meetings WHERE tenant_id = $1',
        [tenantId],
      );
      expect([
        [],
        [{ organizer_upn: GLOBEX.organizer, left_in: null }],
        [{ organizer_upn: ACME.organizer, left_in: `GLOBAL/${ACME.directoryId}` }],
      ]).toContainEqual(rows);
    }
  });

  it('whose create was under way are made anew in the new directory, and the old answer is not taken', async () => {
    const { tenantId, admin } = await activeTenant();
    await subgraph.simulator.clearRequests();
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/events$' }, delayMs: 1_500, times: 1 });
    const creating = mutate<{ meeting: CreatedMeeting; userErrors: UserErrorAnswer[] }>(
      subgraph,
      admin,
      CREATE,
      meetingInput({ appointmentId: 'under-way' }),
    );
    await expect
      .poll(async () =>
        (await subgraph.simulator.requests()).some(
          ({ method, path }) => method === 'POST' && path.endsWith('/events') && path.includes(ACME.organizerId),
        ),
      )
      .toBe(true);
    await activateWith(admin, toGlobex);
    await creating;
    await subgraph.runJobs({ early: true });
    const [row] = await subgraph.database.query<{ status: string; organizer_upn: string; left_in: string | null }>(
      "SELECT status, organizer_upn, left_in FROM online_meetings WHERE tenant_id = $1 AND appointment_id = 'under-way'",
      [tenantId],
    );
    expect(row).toEqual({ status: 'SCHEDULED', organizer_upn: GLOBEX.organizer, left_in: null });
  });
});
