import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inDays } from '../../support/alga-database.ts';
import { createMeeting, MICROSOFT } from '../../support/setup.ts';
import { administrator, connect, operate, save, takeUp } from './administrator.ts';
import {
  ACME,
  alga,
  everythingHere,
  integration,
  runImport,
  stored,
  subgraph,
  tenant,
  useAdoption,
} from './support.ts';

useAdoption();

const settings = async () => {
  const [row] = await subgraph.database.query<Record<string, unknown>>(
    `SELECT install_status, organizer_upn, send_meeting_invites, download_recordings, show_artifacts_in_client_portal
       FROM teams_integrations WHERE tenant_id = $1`,
    [tenant],
  );
  return row;
};

describe('the source of an import', () => {
  it('stays as it is', async () => {
    await integration();
    await alga.recording(tenant, await alga.meeting(tenant), 'recording-1');
    const before = await alga.everything();
    await runImport();
    expect(await alga.everything()).toBe(before);
  });

  it('refuses every change, even one that its own views would make', async () => {
    await alga.meeting(tenant);
    const before = await alga.everything();
    await alga.query('ALTER TABLE online_meetings RENAME TO theirs');
    await alga.query(
      "CREATE FUNCTION touch() RETURNS boolean LANGUAGE sql AS $$ UPDATE theirs SET subject = 'x' RETURNING true $$",
    );
    await alga.query('CREATE VIEW online_meetings AS SELECT * FROM theirs WHERE touch()');
    await expect(runImport()).rejects.toThrow('read-only transaction');
    await alga.query('DROP VIEW online_meetings; DROP FUNCTION touch(); ALTER TABLE theirs RENAME TO online_meetings');
    expect(await alga.everything()).toBe(before);
    expect(await stored()).toEqual([]);
  });
});

describe('the settings', () => {
  const SWITCHES = { send_meeting_invites: false, download_recordings: true, expose_recordings_in_portal: true };

  it('are taken without any secret, and wait for the app', async () => {
    await integration(SWITCHES);
    const { settings: outcome, codes, findings } = await runImport();
    expect([outcome, codes]).toEqual(['taken', [['CONNECT_APP', null]]]);
    expect(findings[0]?.detail).toEqual({ clientId: ACME.clientId, directoryId: ACME.directoryId });
    expect(await settings()).toEqual({
      install_status: 'INSTALL_PENDING',
      organizer_upn: ACME.organizer,
      send_meeting_invites: false,
      download_recordings: true,
      show_artifacts_in_client_portal: true,
    });
    expect(await everythingHere()).not.toMatch(/very-secret|webhook-secret/);
  });

  it('follow the source until somebody saves them here', async () => {
    await integration();
    await runImport();
    expect((await runImport()).settings).toBe('unchanged');
    await alga.query('UPDATE teams_integrations SET expose_recordings_in_portal = true');
    expect((await runImport()).settings).toBe('changed');
    expect(await settings()).toMatchObject({ show_artifacts_in_client_portal: true });

    await save({ sendMeetingInvites: false });
    await alga.query('UPDATE teams_integrations SET download_recordings = true');
    const { settings: outcome, codes } = await runImport();
    expect([outcome, codes]).toEqual(['kept', expect.arrayContaining([['SETTINGS_KEPT', null]])]);
    expect(await settings()).toMatchObject({ send_meeting_invites: false, download_recordings: false });
  });

  it('say where copies of recordings cannot be made here', async () => {
    await integration(SWITCHES);
    const { codes } = await runImport({ canStoreRecordings: false });
    expect(codes).toContainEqual(['NO_BLOB_STORE', null]);
    expect(await settings()).toMatchObject({ download_recordings: false });
  });
});

describe('an import', () => {
  it('that is made again touches nothing', async () => {
    await integration();
    const meetingId = await alga.meeting(tenant, {
      status: 'recording_ready',
      end_time: inDays(-1),
      start_time: inDays(-2),
    });
    await alga.recording(tenant, meetingId, 'recording-1');
    await alga.meeting(tenant, { status: 'cancel_pending' });
    expect(await runImport()).toMatchObject({
      meetings: { read: 2, taken: 2, notTaken: 0 },
      recordings: { read: 1, taken: 1 },
    });
    const logs = ['audit_events', 'adoptions'];
    const before = await everythingHere(logs);
    expect(await runImport()).toMatchObject({
      meetings: { read: 2, taken: 0, changed: 0, unchanged: 2, notTaken: 0 },
      recordings: { read: 1, taken: 0 },
    });
    expect(await everythingHere(logs)).toBe(before);
  });

  it('that is a dry run tells the same and stores nothing', async () => {
    await integration();
    await alga.recording(tenant, await alga.meeting(tenant), 'recording-1');
    await alga.meeting(tenant, { provider: 'zoom' });
    const before = await everythingHere();
    const dry = await runImport({ isDryRun: true });
    expect(await everythingHere()).toBe(before);
    expect(dry).toMatchObject({
      settings: 'taken',
      meetings: { read: 2, taken: 1, notTaken: 1 },
      recordings: { taken: 1 },
    });
    expect(await runImport()).toEqual(dry);
  });

  it('goes on after the batch at which it was interrupted', async () => {
    for (let count = 0; count < 5; count += 1) await alga.meeting(tenant);
    const interrupted = AbortSignal.abort();
    expect((await runImport({ batchSize: 2, signal: interrupted })).meetings).toMatchObject({ read: 2, taken: 2 });
    expect((await runImport({ batchSize: 2 })).meetings).toEqual({
      read: 5,
      taken: 3,
      changed: 0,
      unchanged: 2,
      notTaken: 0,
    });
    expect(await stored()).toHaveLength(5);
  });
});

describe('a meeting that the source has changed since', () => {
  it('is changed here, too, with its link as it is in the source', async () => {
    await integration();
    const id = await alga.meeting(tenant);
    await runImport();
    await alga.query(
      "UPDATE online_meetings SET subject = 'Moved', start_time = start_time - interval '1 day', join_url = 'https://teams.microsoft.com/meet/1?p=%2B'",
    );
    expect((await runImport()).meetings).toMatchObject({ changed: 1, unchanged: 0 });
    expect(await stored()).toMatchObject([
      {
        id,
        subject: 'Moved',
        starts_at: inDays(6),
        version: 2,
        synced_version: 2,
        join_url: 'https://teams.microsoft.com/meet/1?p=%2B',
      },
    ]);
    expect((await runImport()).meetings).toMatchObject({ changed: 0, unchanged: 1 });
  });

  it('is left alone and told of where it was changed here as well', async () => {
    await integration();
    const id = await alga.meeting(tenant);
    await runImport();
    await operate('rescheduleTeamsMeeting', { meetingId: id, startsAt: inDays(20), endsAt: inDays(21) });
    expect((await runImport()).meetings).toMatchObject({ unchanged: 1, notTaken: 0 });
    await alga.query("UPDATE online_meetings SET status = 'cancelled'");
    const { codes, meetings } = await runImport();
    expect(codes).toContainEqual(['CHANGED_HERE', id]);
    expect(meetings).toMatchObject({ changed: 0, notTaken: 1 });
    expect(await stored()).toMatchObject([
      { id, starts_at: inDays(20), status: expect.not.stringMatching('CANCELLED') },
    ]);
  });

  it('and that was cancelled there is cancelled here', async () => {
    const id = await alga.meeting(tenant);
    await runImport();
    await alga.query("UPDATE online_meetings SET status = 'cancelled'");
    await runImport();
    expect(await stored()).toMatchObject([{ id, status: 'CANCELLED', join_url: null }]);
  });
});

describe('of several meetings of one appointment', () => {
  it('the live one is taken, wherever in the order of batches it is, and the others are told', async () => {
    const entry = randomUUID();
    const of = (meeting_id: string, over = {}) =>
      alga.meeting(tenant, { meeting_id, schedule_entry_id: entry, ...over });
    const old = { created_at: inDays(-30) };
    await of('00000000-0000-4000-8000-000000000001', old);
    await of('00000000-0000-4000-8000-000000000002', { ...old, status: 'cancelled' });
    await of('00000000-0000-4000-8000-000000000003', { provider_event_id: null });
    const live = await of('00000000-0000-4000-8000-000000000004');
    await of('00000000-0000-4000-8000-000000000005', {
      ...old,
      status: 'failed',
      provider_event_id: null,
      join_url: null,
    });
    const { codes, findings, meetings } = await runImport({ batchSize: 1 });
    expect(meetings).toMatchObject({ read: 5, taken: 2, notTaken: 3 });
    expect(codes.filter(([code]) => code === 'DUPLICATE').map(([, id]) => id?.at(-1))).toEqual(['1', '3', '5']);
    expect(findings[0]?.detail).toMatchObject({
      liveMeetingId: live,
      organizer: ACME.organizer,
      eventId: expect.any(String),
    });
    expect((await stored()).map(({ id, status }) => [id.at(-1), status])).toEqual([
      ['2', 'CANCELLED'],
      ['4', 'SCHEDULED'],
    ]);
    expect(JSON.stringify(findings)).not.toContain('teams.microsoft.com');
  });

  it('and of several of one event, one is taken', async () => {
    const event = { provider_event_id: 'the-same' };
    const older = await alga.meeting(tenant, { ...event, created_at: inDays(-30) });
    const newer = await alga.meeting(tenant, event);
    expect((await runImport()).codes).toContainEqual(['DUPLICATE', older]);
    expect((await stored()).map(({ id }) => id)).toEqual([newer]);
  });

  it('one that was made here stays', async () => {
    const token = await administrator();
    await takeUp();
    const entry = randomUUID();
    const own = await createMeeting(subgraph, token, { appointmentId: entry });
    const theirs = await alga.meeting(tenant, { schedule_entry_id: entry });
    const { codes } = await runImport();
    expect(codes).toEqual([['APPOINTMENT_TAKEN', theirs]]);
    expect((await stored()).map(({ id }) => id)).toEqual([own.id]);
  });
});

describe('meetings of a directory', () => {
  const GLOBEX = MICROSOFT['tenant-b'];

  it('that is not the connected one are left behind, and are there again with its app', async () => {
    await connect(GLOBEX);
    await integration();
    await alga.meeting(tenant);
    expect((await runImport()).codes).toContainEqual(['OTHER_DIRECTORY', null]);
    expect(await stored()).toMatchObject([{ left_in: `GLOBAL/${ACME.directoryId}` }]);
    await connect(ACME);
    expect(await stored()).toMatchObject([{ left_in: null }]);
  });

  it('are left behind also where the other one is connected after the import', async () => {
    await integration();
    await alga.meeting(tenant);
    await runImport();
    expect(await stored()).toMatchObject([{ left_in: null }]);
    await connect(GLOBEX);
    expect(await stored()).toMatchObject([{ left_in: `GLOBAL/${ACME.directoryId}` }]);
  });

  it('that the source does not name belong to whoever is connected', async () => {
    await integration({}, 'common');
    await alga.meeting(tenant);
    await runImport();
    await connect(GLOBEX);
    expect(await stored()).toMatchObject([{ left_in: null }]);
  });
});
