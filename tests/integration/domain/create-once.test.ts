import { describe, expect, it } from 'vitest';
import { succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import {
  admin,
  appointmentId,
  breakUser,
  create,
  createFailing,
  EVENTS,
  expectOneMeeting,
  newEvents,
  rows,
  subgraph,
  useCreating,
} from './creating.ts';
import { ACME, ALWAYS, mendMicrosoft } from './support.ts';

useCreating();

/** Making an event, and looking for one that an unanswered create made. */
const ALL_OF_EVENTS = { path: '/events(\\?|$)' };

/** A refusal that leaves no doubt: nothing was made. */
const REFUSED = {
  match: EVENTS,
  status: 403,
  body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied.' } },
};

describe('when every answer was lost although the event was made', () => {
  it.each<[string, object]>([
    ['504', { status: 504, body: null, after: true }],
    ['cut connections', { cut: 'after' }],
    ['500', { status: 500, after: true }],
  ])('%s: asking again finds the same event', async (_name, fault) => {
    await subgraph.simulator.addFault({ ...fault, match: ALL_OF_EVENTS, times: ALWAYS });
    const { meeting } = await createFailing('PROVISIONING');
    expect(await newEvents()).toHaveLength(1);
    await subgraph.simulator.clearFaults();
    const again = await create();
    expect(again).toMatchObject({ meeting: { id: meeting.id }, userErrors: [] });
    await expectOneMeeting(again.meeting);
  });

  it('asking again with other wishes finishes the first one, as it was wished', async () => {
    await subgraph.simulator.addFault({ match: ALL_OF_EVENTS, status: 504, body: null, after: true, times: ALWAYS });
    const { meeting } = await createFailing('PROVISIONING');
    await subgraph.simulator.clearFaults();
    const again = await create({ subject: 'Another subject' });
    expect(again).toMatchObject({ meeting: { id: meeting.id, subject: meeting.subject }, userErrors: [] });
    await expectOneMeeting(again.meeting);
  });
});

describe('asking twice', () => {
  it('for the same appointment gives the first meeting, unchanged', async () => {
    const first = await create();
    const second = await create({ subject: 'Another subject', attendees: [] });
    expect(second).toEqual({ meeting: first.meeting, userErrors: [] });
    await expectOneMeeting(first.meeting);
  });

  it('at the same moment, ten times, makes one event and one row', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => create()));
    // Whoever comes while the first is still talking to Microsoft waits for it.
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ meeting: { status: 'SCHEDULED' }, userErrors: [] });
    await expectOneMeeting(answers[0]?.meeting ?? null);
  });

  it('after the admin chose another organizer makes the meeting there', async () => {
    await subgraph.simulator.addFault({ ...REFUSED, times: ALWAYS });
    const { meeting: failing } = await createFailing();
    await subgraph.simulator.clearFaults();
    const other = { objectId: 'aaaaaaaa-0000-4000-8000-0000000000ff', upn: 'second@acme.example' };
    await subgraph.simulator.putUser({
      directoryId: ACME.directoryId,
      id: other.objectId,
      userPrincipalName: other.upn,
      teamsPolicyAppIds: [ACME.clientId],
    });
    await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: other.upn });
    try {
      const { meeting } = await create();
      expect(meeting).toMatchObject({ id: failing.id, status: 'SCHEDULED' });
      expect(await subgraph.simulator.listEvents(ACME.directoryId, other.upn)).toMatchObject([
        { joinUrl: meeting?.joinUrl },
      ]);
      expect(await newEvents()).toEqual([]);
    } finally {
      await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: ACME.organizer });
    }
  });

  it('at the same moment after a failure, ten times, makes one event and one row', async () => {
    await subgraph.simulator.addFault({ match: EVENTS, status: 503, times: ALWAYS });
    await createFailing('PROVISIONING');
    await subgraph.simulator.clearFaults();
    const answers = await Promise.all(Array.from({ length: 10 }, () => create()));
    await expectOneMeeting(answers[0]?.meeting ?? null);
  });

  it('with the same idempotency key and wish gives the same meeting, however the times are written', async () => {
    const idempotencyKey = `key-${appointmentId}`;
    const first = await create({ idempotencyKey });
    const second = await create({ idempotencyKey, startsAt: '2036-12-01T12:00:00+02:00' });
    expect(second).toEqual({ meeting: first.meeting, userErrors: [] });
    await expectOneMeeting(first.meeting);
  });

  it.each<[string, object]>([
    ['subject', { subject: 'Something else' }],
    ['time', { endsAt: '2036-12-01T11:15:00Z' }],
    ['attendees', { attendees: [] }],
    ['appointment', { appointmentId: 'appt-of-another-key' }],
  ])('with the same idempotency key and another %s is a conflict', async (_name, over) => {
    const idempotencyKey = `key-${appointmentId}`;
    const first = await create({ idempotencyKey });
    const { meeting, userErrors } = await create({ idempotencyKey, ...over });
    expect(meeting).toBeNull();
    expect(userErrors).toMatchObject([
      { code: 'CONFLICT', path: ['input', 'idempotencyKey'], remedy: expect.stringMatching(/new key/) },
    ]);
    await expectOneMeeting(first.meeting);
  });

  it('at the same moment with one key for two appointments makes one meeting', async () => {
    const idempotencyKey = `key-${appointmentId}`;
    const answers = await Promise.all([
      create({ idempotencyKey }),
      create({ idempotencyKey, appointmentId: `${appointmentId}-other` }),
    ]);
    expect(answers.map(({ userErrors }) => userErrors.map(({ code }) => code).join()).sort()).toEqual(['', 'CONFLICT']);
    expect(await newEvents()).toHaveLength(1);
  });
});

describe('parts that come later', () => {
  it('a meeting without the Teams policy has its link, and finds its online meeting at a refresh', async () => {
    await breakUser({ teamsPolicyAppIds: [] })();
    const { meeting, userErrors } = await create();
    expect(userErrors).toEqual([]);
    await expectOneMeeting(meeting);
    expect(await rows()).toMatchObject([{ graph_online_meeting_id: null }]);
    await mendMicrosoft(subgraph);
    await succeed(
      subgraph,
      admin,
      'mutation ($input: RefreshTeamsMeetingArtifactsInput!) { refreshTeamsMeetingArtifacts(input: $input) { userErrors { code message path remedy } } }',
      { meetingId: meeting?.id },
    );
    expect(await rows()).toMatchObject([{ graph_online_meeting_id: (await newEvents())[0]?.meetingId }]);
  });

  it('a join link that comes a moment late is waited for', async () => {
    await breakUser({ joinUrlDelayGets: 2 })();
    await expectOneMeeting((await create()).meeting);
  });

  it('a join link that takes too long is told, and found at the next try in the same event', async () => {
    await breakUser({ joinUrlDelayGets: 5 })();
    const { meeting } = await createFailing('PROVISIONING');
    expect(meeting.failure).toMatchObject({ code: 'GRAPH_UNAVAILABLE' });
    expect(await newEvents()).toHaveLength(1);
    const again = await create();
    expect(again).toMatchObject({ meeting: { id: meeting.id }, userErrors: [] });
    await expectOneMeeting(again.meeting);
  });

  it('an event without Teams that cannot be removed at first is removed at the next try', async () => {
    await breakUser({ teamsEnabled: false })();
    await subgraph.simulator.addFault({ match: { method: 'DELETE', path: '/events/' }, status: 500, times: ALWAYS });
    await createFailing('PROVISIONING');
    expect(await newEvents()).toHaveLength(1);
    await subgraph.simulator.clearFaults();
    await createFailing();
    expect(await newEvents()).toEqual([]);
    await mendMicrosoft(subgraph);
    await expectOneMeeting((await create()).meeting);
  });

  it('invitations that were switched off before asking again are not sent', async () => {
    await subgraph.simulator.addFault({ ...REFUSED, times: ALWAYS });
    await createFailing();
    await subgraph.simulator.clearFaults();
    await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: false });
    const { meeting } = await create();
    await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: true });
    expect((await newEvents())[0]?.attendees).toEqual([]);
    expect(meeting?.attendees).toHaveLength(1);
  });
});
