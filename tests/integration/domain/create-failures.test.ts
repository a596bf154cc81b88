import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { activate, CREATE, type CreatedMeeting, meetingInput, mutate, succeed, UPDATE_SETTINGS, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, ALWAYS, auditOf, forgetTokens, mendMicrosoft, WITHOUT_WAITS } from './support.ts';

interface CreateAnswer {
  meeting: CreatedMeeting | null;
  userErrors: UserErrorAnswer[];
}

interface Failure {
  code: string;
  message: string;
  remedy: string | null;
  occurredAt: string;
  willRetryAt: string | null;
  graphRequestId: string | null;
}

const READ = `query ($id: ID!) { teamsMeeting(id: $id) { status joinUrl subject failure { code message remedy occurredAt willRetryAt graphRequestId } } }`;
const EVENTS = { method: 'POST', path: '/events$' };

let subgraph: TestSubgraph;
let admin: string;
let appointments = 0;
let appointmentId: string;

const create = (over: object = {}) => mutate<CreateAnswer>(subgraph, admin, CREATE, meetingInput({ appointmentId, ...over }));

/** The events in the calendar that belong to the test at hand; the earlier ones are counted out. */
let eventsBefore: Set<string>;
async function newEvents() {
  return (await subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer)).filter(({ immutableId }) => !eventsBefore.has(immutableId));
}

const rows = () => subgraph.database.query<{ id: string; status: string; graph_online_meeting_id: string | null }>('SELECT * FROM online_meetings WHERE appointment_id = $1', [appointmentId]);

async function read(id: string) {
  const { data, errors } = await subgraph.send<{ teamsMeeting: { status: string; joinUrl: string | null; subject: string; failure: Failure | null } }>(admin, READ, { id });
  expect(errors).toEqual([]);
  return data?.teamsMeeting;
}

async function createFailing(): Promise<{ meeting: CreatedMeeting; userErrors: UserErrorAnswer[] }> {
  const { meeting, userErrors } = await create();
  if (meeting === null) throw new Error(JSON.stringify(userErrors));
  expect(meeting.status).toBe('FAILED');
  return { meeting, userErrors };
}

/** Everything that must hold once a meeting was made, however long the way was. */
async function expectOneMeeting(meeting: CreatedMeeting | null, wish: { subject: string } = { subject: 'Quarterly review' }): Promise<void> {
  const events = await newEvents();
  expect(events).toMatchObject([{ subject: wish.subject, isOnlineMeeting: true }]);
  expect(await rows()).toMatchObject([{ id: meeting?.id, status: 'SCHEDULED' }]);
  expect(await read(meeting?.id ?? '')).toEqual({ status: 'SCHEDULED', joinUrl: events[0]?.joinUrl, subject: wish.subject, failure: null });
}

const breakApp = (change: Parameters<TestSubgraph['simulator']['updateApp']>[2]) => async () => {
  await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, change);
  await forgetTokens(subgraph);
};
const breakUser = (change: Parameters<TestSubgraph['simulator']['updateUser']>[2]) => () => subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, change);
const answering = (status: number, code?: string | null, message = '') => async () => {
  const body = code === undefined ? {} : { body: code === null ? null : { error: { code, message } } };
  await subgraph.simulator.addFault({ match: EVENTS, status, ...body, times: ALWAYS });
};

beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: { ...WITHOUT_WAITS, perTryTimeoutMs: 2_500 } });
  admin = await activate(subgraph);
});
beforeEach(async () => {
  appointments += 1;
  appointmentId = `appt-failing-${appointments}`;
  eventsBefore = new Set((await subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer)).map(({ immutableId }) => immutableId));
  await subgraph.simulator.clearRequests();
});
afterEach(async () => {
  await mendMicrosoft(subgraph);
  await forgetTokens(subgraph);
});
afterAll(() => subgraph.close());

describe('what Microsoft answers to a create', () => {
  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['an expired secret', breakApp({ secrets: [{ value: ACME.secret, expiresAt: '2020-01-01T00:00:00Z' }] }), 'CREDENTIALS_REJECTED', /client secret/],
    ['a disabled app', breakApp({ disabled: true }), 'CREDENTIALS_REJECTED', /app registration/],
    ['a token that Graph refuses twice', answering(401), 'CREDENTIALS_REJECTED', /connect it again/],
    ['Calendars.ReadWrite missing', breakApp({ roles: ['User.Read.All'] }), 'PERMISSION_MISSING', /grant admin consent/],
    ['a refusal although the role is there', answering(403, 'Forbidden', 'An error has occurred.'), 'PERMISSION_MISSING', /wait, then run the verification/],
    ['Exchange keeping the app out', breakUser({ exchangeScopeAppIds: [] }), 'MAILBOX_SCOPE_DENIED', /RBAC for Applications/],
    ['Exchange keeping the app out, the older words', answering(403, 'ErrorAccessDenied', 'Access to OData is disabled.'), 'MAILBOX_SCOPE_DENIED', /RBAC for Applications/],
    ['an organizer who was deleted', () => subgraph.simulator.deleteUser(ACME.directoryId, ACME.organizer), 'ORGANIZER_NOT_FOUND', /user principal name/],
    ['an organizer unknown to the directory', answering(404, 'Request_ResourceNotFound'), 'ORGANIZER_NOT_FOUND', /user principal name/],
    ['no mailbox', breakUser({ hasMailbox: false }), 'MAILBOX_UNAVAILABLE', /Exchange Online/],
    ['a mailbox on premises', answering(404, 'MailboxNotHostedInExchangeOnline'), 'MAILBOX_UNAVAILABLE', /in the cloud/],
    ['a missing folder', answering(404, 'ErrorItemNotFound'), 'NOT_FOUND', /nothing is left/],
    ['a time zone it does not know', answering(400, 'TimeZoneNotSupportedException'), 'GRAPH_UNAVAILABLE', /request id/],
    ['a property it does not take', answering(400, 'ErrorPropertyValidationFailure'), 'GRAPH_UNAVAILABLE', /request id/],
    ['an address it does not take', answering(400, 'ErrorInvalidRecipients', "At least one recipient isn't valid."), 'GRAPH_UNAVAILABLE', /request id/],
    ['the limit of the mailbox', answering(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.'), 'GRAPH_THROTTLED', /Wait/],
    ['the general limit', answering(429), 'GRAPH_THROTTLED', /Wait/],
    ['500', answering(500), 'GRAPH_UNAVAILABLE', /Try again/],
    ['502 without a body', answering(502, null), 'GRAPH_UNAVAILABLE', /Try again/],
    ['503', answering(503), 'GRAPH_UNAVAILABLE', /Try again/],
    ['504 without a body', answering(504, null), 'GRAPH_UNAVAILABLE', /Try again/],
    ['a gateway’s HTML', async () => subgraph.simulator.addFault({ match: EVENTS, status: 503, body: '<html>Bad gateway</html>', times: ALWAYS }), 'GRAPH_UNAVAILABLE', /Try again/],
    ['success in an unknown shape', async () => subgraph.simulator.addFault({ match: EVENTS, status: 201, body: { value: 1 }, times: ALWAYS }), 'GRAPH_UNAVAILABLE', /request id/],
    ['cut connections', async () => subgraph.simulator.addFault({ match: EVENTS, cut: 'before', times: ALWAYS }), 'GRAPH_UNAVAILABLE', /network/],
    ['no Teams licence', breakUser({ teamsEnabled: false }), 'MAILBOX_UNAVAILABLE', /Teams licence/],
  ])('%s: is told with code and remedy, kept with the meeting, and mended by asking again', async (_name, breakIt, code, remedy) => {
    await breakIt();
    const { meeting, userErrors } = await createFailing();
    expect(userErrors).toMatchObject([{ code, remedy: expect.stringMatching(remedy), path: null }]);
    expect(meeting).toMatchObject({ joinUrl: null, failure: { code } });
    const stored = await read(meeting.id);
    expect(stored).toMatchObject({ status: 'FAILED', joinUrl: null, failure: { code, message: userErrors[0]?.message, remedy: userErrors[0]?.remedy, willRetryAt: null } });
    expect(Math.abs(Date.parse(stored?.failure?.occurredAt ?? '') - Date.now())).toBeLessThan(60_000);
    expect((await auditOf(subgraph, 'tenant-a', 'create')).filter(({ meeting_id }) => meeting_id === meeting.id)).toMatchObject([{ outcome: code }]);
    expect(await rows()).toMatchObject([{ id: meeting.id, status: 'FAILED' }]);

    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
    expect(await newEvents()).toEqual([]);
    const again = await create();
    expect(again).toMatchObject({ meeting: { id: meeting.id, status: 'SCHEDULED', failure: null }, userErrors: [] });
    await expectOneMeeting(again.meeting);
  });

  it('keeps the request id of the refusal, to quote to Microsoft', async () => {
    await breakUser({ exchangeScopeAppIds: [] })();
    const { meeting } = await createFailing();
    const [request] = await subgraph.simulator.requests(EVENTS);
    expect((await read(meeting.id))?.failure?.graphRequestId).toBe(request?.requestId);
    expect(subgraph.logs.findLast(({ msg }) => msg === '[TeamsMeetings] operation=create')).toMatchObject({ tenantId: 'tenant-a', meetingId: meeting.id, outcome: 'MAILBOX_SCOPE_DENIED', graphRequestId: request?.requestId, durationMs: expect.any(Number) });
  });

  it('logs neither join links nor what the meeting is about', async () => {
    const { meeting } = await create({ subject: 'Confidential merger', description: 'Secret plan' });
    const logs = JSON.stringify(subgraph.logs);
    expect(logs).toContain(meeting?.id);
    expect(logs).not.toMatch(/Confidential merger|Secret plan|jane@acme|meetup-join|teams\.microsoft\.com|eyJ/);
  });
});

describe('a hiccup that passes', () => {
  it.each<[string, object]>([
    ['503 with a Retry-After', { status: 503, headers: { 'retry-after': '2' } }],
    ['429', { status: 429, headers: { 'retry-after': '1' } }],
    ['504 although the event was made', { status: 504, body: null, after: true }],
    ['a connection cut before anything was made', { cut: 'before' }],
    ['a connection cut after the event was made', { cut: 'after' }],
    ['an answer that comes too late', { delayMs: 60_000 }],
    ['a token that was revoked', { status: 401 }],
  ])('%s leaves one event and nobody notices', async (_name, fault) => {
    await subgraph.simulator.addFault({ ...fault, match: EVENTS });
    const { meeting, userErrors } = await create();
    expect(userErrors).toEqual([]);
    // The delayed call goes on now: what it makes must be the event that is there already.
    await subgraph.simulator.clearFaults();
    await expectOneMeeting(meeting);
  });
});

describe('when every answer was lost although the event was made', () => {
  it.each<[string, object]>([
    ['504', { status: 504, body: null, after: true }],
    ['cut connections', { cut: 'after' }],
    ['500', { status: 500, after: true }],
  ])('%s: asking again finds the same event', async (_name, fault) => {
    await subgraph.simulator.addFault({ ...fault, match: EVENTS, times: ALWAYS });
    const { meeting } = await createFailing();
    expect(await newEvents()).toHaveLength(1);
    await subgraph.simulator.clearFaults();
    const again = await create();
    expect(again).toMatchObject({ meeting: { id: meeting.id }, userErrors: [] });
    await expectOneMeeting(again.meeting);
  });

  it('asking again with other wishes changes that event instead of making a second one', async () => {
    await subgraph.simulator.addFault({ match: EVENTS, status: 504, body: null, after: true, times: ALWAYS });
    const { meeting } = await createFailing();
    await subgraph.simulator.clearFaults();
    const wish = { subject: 'Moved review', startsAt: '2036-12-03T08:00:00.000Z', endsAt: '2036-12-03T09:00:00.000Z', attendees: [{ emailAddress: 'bob@acme.example' }] };
    const again = await create(wish);
    expect(again).toMatchObject({ meeting: { id: meeting.id, ...wish, attendees: [{ emailAddress: 'bob@acme.example', kind: 'EMAIL' }] }, userErrors: [] });
    await expectOneMeeting(again.meeting, wish);
    const [event] = await newEvents();
    expect(event).toMatchObject({ attendees: [{ address: 'bob@acme.example' }] });
    expect([event?.startsAt, event?.endsAt].map((text) => new Date(text ?? '').toISOString())).toEqual([wish.startsAt, wish.endsAt]);
  });

  it('a caller that died half-way is taken over once its lease has run out, and not before', async () => {
    const { meeting } = await create();
    await subgraph.database.query("UPDATE online_meetings SET status = 'PROVISIONING', join_url = NULL, graph_event_id = NULL, graph_online_meeting_id = NULL, leased_until = now() + interval '1 minute' WHERE appointment_id = $1", [appointmentId]);
    await subgraph.simulator.clearRequests();
    expect(await create()).toMatchObject({ meeting: { id: meeting?.id, status: 'PROVISIONING', joinUrl: null }, userErrors: [] });
    expect(await subgraph.simulator.requests(EVENTS)).toEqual([]);
    await subgraph.database.query("UPDATE online_meetings SET leased_until = now() - interval '1 second' WHERE appointment_id = $1", [appointmentId]);
    const again = await create();
    expect(again.meeting?.joinUrl).toBe(meeting?.joinUrl);
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
    expect(answers.map(({ userErrors }) => userErrors)).toEqual(answers.map(() => []));
    expect(new Set(answers.map(({ meeting }) => meeting?.id)).size).toBe(1);
    await expectOneMeeting(answers[0]?.meeting ?? null);
  });

  it('at the same moment after a failure, ten times, makes one event and one row', async () => {
    await subgraph.simulator.addFault({ match: EVENTS, status: 503, times: ALWAYS });
    await createFailing();
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
    expect(userErrors).toMatchObject([{ code: 'CONFLICT', path: ['input', 'idempotencyKey'], remedy: expect.stringMatching(/new key/) }]);
    await expectOneMeeting(first.meeting);
  });

  it('at the same moment with one key for two appointments makes one meeting', async () => {
    const idempotencyKey = `key-${appointmentId}`;
    const answers = await Promise.all([create({ idempotencyKey }), create({ idempotencyKey, appointmentId: `${appointmentId}-other` })]);
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
    await succeed(subgraph, admin, 'mutation ($input: RefreshTeamsMeetingArtifactsInput!) { refreshTeamsMeetingArtifacts(input: $input) { userErrors { code message path remedy } } }', { meetingId: meeting?.id });
    expect(await rows()).toMatchObject([{ graph_online_meeting_id: (await newEvents())[0]?.meetingId }]);
  });

  it('a join link that comes a moment late is waited for', async () => {
    await breakUser({ joinUrlDelayGets: 2 })();
    await expectOneMeeting((await create()).meeting);
  });

  it('a join link that takes too long is told, and found at the next try in the same event', async () => {
    await breakUser({ joinUrlDelayGets: 5 })();
    const { meeting, userErrors } = await createFailing();
    expect(userErrors).toMatchObject([{ code: 'GRAPH_UNAVAILABLE', message: expect.stringMatching(/join link/), remedy: expect.stringMatching(/same meeting/) }]);
    expect(await newEvents()).toHaveLength(1);
    const again = await create();
    expect(again).toMatchObject({ meeting: { id: meeting.id }, userErrors: [] });
    await expectOneMeeting(again.meeting);
  });

  it('an event without Teams that cannot be removed at first is removed at the next try', async () => {
    await breakUser({ teamsEnabled: false })();
    await subgraph.simulator.addFault({ match: { method: 'DELETE', path: '/events/' }, status: 500, times: ALWAYS });
    await createFailing();
    expect(await newEvents()).toHaveLength(1);
    await subgraph.simulator.clearFaults();
    await createFailing();
    expect(await newEvents()).toEqual([]);
    await mendMicrosoft(subgraph);
    await expectOneMeeting((await create()).meeting);
  });

  it('invitations that were switched off before asking again are not sent', async () => {
    await subgraph.simulator.addFault({ match: EVENTS, status: 503, times: ALWAYS });
    await createFailing();
    await subgraph.simulator.clearFaults();
    await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: false });
    const { meeting } = await create();
    await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: true });
    expect((await newEvents())[0]?.attendees).toEqual([]);
    expect(meeting?.attendees).toHaveLength(1);
  });
});
