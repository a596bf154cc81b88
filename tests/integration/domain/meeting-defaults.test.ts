import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UserInput } from '../../../simulator/control-types.ts';
import {
  activate,
  type CreatedMeeting,
  createMeeting,
  mutate,
  succeed,
  type UserErrorAnswer,
} from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, ALWAYS, auditOf, forgetTokens, mendMicrosoft, ROLES, WITHOUT_WAITS } from './support.ts';

const UPDATE = `mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { settings { meetingDefaults { recordAutomatically lobbyBypass allowedPresenters } } userErrors { code message path remedy } } }`;
const VERIFY = `mutation { verifyTeamsOrganizer { verification { outcome } userErrors { code } } }`;
const READ = `query ($id: ID!) { teamsMeeting(id: $id) { status joinUrl failure { code } defaultsFailure { code message remedy graphRequestId willRetryAt } } }`;
const CANCEL = `mutation ($input: CancelTeamsMeetingInput!) { cancelTeamsMeeting(input: $input) { meeting { status } userErrors { code message path remedy } } }`;
const RESCHEDULE = `mutation ($input: RescheduleTeamsMeetingInput!) { rescheduleTeamsMeeting(input: $input) { meeting { status } userErrors { code message path remedy } } }`;

const MICROSOFTS = { recordAutomatically: false, lobbyBypass: 'ORGANIZATION', allowedPresenters: 'EVERYONE' };
const OURS = { recordAutomatically: true, lobbyBypass: 'INVITED', allowedPresenters: 'ORGANIZER' };
const OURS_AT_GRAPH = {
  recordAutomatically: true,
  lobbyBypassSettings: { scope: 'invited' },
  allowedPresenters: 'organizer',
};
/** The one call that sets options, as a simulator's fault names it. */
const PATCH = { method: 'PATCH', path: '/onlineMeetings/' };
const BY_LINK = { path: 'JoinWebUrl' };

interface ReadMeeting {
  status: string;
  joinUrl: string | null;
  failure: { code: string } | null;
  defaultsFailure: {
    code: string;
    message: string;
    remedy: string | null;
    graphRequestId: string | null;
    willRetryAt: string | null;
  } | null;
}

let subgraph: TestSubgraph;
let admin: string;
let appointments = 0;

const setDefaults = (meetingDefaults: object) =>
  mutate<{ userErrors: UserErrorAnswer[] }>(subgraph, admin, UPDATE, { meetingDefaults });

/** As if nobody had ever set a default. */
const forgetDefaults = () =>
  subgraph.database.query(
    "UPDATE teams_integrations SET meeting_defaults_chosen = '{}', record_automatically = false, lobby_bypass = 'ORGANIZATION', allowed_presenters = 'EVERYONE'",
  );

function create(over: object = {}): Promise<CreatedMeeting> {
  appointments += 1;
  return createMeeting(subgraph, admin, { appointmentId: `appt-defaults-${appointments}`, ...over });
}

/** What was sent to set options, in order. */
async function sent(): Promise<unknown[]> {
  const requests = await subgraph.simulator.requests();
  return requests
    .filter(({ method, path }) => method === 'PATCH' && /onlineMeetings/i.test(path))
    .map(({ body }) => body);
}

async function read({ id }: CreatedMeeting, token = admin): Promise<ReadMeeting> {
  const { data, errors } = await subgraph.send<{ teamsMeeting: ReadMeeting }>(token, READ, { id });
  if (errors.length > 0 || !data) throw new Error(JSON.stringify(errors));
  return data.teamsMeeting;
}

/** The row of the meeting's job, while it waits. */
const jobs = () =>
  subgraph.database.query("SELECT run_at FROM graphile_worker.jobs WHERE task_identifier = 'apply_meeting_defaults'");

async function updateOrganizer(change: Partial<UserInput>): Promise<void> {
  await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizerId, change);
}

beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
  admin = await activate(subgraph);
});
beforeEach(async () => {
  await setDefaults(OURS);
  await subgraph.runJobs();
  await subgraph.simulator.clearRequests();
});
afterEach(async () => {
  await mendMicrosoft(subgraph);
  await forgetTokens(subgraph);
  await subgraph.database.query('DELETE FROM online_meetings');
});
afterAll(() => subgraph.close());

describe('a new meeting', () => {
  it('gets the tenant’s options once, after it was made', async () => {
    const meeting = await create();
    expect(await sent()).toEqual([]);
    await subgraph.runJobs();
    expect(await sent()).toEqual([OURS_AT_GRAPH]);
    expect(await read(meeting)).toMatchObject({ status: 'SCHEDULED', failure: null, defaultsFailure: null });
    expect(await auditOf(subgraph, 'tenant-a', 'apply-meeting-defaults')).toMatchObject([
      {
        outcome: 'success',
        meeting_id: meeting.id,
        detail: { options: ['recordAutomatically', 'lobbyBypassScope', 'allowedPresenters'], willRetry: false },
      },
    ]);
    await subgraph.runJobs({ early: true });
    expect(await sent()).toHaveLength(1);
    const lines = subgraph.logs.filter(({ msg }) => msg === '[TeamsMeetings] operation=apply-meeting-defaults');
    expect(lines).toContainEqual(
      expect.objectContaining({ tenantId: 'tenant-a', meetingId: meeting.id, outcome: 'success' }),
    );
    expect(JSON.stringify(lines)).not.toContain('meetup-join');
  });

  it('of a tenant that set no defaults is left alone: no call, no job, nothing stored', async () => {
    await forgetDefaults();
    await succeed(subgraph, admin, UPDATE, { sendMeetingInvites: true, meetingDefaults: { lobbyBypass: null } });
    const { id } = await create();
    expect(await jobs()).toEqual([]);
    await subgraph.runJobs();
    expect(await sent()).toEqual([]);
    expect(await subgraph.database.query('SELECT defaults_wanted FROM online_meetings WHERE id = $1', [id])).toEqual([
      { defaults_wanted: null },
    ]);
  });

  it.each([
    [{ recordAutomatically: true }, { recordAutomatically: true }],
    [{ lobbyBypass: 'ORGANIZER' }, { lobbyBypassSettings: { scope: 'organizer' } }],
    [{ lobbyBypass: 'INVITED' }, { lobbyBypassSettings: { scope: 'invited' } }],
    [{ lobbyBypass: 'EVERYONE' }, { lobbyBypassSettings: { scope: 'everyone' } }],
    [{ allowedPresenters: 'ORGANIZATION' }, { allowedPresenters: 'organization' }],
    [{ allowedPresenters: 'ORGANIZER' }, { allowedPresenters: 'organizer' }],
    [{ recordAutomatically: false }, { recordAutomatically: false }],
    [{ lobbyBypass: 'ORGANIZATION' }, { lobbyBypassSettings: { scope: 'organization' } }],
    [{ allowedPresenters: 'EVERYONE' }, { allowedPresenters: 'everyone' }],
  ])('gets by %j what was set and nothing else, whatever Microsoft does by itself', async (defaults, body) => {
    await forgetDefaults();
    await setDefaults(defaults);
    await succeed(subgraph, admin, UPDATE, { sendMeetingInvites: true });
    await create();
    await subgraph.runJobs();
    expect(await sent()).toEqual([body]);
  });

  it('gets what an earlier release stored, which did not note what was set', async () => {
    await subgraph.database.query("UPDATE teams_integrations SET meeting_defaults_chosen = '{}'");
    await create();
    await subgraph.runJobs();
    expect(await sent()).toEqual([OURS_AT_GRAPH]);
  });

  it('gets the options of the moment when it was made, whatever is set before the job runs', async () => {
    await create();
    await setDefaults(MICROSOFTS);
    await subgraph.runJobs();
    expect(await sent()).toEqual([OURS_AT_GRAPH]);
  });

  it('that is moved keeps its options as they are', async () => {
    const meeting = await create();
    await subgraph.runJobs();
    await setDefaults({ ...OURS, lobbyBypass: 'EVERYONE' });
    const times = { startsAt: '2036-12-02T10:00:00Z', endsAt: '2036-12-02T11:00:00Z' };
    await succeed(subgraph, admin, RESCHEDULE, { meetingId: meeting.id, ...times });
    await subgraph.runJobs();
    expect(await sent()).toEqual([OURS_AT_GRAPH]);
  });
});

describe('no options get', () => {
  it('meetings of before', async () => {
    await forgetDefaults();
    await create();
    await setDefaults(OURS);
    await subgraph.runJobs({ early: true });
    expect(await sent()).toEqual([]);
  });

  it('a meeting that is cancelled before they are set', async () => {
    const meeting = await create();
    await succeed(subgraph, admin, CANCEL, { meetingId: meeting.id });
    expect(await jobs()).toEqual([]);
    await subgraph.runJobs({ early: true });
    expect(await sent()).toEqual([]);
    expect(await read(meeting)).toMatchObject({ status: 'CANCELLED', defaultsFailure: null });
  });

  it('a meeting that is over', async () => {
    const soon = { startsAt: new Date(Date.now() + 60_000), endsAt: new Date(Date.now() + 3_600_000) };
    await create(soon);
    subgraph.advanceClock(7_200_000);
    await subgraph.runJobs();
    subgraph.advanceClock(-7_200_000);
    expect(await sent()).toEqual([]);
  });
});

describe('what passes is tried again, and the meeting stands meanwhile', () => {
  it.each([
    [503, 'GRAPH_UNAVAILABLE'],
    [500, 'GRAPH_UNAVAILABLE'],
    [404, 'NOT_FOUND'],
  ])('when Graph answers %i', async (status, code) => {
    await subgraph.simulator.addFault({ match: PATCH, status, times: ALWAYS });
    const meeting = await create();
    await subgraph.runJobs();
    const failed = await read(meeting);
    expect(failed).toMatchObject({ status: 'SCHEDULED', joinUrl: meeting.joinUrl, failure: null });
    expect(failed.defaultsFailure).toMatchObject({ code, willRetryAt: expect.stringMatching(/Z$/) });
    await subgraph.simulator.clearFaults();
    await subgraph.simulator.clearRequests();
    await subgraph.runJobs({ early: true });
    expect(await sent()).toEqual([OURS_AT_GRAPH]);
    expect((await read(meeting)).defaultsFailure).toBeNull();
  });

  it('when Graph asks for patience, not before that', async () => {
    await subgraph.simulator.addFault({ match: PATCH, status: 429, headers: { 'retry-after': '600' }, times: ALWAYS });
    const meeting = await create();
    await subgraph.runJobs();
    const { defaultsFailure } = await read(meeting);
    expect(defaultsFailure?.code).toBe('GRAPH_THROTTLED');
    expect(Date.parse(defaultsFailure?.willRetryAt ?? '')).toBeGreaterThan(Date.now() + 590_000);
  });

  it('when the answer is lost after Microsoft has done it', async () => {
    await subgraph.simulator.addFault({ match: PATCH, cut: 'after', times: ALWAYS });
    const meeting = await create();
    await subgraph.runJobs();
    expect((await read(meeting)).defaultsFailure?.code).toBe('GRAPH_UNAVAILABLE');
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    expect((await read(meeting)).defaultsFailure).toBeNull();
  });

  it.each([
    ['an empty list', { status: 200, body: { value: [] } }],
    ['a 404', { status: 404, body: { error: { code: 'NotFound', message: '' } } }],
  ])('when Teams does not know the link yet and answers with %s', async (_name, answer) => {
    await subgraph.simulator.addFault({ match: BY_LINK, ...answer, times: ALWAYS });
    const meeting = await create();
    await subgraph.runJobs();
    expect(await sent()).toEqual([]);
    expect((await read(meeting)).defaultsFailure).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/join link yet/),
      willRetryAt: expect.any(String),
    });
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    expect(await sent()).toEqual([OURS_AT_GRAPH]);
  });

  it('for a day, and no longer', async () => {
    await subgraph.simulator.addFault({ match: PATCH, status: 503, times: ALWAYS });
    const meeting = await create();
    await subgraph.runJobs();
    subgraph.advanceClock(25 * 3_600_000);
    await subgraph.runJobs({ early: true });
    subgraph.advanceClock(-25 * 3_600_000);
    expect((await read(meeting)).defaultsFailure).toMatchObject({ code: 'GRAPH_UNAVAILABLE', willRetryAt: null });
    expect(await jobs()).toEqual([]);
  });
});

describe('what a person has to mend is given up with its reason', () => {
  it('a missing Teams policy; once it is granted and verified, the options are set', async () => {
    await updateOrganizer({ teamsPolicyAppIds: [] });
    const meeting = await create();
    await subgraph.runJobs();
    expect(await read(meeting)).toMatchObject({
      status: 'SCHEDULED',
      failure: null,
      defaultsFailure: {
        code: 'POLICY_MISSING',
        remedy: expect.stringMatching(/Grant-CsApplicationAccessPolicy/),
        willRetryAt: null,
      },
    });
    expect(await jobs()).toEqual([]);
    await mendMicrosoft(subgraph);
    await subgraph.simulator.clearRequests();
    await subgraph.send(admin, VERIFY);
    await subgraph.runJobs();
    expect(await sent()).toEqual([OURS_AT_GRAPH]);
    expect((await read(meeting)).defaultsFailure).toBeNull();
  });

  it('a policy that vanishes within an hour of a verification is one that has not arrived everywhere', async () => {
    await subgraph.send(admin, VERIFY);
    await subgraph.simulator.addFault({
      match: PATCH,
      status: 403,
      body: { error: { code: 'Forbidden', message: 'No application access policy found for this app.' } },
      times: ALWAYS,
    });
    const meeting = await create();
    await subgraph.runJobs();
    expect((await read(meeting)).defaultsFailure).toMatchObject({
      code: 'POLICY_MISSING',
      willRetryAt: expect.any(String),
    });
    await subgraph.database.query('DELETE FROM organizer_verifications');
  });

  it('a missing permission', async () => {
    const roles = [...ROLES.filter((role) => role !== 'OnlineMeetings.ReadWrite.All'), 'OnlineMeetings.Read.All'];
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { roles });
    await forgetTokens(subgraph);
    const meeting = await create();
    await subgraph.runJobs();
    expect((await read(meeting)).defaultsFailure).toMatchObject({ code: 'PERMISSION_MISSING', willRetryAt: null });
  });

  it('options that Microsoft refuses, named in the reason', async () => {
    const body = { error: { code: 'BadRequest', message: 'Recording is not allowed.' } };
    await subgraph.simulator.addFault({ match: PATCH, status: 400, body, times: ALWAYS });
    const meeting = await create();
    await subgraph.runJobs();
    expect(await read(meeting)).toMatchObject({
      status: 'SCHEDULED',
      defaultsFailure: {
        code: 'INVALID_INPUT',
        message: expect.stringMatching(/recordAutomatically, lobbyBypassScope, allowedPresenters/),
        remedy: expect.stringMatching(/meeting policy/),
        graphRequestId: expect.stringMatching(/\S/),
        willRetryAt: null,
      },
    });
    expect(await sent()).toHaveLength(1);
  });

  it('a tenant that is paused; once it is active again, the options are set', async () => {
    const meeting = await create();
    await succeed(subgraph, admin, UPDATE, { installStatus: 'INSTALL_PENDING' });
    await subgraph.runJobs();
    expect((await read(meeting)).defaultsFailure).toMatchObject({ code: 'NOT_ACTIVE', willRetryAt: null });
    expect(await sent()).toEqual([]);
    await succeed(subgraph, admin, UPDATE, { installStatus: 'ACTIVE' });
    await subgraph.runJobs();
    expect(await sent()).toEqual([OURS_AT_GRAPH]);
  });
});

it('a client user is not told what hinders the options', async () => {
  await subgraph.simulator.addFault({ match: PATCH, status: 503, times: ALWAYS });
  const meeting = await create();
  await subgraph.runJobs();
  const client = await subgraph.tokens.token('client', { tenant_id: 'tenant-a', client_id: 'client-acme' });
  expect(await read(meeting, client)).toMatchObject({ status: 'SCHEDULED', defaultsFailure: null });
  const technician = await subgraph.tokens.token('technician', { tenant_id: 'tenant-a' });
  expect((await read(meeting, technician)).defaultsFailure?.code).toBe('GRAPH_UNAVAILABLE');
});
