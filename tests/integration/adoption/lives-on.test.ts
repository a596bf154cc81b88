import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createGraphService } from '../../../src/graph/service.ts';
import { inDays } from '../../support/alga-database.ts';
import { REFRESH, succeed } from '../../support/setup.ts';
import { mendMicrosoft } from '../domain/support.ts';
import { administrator, connect, operate, save, takeUp } from './administrator.ts';
import { ACME, alga, integration, runImport, scope, stored, subgraph, tenant, useAdoption } from './support.ts';

useAdoption();

const HOUR_MS = 3_600_000;
const sweep = () => subgraph.services.sweepTenant(scope());
const calendar = () => subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer);

beforeEach(async () => {
  await mendMicrosoft(subgraph);
  await subgraph.simulator.setDeletedItems('gone');
  for (const { immutableId } of await calendar())
    await subgraph.simulator.deleteEvent(ACME.directoryId, ACME.organizer, immutableId);
});

interface Made {
  id: string;
  immutableId: string;
  joinUrl: string;
}

/** A meeting that alga-psa made: an event without our markers in the organizer's calendar, and its row. */
async function made(
  { startsAt = inDays(3), endsAt = new Date(startsAt.getTime() + HOUR_MS) }: { startsAt?: Date; endsAt?: Date } = {},
  { idFormat = 'default', ...over }: { idFormat?: 'default' | 'immutable' } & Record<string, string | null> = {},
): Promise<Made> {
  const { clientId, directoryId, secret } = ACME;
  const graph = createGraphService({
    graphBaseUrl: subgraph.simulatorUrl,
    entraBaseUrl: subgraph.simulatorUrl,
    clock: () => new Date(),
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined },
  }).forApp({ clientId, directoryId, cloud: 'GLOBAL', credential: { kind: 'CLIENT_SECRET', clientSecret: secret } });
  const event = await graph.events.create(ACME.organizer, {
    subject: 'Quarterly review',
    startsAt,
    endsAt,
    bodyHtml: '',
    attendees: [{ emailAddress: 'jane@acme.example', name: 'Jane' }],
    transactionId: randomUUID(),
  });
  const joinUrl = event.joinUrl ?? '';
  const online = await graph.onlineMeetings.findByJoinUrl(ACME.organizerId, joinUrl);
  const listed = (await calendar()).find(({ immutableId }) => immutableId === event.id);
  const id = await alga.meeting(tenant, {
    provider_event_id: idFormat === 'default' ? (listed?.id ?? '') : event.id,
    provider_meeting_id: online?.id ?? null,
    join_url: joinUrl,
    start_time: startsAt,
    end_time: endsAt,
    ...over,
  });
  return { id, immutableId: event.id, joinUrl };
}

describe.each(['default', 'immutable'] as const)(
  'an imported meeting whose event is known by its %s id',
  (idFormat) => {
    it('is left alone by the sweep, again and again, also when all is read anew', async () => {
      const near = await made({}, { idFormat });
      const far = await made({ startsAt: inDays(90) }, { idFormat });
      await integration();
      await runImport();
      await takeUp();
      for (let round = 0; round < 3; round += 1) {
        await sweep();
        await subgraph.simulator.expireDeltaTokens();
      }
      await subgraph.runJobs({ early: true });
      const rows = await stored();
      expect(rows.map(({ status, version }) => [status, version])).toEqual([
        ['SCHEDULED', 1],
        ['SCHEDULED', 1],
      ]);
      for (const { id, joinUrl } of [near, far]) expect(rows.find((row) => row.id === id)?.join_url).toBe(joinUrl);
      // What is near enough to be read is known by the id that stays, whatever the source had.
      expect(rows.find(({ id }) => id === near.id)?.graph_event_id).toBe(near.immutableId);
      expect((await calendar()).map(({ immutableId }) => immutableId).toSorted()).toEqual(
        [near.immutableId, far.immutableId].toSorted(),
      );
    });

    it('is rescheduled in the same event, with the same link and the same people', async () => {
      const { id, immutableId, joinUrl } = await made({}, { idFormat });
      await integration();
      await runImport();
      await takeUp();
      const times = { startsAt: inDays(5), endsAt: new Date(inDays(5).getTime() + HOUR_MS) };
      expect(await operate('rescheduleTeamsMeeting', { meetingId: id, ...times })).toMatchObject({
        userErrors: [],
        meeting: { status: 'SCHEDULED', joinUrl },
      });
      const events = await calendar();
      expect(events).toMatchObject([{ immutableId, attendees: [{ address: 'jane@acme.example' }] }]);
      expect(new Date(events[0]?.startsAt ?? 0)).toEqual(times.startsAt);
      expect(await stored()).toMatchObject([{ graph_event_id: immutableId, join_url: joinUrl }]);
      await sweep();
      expect(await stored()).toMatchObject([{ status: 'SCHEDULED' }]);
    });

    it('is cancelled in the same event, and its appointment can have another one', async () => {
      const { id } = await made({}, { idFormat });
      const other = await made({}, { idFormat });
      await integration();
      await runImport();
      await takeUp();
      expect(await operate('cancelTeamsMeeting', { meetingId: id })).toMatchObject({
        userErrors: [],
        meeting: { status: 'CANCELLED', joinUrl: null },
      });
      expect((await calendar()).map(({ immutableId }) => immutableId)).toEqual([other.immutableId]);
      const appointmentId = (await stored()).find((row) => row.id === id)?.appointment_id;
      const again = await operate('createTeamsMeeting', {
        appointmentId,
        subject: 'Again',
        startsAt: inDays(4),
        endsAt: inDays(5),
      });
      expect(again).toMatchObject({ userErrors: [], meeting: { status: 'SCHEDULED' } });
    });

    it('follows what is done in Outlook: moved far away, and deleted', async () => {
      const moved = await made({}, { idFormat });
      const deleted = await made({}, { idFormat });
      await subgraph.simulator.setDeletedItems('readable');
      await integration();
      await runImport();
      await takeUp();
      await sweep();
      const startsAt = inDays(60);
      await subgraph.simulator.changeEvent({
        directoryId: ACME.directoryId,
        user: ACME.organizer,
        eventId: moved.immutableId,
        startsAt: startsAt.toISOString(),
        endsAt: new Date(startsAt.getTime() + HOUR_MS).toISOString(),
      });
      await subgraph.simulator.deleteEvent(ACME.directoryId, ACME.organizer, deleted.immutableId);
      await sweep();
      const rows = new Map((await stored()).map((row) => [row.id, row]));
      expect(rows.get(moved.id)).toMatchObject({ status: 'SCHEDULED', starts_at: startsAt, join_url: moved.joinUrl });
      expect(rows.get(deleted.id)).toMatchObject({ status: 'CANCELLED', join_url: null });
    });
  },
);

describe('what a meeting left behind before the import', () => {
  const MEETING = 'id recordings { id createdAt } transcripts { id }';

  it('is found by a refresh: the imported recording is completed, and the others are added', async () => {
    const startsAt = new Date(inDays(0).getTime() - 3 * HOUR_MS);
    const { id, joinUrl } = await made({ startsAt }, { status: 'recording_ready' });
    const call = await subgraph.simulator.meetingTookPlace({ directoryId: ACME.directoryId, joinUrl, recordings: 2 });
    await alga.recording(tenant, id, call.recordings[0]?.id ?? '', { file_id: randomUUID() });
    await integration();
    expect(await runImport()).toMatchObject({ recordings: { read: 1, taken: 1 } });
    const before = await subgraph.database.query<{ id: string }>(
      'SELECT id, call_id FROM meeting_recordings WHERE meeting_id = $1',
      [id],
    );
    expect(before).toMatchObject([{ call_id: null }]);

    await takeUp();
    await succeed(subgraph, await administrator(), REFRESH, { meetingId: id });
    const { data } = await subgraph.send<{ teamsMeeting: { recordings: { id: string }[]; transcripts: object[] } }>(
      await administrator(),
      `query ($id: ID!) { teamsMeeting(id: $id) { ${MEETING} } }`,
      { id },
    );
    expect(data?.teamsMeeting.recordings).toHaveLength(2);
    expect(data?.teamsMeeting.recordings.map((one) => one.id)).toContain(before[0]?.id);
    expect(data?.teamsMeeting.transcripts).toHaveLength(1);
    const facts = await subgraph.database.query(
      'SELECT 1 FROM meeting_recordings WHERE meeting_id = $1 AND call_id IS NULL',
      [id],
    );
    expect(facts).toEqual([]);
  });

  it('comes by itself, also for meetings of months ago', async () => {
    const startsAt = inDays(-80);
    const { id, joinUrl } = await made({ startsAt }, { status: 'recording_ready' });
    const call = await subgraph.simulator.meetingTookPlace({ directoryId: ACME.directoryId, joinUrl });
    await alga.recording(tenant, id, call.recordings[0]?.id ?? '');
    await integration();
    await runImport();
    await takeUp();
    await subgraph.services.capture.tenant(scope());
    const transcripts = await subgraph.database.query('SELECT 1 FROM meeting_transcripts WHERE meeting_id = $1', [id]);
    expect(transcripts).toHaveLength(1);
    const [row] = await subgraph.database.query<{ capture_state: string }>(
      'SELECT capture_state FROM online_meetings WHERE id = $1',
      [id],
    );
    expect(row?.capture_state).toBe('READY');
  });
});

/** The same as `takeUp`, where a person is faster than the job. */
async function retryByHand(): Promise<void> {
  await connect(ACME);
  await save({ organizerUserPrincipalName: ACME.organizer });
  await save({ installStatus: 'ACTIVE' });
  for (const { id } of await stored()) await operate('retryTeamsMeeting', { meetingId: id });
}

describe('what the source had left undone', () => {
  it('a cancellation is finished once the app is connected', async () => {
    const { id } = await made({}, { status: 'cancel_pending' });
    await integration();
    expect((await runImport()).codes).toContainEqual(['CANCELLATION_PENDING', id]);
    await subgraph.runJobs({ early: true });
    expect(await stored()).toMatchObject([{ status: 'CANCELLING', join_url: null }]);
    await takeUp();
    await subgraph.runJobs({ early: true });
    expect(await stored()).toMatchObject([{ status: 'CANCELLED' }]);
    expect(await calendar()).toEqual([]);
  });

  it('a failed change is tried again once the app is connected', async () => {
    const { id, joinUrl } = await made({}, { status: 'failed', error_code: 'throttled' });
    await alga.query(
      "UPDATE online_meetings SET start_time = start_time + interval '1 day', end_time = end_time + interval '1 day'",
    );
    await integration();
    await runImport();
    expect(await stored()).toMatchObject([{ id, status: 'FAILED', join_url: joinUrl }]);
    await takeUp();
    await subgraph.runJobs({ early: true });
    expect(await stored()).toMatchObject([{ id, status: 'SCHEDULED', join_url: joinUrl }]);
    expect(new Date((await calendar())[0]?.startsAt ?? 0)).toEqual(inDays(4));
  });

  it('a link that was never read is read from the event', async () => {
    const { joinUrl } = await made({}, { join_url: null, provider_meeting_id: null });
    await integration();
    await runImport();
    await takeUp();
    await subgraph.runJobs({ early: true });
    expect(await stored()).toMatchObject([{ status: 'SCHEDULED', join_url: joinUrl }]);
  });

  it.each([
    ['was scheduled there, by itself', 'scheduled', takeUp],
    ['had failed there, by itself', 'failed', takeUp],
    ['was scheduled there, by a person', 'scheduled', retryByHand],
    ['had failed there, by a person', 'failed', retryByHand],
  ])('a link is read from an event that %s, and what was done in Outlook stays', async (_what, status, retry) => {
    const { joinUrl, immutableId } = await made(
      {},
      { join_url: null, provider_meeting_id: null, subject: null, status },
    );
    const [startsAt, endsAt] = [inDays(5), new Date(inDays(5).getTime() + HOUR_MS)];
    await subgraph.simulator.changeEvent({
      directoryId: ACME.directoryId,
      user: ACME.organizer,
      eventId: immutableId,
      subject: 'Renamed in Outlook',
      startsAt: startsAt.toISOString(),
      endsAt: endsAt.toISOString(),
    });
    const before = await calendar();
    await integration();
    await runImport();
    await subgraph.runJobs({ early: true });
    await retry();
    await subgraph.runJobs({ early: true });
    expect(await stored()).toMatchObject([
      { status: 'SCHEDULED', join_url: joinUrl, subject: 'Renamed in Outlook', starts_at: startsAt, ends_at: endsAt },
    ]);
    expect(await calendar()).toEqual(before);
  });

  it('an event that has no Teams meeting stays in the calendar, and a person is told', async () => {
    const { id, immutableId } = await made();
    await subgraph.simulator.copyEvent(ACME.directoryId, ACME.organizer, immutableId);
    const copy = (await calendar()).find(({ isOnlineMeeting }) => !isOnlineMeeting);
    await alga.query('UPDATE online_meetings SET provider_event_id = $1, join_url = NULL', [copy?.immutableId ?? '']);
    const before = await calendar();
    await integration();
    await runImport();
    await takeUp();
    await subgraph.runJobs({ early: true });
    expect(await stored()).toMatchObject([
      { id, status: 'FAILED', failure: { message: 'The imported event has no Teams meeting.' } },
    ]);
    expect(await calendar()).toEqual(before);
  });

  it('whom somebody invites before the link is read is put on the event, and its times stay', async () => {
    const startsAt = inDays(3);
    const { id } = await made({ startsAt }, { join_url: null, subject: null });
    const before = await calendar();
    await alga.query("UPDATE online_meetings SET start_time = start_time - interval '1 hour'");
    await integration();
    await runImport();
    await subgraph.runJobs({ early: true });
    await operate('updateTeamsMeetingAttendees', { meetingId: id, attendees: [{ emailAddress: 'new@acme.example' }] });
    await takeUp();
    await subgraph.runJobs({ early: true });
    const [event] = await calendar();
    expect(event?.attendees.map(({ address }) => address)).toContain('new@acme.example');
    expect(event).toMatchObject({ subject: before[0]?.subject, startsAt: before[0]?.startsAt });
    expect(await stored()).toMatchObject([{ status: 'SCHEDULED', subject: 'Quarterly review', starts_at: startsAt }]);
  });

  it('what is wanted here before the link is read goes into the event', async () => {
    const { id, joinUrl, immutableId } = await made({}, { join_url: null });
    await integration();
    await runImport();
    await subgraph.runJobs({ early: true });
    const startsAt = inDays(9);
    const times = { startsAt, endsAt: new Date(startsAt.getTime() + HOUR_MS) };
    await operate('rescheduleTeamsMeeting', { meetingId: id, ...times });
    await takeUp();
    await subgraph.runJobs({ early: true });
    expect(await stored()).toMatchObject([{ status: 'SCHEDULED', join_url: joinUrl, starts_at: startsAt }]);
    const [event] = await calendar();
    expect(event).toMatchObject({ immutableId });
    expect(new Date(event?.startsAt ?? 0)).toEqual(startsAt);
  });
});

describe('meetings as only alga-psa has them', () => {
  it('without an event keep their link, and can be cancelled to make room for another one', async () => {
    const { id, joinUrl } = await made({}, { provider_event_id: null });
    await integration();
    await runImport();
    await takeUp();
    await sweep();
    const [row] = await stored();
    expect(row).toMatchObject({ id, status: 'SCHEDULED', join_url: joinUrl });
    const times = { startsAt: inDays(5), endsAt: inDays(6) };
    const refused = await operate('rescheduleTeamsMeeting', { meetingId: id, ...times });
    expect(refused.userErrors.map(({ code }) => code)).toEqual(['MEETING_NOT_CALENDAR_BACKED']);
    expect(await operate('cancelTeamsMeeting', { meetingId: id })).toMatchObject({
      userErrors: [],
      meeting: { status: 'CANCELLED' },
    });
    const again = await operate('createTeamsMeeting', {
      appointmentId: row?.appointment_id,
      subject: 'Again',
      ...times,
    });
    expect(again).toMatchObject({ userErrors: [], meeting: { status: 'SCHEDULED' } });
  });

  it('whose organizer was never resolved get the object id when the organizer is saved', async () => {
    await made({}, { organizer_user_id: ACME.organizer, organizer_upn: ACME.organizer.toUpperCase() });
    await integration({ default_meeting_organizer_object_id: null });
    await runImport();
    expect(await stored()).toMatchObject([{ organizer_object_id: null }]);
    await takeUp();
    expect(await stored()).toMatchObject([{ organizer_object_id: ACME.organizerId }]);
  });

  it('that take no time are not taken for moved, whoever looks at them', async () => {
    const startsAt = inDays(3);
    const { id } = await made({ startsAt });
    const instant = startsAt.toISOString();
    const { directoryId, organizer: user } = ACME;
    const eventId = (await calendar())[0]?.immutableId ?? '';
    await subgraph.simulator.changeEvent({ directoryId, user, eventId, startsAt: instant, endsAt: instant });
    await alga.query('UPDATE online_meetings SET end_time = start_time');
    await integration();
    await runImport();
    await takeUp();
    await sweep();
    expect(await stored()).toMatchObject([{ id, status: 'SCHEDULED', version: 1 }]);
  });
});
