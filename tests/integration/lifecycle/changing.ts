import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { EventSummary } from '../../../simulator/control.ts';
import { activate, CREATE, meetingInput, mutate, succeed, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph, type TestSubgraphOptions } from '../../support/subgraph.ts';
import { ACME, forgetTokens, mendMicrosoft, WITHOUT_WAITS } from '../domain/support.ts';

const MEETING =
  'meeting { id status subject startsAt endsAt joinUrl cancelReason attendees { emailAddress name kind response respondedAt } organizer { userPrincipalName } failure { code message remedy willRetryAt } }';
const ERRORS = 'userErrors { code message path remedy }';

export const RESCHEDULE = `mutation ($input: RescheduleTeamsMeetingInput!) { rescheduleTeamsMeeting(input: $input) { ${MEETING} ${ERRORS} } }`;
export const ATTENDEES = `mutation ($input: UpdateTeamsMeetingAttendeesInput!) { updateTeamsMeetingAttendees(input: $input) { ${MEETING} ${ERRORS} } }`;
export const CANCEL = `mutation ($input: CancelTeamsMeetingInput!) { cancelTeamsMeeting(input: $input) { ${MEETING} ${ERRORS} } }`;
export const RETRY = `mutation ($input: RetryTeamsMeetingInput!) { retryTeamsMeeting(input: $input) { ${MEETING} ${ERRORS} } }`;

export interface SeenMeeting {
  id: string;
  status: string;
  subject: string;
  startsAt: string;
  endsAt: string;
  joinUrl: string | null;
  cancelReason: string | null;
  attendees: {
    emailAddress: string;
    name: string | null;
    kind: string;
    response: string;
    respondedAt: string | null;
  }[];
  organizer: { userPrincipalName: string };
  failure: { code: string; message: string; remedy: string | null; willRetryAt: string | null } | null;
}

export interface ChangeAnswer {
  meeting: SeenMeeting | null;
  userErrors: UserErrorAnswer[];
}

export const LATER = { startsAt: '2036-12-05T14:00:00.000Z', endsAt: '2036-12-05T15:00:00.000Z' };

export let subgraph: TestSubgraph;
export let admin: string;
export let appointmentId: string;
let appointments = 0;

/** Sends a change to a meeting as the technician does. */
export const change = (operation: string, meetingId: string, over: object = {}) =>
  mutate<ChangeAnswer>(subgraph, admin, operation, { meetingId, ...over });

/** Creates a meeting of the test's own appointment that Microsoft makes at once. */
export async function made(over: object = {}): Promise<SeenMeeting & { joinUrl: string }> {
  const { meeting } = await succeed<ChangeAnswer>(subgraph, admin, CREATE, meetingInput({ appointmentId, ...over }));
  // A busy machine may take longer than its caller waits.
  await subgraph.services.idle();
  const { joinUrl, ...rest } = await seen(meeting?.id ?? '');
  if (joinUrl === null) throw new Error('Microsoft made no meeting');
  await subgraph.simulator.clearRequests();
  return { ...rest, joinUrl };
}

/** The meeting as a later read shows it. */
export async function seen(id: string): Promise<SeenMeeting> {
  const { data, errors } = await subgraph.send<{ teamsMeeting: SeenMeeting }>(
    admin,
    `query ($id: ID!) { teamsMeeting(id: $id) { ${MEETING.replace(/^meeting \{|\}$/g, '')} } }`,
    { id },
  );
  expect(errors).toEqual([]);
  if (data === null) throw new Error(`there is no meeting ${id}`);
  return data.teamsMeeting;
}

/** The events in the organizer's calendar that carry the meeting's marker. */
export async function eventsOf(id: string, organizer: string = ACME.organizer): Promise<EventSummary[]> {
  const events = await subgraph.simulator.listEvents(ACME.directoryId, organizer);
  return events.filter(({ extendedProperties }) => extendedProperties.MeetingId === id);
}

/** The only event of the meeting, in the form in which meetings are answered. */
export async function inCalendar(id: string) {
  const [event, ...more] = await eventsOf(id);
  expect(more).toEqual([]);
  if (event === undefined) return null;
  const { subject, startsAt, endsAt, joinUrl, attendees } = event;
  return {
    subject,
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    joinUrl,
    attendees: attendees.map(({ address }) => address),
  };
}

/** The methods of what was sent to the calendar since the meeting was made, in order. */
export async function sent(): Promise<string[]> {
  return (await subgraph.simulator.requests({ path: '/events' })).map(
    ({ method, path }) => `${method}${path.endsWith('/cancel') ? ' cancel' : ''}`,
  );
}

/** Starts a subgraph for the file, and gives each test an appointment and a good Microsoft of its own. */
export function useChanging(options: TestSubgraphOptions = {}): void {
  beforeAll(async () => {
    subgraph = await startTestSubgraph({ graph: { ...WITHOUT_WAITS, perTryTimeoutMs: 2_500 }, ...options });
    admin = await activate(subgraph);
  });
  beforeEach(async () => {
    appointments += 1;
    appointmentId = `appt-changing-${appointments}`;
    await subgraph.simulator.clearRequests();
  });
  afterEach(async () => {
    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
  });
  afterAll(() => subgraph.close());
}
