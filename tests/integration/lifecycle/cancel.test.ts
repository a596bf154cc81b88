import { describe, expect, it } from 'vitest';
import { CREATE, meetingInput, mutate, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { ALWAYS, auditOf, branches } from '../domain/support.ts';
import {
  ATTENDEES,
  admin,
  appointmentId,
  CANCEL,
  type ChangeAnswer,
  change,
  eventsOf,
  LATER,
  made,
  RESCHEDULE,
  RETRY,
  seen,
  sent,
  subgraph,
  useChanging,
} from './changing.ts';

useChanging();

const create = (over: object = {}) =>
  mutate<ChangeAnswer>(subgraph, admin, CREATE, meetingInput({ appointmentId, ...over }));
const ALL_OF_EVENTS = { path: '/events' };

async function calendarUrls() {
  const { data } = await subgraph.send<{ _entities: { teamsMeeting: { status: string; joinUrl: string | null } }[] }>(
    admin,
    'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Appointment { teamsMeeting { status joinUrl } } } }',
    { r: [{ __typename: 'Appointment', id: appointmentId }] },
  );
  return data?._entities[0]?.teamsMeeting;
}

describe('a cancellation', () => {
  it('goes to Exchange with the comment, and the join link is gone from every answer', async () => {
    const meeting = await made();
    const { meeting: gone, userErrors } = await change(CANCEL, meeting.id, { comment: 'We are ill.\nSorry.' });
    expect(userErrors).toEqual([]);
    expect(gone).toMatchObject({
      status: 'CANCELLED',
      joinUrl: null,
      cancelReason: 'We are ill.\nSorry.',
      failure: null,
    });
    expect(await sent()).toEqual(['POST cancel']);
    expect(await eventsOf(meeting.id)).toEqual([]);
    expect((await subgraph.simulator.sentMail()).at(-1)).toMatchObject({
      kind: 'cancellation',
      comment: 'We are ill.\nSorry.',
    });
    expect(await calendarUrls()).toEqual({ status: 'CANCELLED', joinUrl: null });
  });

  it('of a meeting without attendees deletes the event', async () => {
    const meeting = await made({ attendees: [] });
    await change(CANCEL, meeting.id);
    expect(await sent()).toEqual(['DELETE']);
    expect(await eventsOf(meeting.id)).toEqual([]);
  });

  it('of a meeting that invited nobody deletes the event', async () => {
    await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: false });
    try {
      const meeting = await made();
      await change(CANCEL, meeting.id, { comment: 'never mind' });
      expect(await sent()).toEqual(['DELETE']);
    } finally {
      await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: true });
    }
  });

  it('deletes the event when Exchange says that it has no attendees', async () => {
    const meeting = await made();
    await subgraph.simulator.addFault({
      match: { path: '/cancel' },
      status: 400,
      body: { error: { code: 'ErrorInvalidRequest', message: 'You need attendees.' } },
    });
    expect(await change(CANCEL, meeting.id)).toMatchObject({ meeting: { status: 'CANCELLED' }, userErrors: [] });
    expect(await sent()).toEqual(['POST cancel', 'DELETE']);
  });

  it('of an event that is gone already succeeds', async () => {
    const meeting = await made();
    const [event] = await eventsOf(meeting.id);
    await subgraph.simulator.deleteEvent(
      '11111111-1111-4111-8111-111111111111',
      'scheduling@acme.example',
      event?.id ?? '',
    );
    expect(await change(CANCEL, meeting.id)).toMatchObject({ meeting: { status: 'CANCELLED' }, userErrors: [] });
  });

  it('of a meeting that Microsoft never made asks Microsoft nothing', async () => {
    await subgraph.simulator.addFault({
      match: { method: 'POST', path: '/events$' },
      status: 403,
      body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied.' } },
      times: ALWAYS,
    });
    const { meeting } = await create();
    expect(meeting).toMatchObject({ status: 'FAILED' });
    await subgraph.simulator.clearRequests();
    expect(await change(CANCEL, meeting?.id ?? '')).toMatchObject({
      meeting: { status: 'CANCELLED', failure: null },
      userErrors: [],
    });
    expect(await sent()).toEqual([]);
  });

  it('removes what an unanswered create has made', async () => {
    await subgraph.simulator.addFault({ match: ALL_OF_EVENTS, status: 504, body: null, after: true, times: ALWAYS });
    const { meeting } = await create();
    expect(meeting).toMatchObject({ status: 'PROVISIONING', joinUrl: null });
    expect(await eventsOf(meeting?.id ?? '')).toHaveLength(1);
    expect(await change(CANCEL, meeting?.id ?? '')).toMatchObject({
      meeting: { status: 'CANCELLING', joinUrl: null, failure: { willRetryAt: expect.any(String) } },
      userErrors: [],
    });
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    expect(await seen(meeting?.id ?? '')).toMatchObject({ status: 'CANCELLED', failure: null });
    expect(await eventsOf(meeting?.id ?? '')).toEqual([]);
  });

  it('finds what a create that hung at Microsoft makes after the cancellation', async () => {
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/events$' }, delayMs: 600_000 });
    await subgraph.simulator.addFault({ match: ALL_OF_EVENTS, status: 503, times: 4 });
    const { meeting } = await create();
    expect(meeting).toMatchObject({ status: 'PROVISIONING' });
    await change(CANCEL, meeting?.id ?? '');
    await subgraph.runJobs({ early: true });
    expect(await seen(meeting?.id ?? '')).toMatchObject({ status: 'CANCELLED' });
    // Only now does the first call go on.
    await subgraph.simulator.clearFaults();
    await expect.poll(() => eventsOf(meeting?.id ?? '')).toHaveLength(1);
    await subgraph.runJobs({ early: true });
    expect(await eventsOf(meeting?.id ?? '')).toEqual([]);
  });

  it('finds what a create that hung at Microsoft makes after a second one was answered and removed', async () => {
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/events$' }, delayMs: 600_000 });
    const meeting = await made();
    await change(CANCEL, meeting.id);
    expect(await eventsOf(meeting.id)).toEqual([]);
    expect(await seen(meeting.id)).toMatchObject({ status: 'CANCELLED', failure: null });
    await subgraph.simulator.clearFaults();
    await expect.poll(() => eventsOf(meeting.id)).toHaveLength(1);
    await subgraph.runJobs({ early: true });
    expect(await eventsOf(meeting.id)).toEqual([]);
    expect(await seen(meeting.id)).toMatchObject({ status: 'CANCELLED', joinUrl: null, failure: null });
  });

  it('while Microsoft is away is CANCELLING without a link, and is brought about by the job', async () => {
    const meeting = await made();
    await subgraph.simulator.addFault({ match: ALL_OF_EVENTS, status: 503, times: ALWAYS });
    expect(await change(CANCEL, meeting.id)).toMatchObject({
      meeting: { status: 'CANCELLING', joinUrl: null, failure: { code: 'GRAPH_UNAVAILABLE' } },
      userErrors: [],
    });
    expect(await calendarUrls()).toEqual({ status: 'CANCELLING', joinUrl: null });
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    expect(await seen(meeting.id)).toMatchObject({ status: 'CANCELLED', failure: null });
    expect(await eventsOf(meeting.id)).toEqual([]);
  });

  it('lets the appointment have a new meeting at once, also while Microsoft does not know', async () => {
    const first = await made();
    await subgraph.simulator.addFault({ match: { path: '/cancel' }, status: 503, times: ALWAYS });
    await change(CANCEL, first.id);
    const second = await made();
    expect(second.id).not.toBe(first.id);
    expect(second.joinUrl).not.toBe(first.joinUrl);
    expect(await calendarUrls()).toEqual({ status: 'SCHEDULED', joinUrl: second.joinUrl });
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    expect(await eventsOf(first.id)).toEqual([]);
    expect(await eventsOf(second.id)).toHaveLength(1);
  });

  it('asked for twice is one cancellation, and then there is nothing to cancel', async () => {
    const meeting = await made();
    const answers = await Promise.all([change(CANCEL, meeting.id), change(CANCEL, meeting.id)]);
    expect(answers.map((answer) => answer.meeting?.status)).toEqual(['CANCELLED', 'CANCELLED']);
    expect((await sent()).filter((call) => call === 'POST cancel')).toHaveLength(1);
    expect(branches((await change(CANCEL, meeting.id)).userErrors)).toEqual([
      { code: 'MEETING_ALREADY_CANCELLED', path: 'input.meetingId' },
    ]);
    expect(
      (await auditOf(subgraph, 'tenant-a', 'cancel')).filter(({ meeting_id }) => meeting_id === meeting.id),
    ).toMatchObject([{ outcome: 'accepted' }, { outcome: 'success' }]);
  });

  it('of a meeting that is over is refused, for its recordings’ sake', async () => {
    const meeting = await made({ startsAt: '2020-01-01T10:00:00Z', endsAt: '2020-01-01T11:00:00Z' });
    expect(await change(CANCEL, meeting.id)).toMatchObject({
      meeting: { status: 'ENDED', joinUrl: meeting.joinUrl },
      userErrors: [{ code: 'CONFLICT', message: expect.stringMatching(/recordings/) }],
    });
    expect(await sent()).toEqual([]);
  });

  it.each([
    ['too long', 'x'.repeat(2_001)],
    ['with a NUL', 'a\u0000b'],
  ])('with a comment that is %s is refused', async (_name, comment) => {
    const meeting = await made();
    expect(branches((await change(CANCEL, meeting.id, { comment })).userErrors)).toEqual([
      { code: 'INVALID_INPUT', path: 'input.comment' },
    ]);
    expect(await seen(meeting.id)).toMatchObject({ status: 'SCHEDULED' });
  });
});

describe('the order of operations', () => {
  it('a reschedule that arrives while the creation is still tried wins', async () => {
    await subgraph.simulator.addFault({ match: ALL_OF_EVENTS, status: 503, times: ALWAYS });
    const { meeting } = await create();
    await change(RESCHEDULE, meeting?.id ?? '', { ...LATER, subject: 'Moved before it was made' });
    await change(ATTENDEES, meeting?.id ?? '', { attendees: [{ emailAddress: 'late@acme.example' }] });
    await subgraph.simulator.clearFaults();
    await subgraph.simulator.clearRequests();
    await subgraph.runJobs({ early: true });
    const [event, ...more] = await eventsOf(meeting?.id ?? '');
    expect(more).toEqual([]);
    expect(event).toMatchObject({ subject: 'Moved before it was made', attendees: [{ address: 'late@acme.example' }] });
    // What was moot is never sent: the event is made as it is wanted last.
    expect((await sent()).filter((call) => call !== 'GET')).toEqual(['POST']);
  });

  it('a cancellation beats everything that was asked before', async () => {
    const meeting = await made();
    await subgraph.simulator.addFault({ match: ALL_OF_EVENTS, status: 503, times: ALWAYS });
    await change(RESCHEDULE, meeting.id, LATER);
    await change(CANCEL, meeting.id);
    await subgraph.simulator.clearFaults();
    await subgraph.simulator.clearRequests();
    await subgraph.runJobs({ early: true });
    // The reads are the sweep's.
    expect((await sent()).filter((call) => call !== 'GET')).toEqual(['POST cancel']);
    expect(await eventsOf(meeting.id)).toEqual([]);
  });

  it('ten reschedules at the same moment end with one of them, in the row as in the calendar', async () => {
    const meeting = await made();
    const hours = Array.from({ length: 10 }, (_, hour) => hour);
    const answers = await Promise.all(
      hours.map((hour) =>
        change(RESCHEDULE, meeting.id, {
          startsAt: `2036-12-06T${String(hour).padStart(2, '0')}:00:00.000Z`,
          endsAt: `2036-12-06T${String(hour).padStart(2, '0')}:30:00.000Z`,
        }),
      ),
    );
    expect(answers.flatMap(({ userErrors }) => userErrors)).toEqual([]);
    await subgraph.runJobs({ early: true });
    const { startsAt, endsAt, joinUrl } = await seen(meeting.id);
    const [event] = await eventsOf(meeting.id);
    expect([event?.startsAt, event?.endsAt].map((text) => new Date(text ?? '').toISOString())).toEqual([
      startsAt,
      endsAt,
    ]);
    expect(joinUrl).toBe(meeting.joinUrl);
    expect(
      await subgraph.database.query('SELECT FROM online_meetings WHERE id = $1 AND version <> synced_version', [
        meeting.id,
      ]),
    ).toEqual([]);
  });
});

describe('a retry', () => {
  it('of a meeting that is well asks Microsoft nothing', async () => {
    const meeting = await made();
    expect(await change(RETRY, meeting.id)).toMatchObject({
      meeting: { status: 'SCHEDULED', joinUrl: meeting.joinUrl },
      userErrors: [],
    });
    expect(await sent()).toEqual([]);
  });

  it('does not wait for the time of the next try', async () => {
    await subgraph.simulator.addFault({
      match: ALL_OF_EVENTS,
      status: 429,
      headers: { 'retry-after': '3600' },
      times: ALWAYS,
    });
    const { meeting } = await create();
    expect(meeting).toMatchObject({ status: 'PROVISIONING', failure: { code: 'GRAPH_THROTTLED' } });
    const due = Date.parse((await seen(meeting?.id ?? '')).failure?.willRetryAt ?? '');
    expect(due - Date.now()).toBeGreaterThan(3_500_000);
    await subgraph.simulator.clearFaults();
    expect(await change(RETRY, meeting?.id ?? '')).toMatchObject({ meeting: { status: 'SCHEDULED', failure: null } });
  });

  it('of a cancelled meeting is refused', async () => {
    const meeting = await made();
    await change(CANCEL, meeting.id);
    expect(branches((await change(RETRY, meeting.id)).userErrors)).toEqual([
      { code: 'MEETING_ALREADY_CANCELLED', path: 'input.meetingId' },
    ]);
  });
});
