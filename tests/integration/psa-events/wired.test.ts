import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { activate, createMeeting } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, WITHOUT_WAITS } from '../domain/support.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { newSecret, send } from './support.ts';

const inbound = newSecret();
const outbound = newSecret();
let receiver: Receiver;
let subgraph: TestSubgraph;
let admin: string;
beforeAll(async () => {
  receiver = await startReceiver(outbound);
  subgraph = await startTestSubgraph({
    graph: WITHOUT_WAITS,
    psaWebhookSecrets: [inbound],
    psaEvents: { url: receiver.url, secret: outbound },
  });
  admin = await activate(subgraph);
});
afterEach(async () => {
  receiver.arrivals.length = 0;
  await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { exchangeScopeAppIds: 'every' });
});
afterAll(async () => {
  await subgraph.close();
  await receiver.close();
});

/** The event's job, then the meeting's, then what is told of it. */
async function runAll(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await subgraph.runJobs({ early: true });
}

const eventsOf = async (id: string) =>
  (await subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer)).filter(
    ({ extendedProperties }) => extendedProperties.MeetingId === id,
  );
const told = () => receiver.arrivals.map(({ event, isSigned }) => ({ type: event.type, isSigned, ...event.data }));

it('a meeting follows its appointment by itself, and the PSA is told in order', async () => {
  const meeting = await createMeeting(subgraph, admin, { appointmentId: 'appt-followed' });
  await runAll();
  const data = { tenantId: 'tenant-a', appointmentId: 'appt-followed' };
  const times = { startsAt: '2036-12-08T08:00:00.000Z', endsAt: '2036-12-08T09:00:00.000Z' };
  const at = (minute: number) => ({ timestamp: new Date(Date.now() + minute * 60_000).toISOString() });
  const late = { type: 'appointment.cancelled', timestamp: '2026-11-20T10:00:00Z', data };
  expect(await send(subgraph, inbound, late)).toMatchObject({ status: 202 });
  await runAll();
  // It happened before this meeting was made: it spoke of another one.
  expect(await eventsOf(meeting.id)).toMatchObject([{ subject: meeting.subject }]);

  const moved = { type: 'appointment.rescheduled', ...at(1), data: { ...data, ...times, subject: 'Moved by the PSA' } };
  expect(await send(subgraph, inbound, moved)).toMatchObject({ status: 202 });
  // Stored, not done.
  expect(await eventsOf(meeting.id)).toMatchObject([{ subject: meeting.subject }]);
  await runAll();
  const [event] = await eventsOf(meeting.id);
  expect(event).toMatchObject({ subject: 'Moved by the PSA', joinUrl: meeting.joinUrl });
  expect(new Date(event?.startsAt ?? '').toISOString()).toBe(times.startsAt);

  expect(await send(subgraph, inbound, { type: 'appointment.deleted', ...at(2), data })).toMatchObject({ status: 202 });
  await runAll();
  expect(await eventsOf(meeting.id)).toEqual([]);

  const ids = { tenantId: 'tenant-a', meetingId: meeting.id, appointmentId: 'appt-followed', interactionId: null };
  expect(told()).toEqual([
    { type: 'teams_meeting.scheduled', isSigned: true, ...ids, status: 'SCHEDULED', joinUrl: meeting.joinUrl },
    { type: 'teams_meeting.updated', isSigned: true, ...ids, status: 'SCHEDULED', joinUrl: meeting.joinUrl },
    { type: 'teams_meeting.cancelled', isSigned: true, ...ids, status: 'CANCELLED', joinUrl: null },
  ]);
});

it('the PSA is told of a meeting that needs a person', async () => {
  await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { exchangeScopeAppIds: [] });
  const { data } = await subgraph.send<{ createTeamsMeeting: { meeting: { id: string } } }>(
    admin,
    'mutation ($input: CreateTeamsMeetingInput!) { createTeamsMeeting(input: $input) { meeting { id } } }',
    {
      input: {
        appointmentId: 'appt-blocked',
        subject: 'Blocked',
        startsAt: '2036-12-08T08:00:00Z',
        endsAt: '2036-12-08T09:00:00Z',
      },
    },
  );
  await runAll();
  expect(told()).toMatchObject([
    { type: 'teams_meeting.failed', meetingId: data?.createTeamsMeeting.meeting.id, status: 'FAILED', joinUrl: null },
  ]);
});

it('an event whose job was lost is delivered after the next sweep', async () => {
  const meeting = await createMeeting(subgraph, admin, { appointmentId: 'appt-lost-job' });
  await subgraph.database.query('DELETE FROM graphile_worker._private_jobs');
  await subgraph.database.query(
    "UPDATE outgoing_events SET created_at = created_at - interval '1 hour' WHERE meeting_id = $1",
    [meeting.id],
  );
  await subgraph.services.sweepTenant({
    viewer: { tenantId: 'tenant-a', id: 'test', kind: 'service', permissions: new Set() },
    db: subgraph.db.forTenant('tenant-a'),
  });
  await runAll();
  expect(told()).toMatchObject([{ type: 'teams_meeting.scheduled', meetingId: meeting.id }]);
});
