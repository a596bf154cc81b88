import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import {
  activate,
  CREATE,
  type CreatedMeeting,
  meetingInput,
  mutate,
  type UserErrorAnswer,
} from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, forgetTokens, mendMicrosoft, WITHOUT_WAITS } from './support.ts';

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
/** The call that makes an event, as the simulator matches it. */
export const EVENTS = { method: 'POST', path: '/events$' };

export let subgraph: TestSubgraph;
export let appointmentId: string;
export let admin: string;
let appointments = 0;

/** Asks for a meeting of the test's own appointment. */
export const create = (over: object = {}) =>
  mutate<CreateAnswer>(subgraph, admin, CREATE, meetingInput({ appointmentId, ...over }));

let eventsBefore: Set<string>;

/** The events in the calendar that belong to the test at hand; the earlier ones are counted out. */
export async function newEvents() {
  return (await subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer)).filter(
    ({ immutableId }) => !eventsBefore.has(immutableId),
  );
}

/** What is stored for the test's appointment. */
export const rows = () =>
  subgraph.database.query<{ id: string; status: string; graph_online_meeting_id: string | null }>(
    'SELECT * FROM online_meetings WHERE appointment_id = $1',
    [appointmentId],
  );

/** The meeting as a later read shows it. */
export async function read(id: string) {
  const { data, errors } = await subgraph.send<{
    teamsMeeting: { status: string; joinUrl: string | null; subject: string; failure: Failure | null };
  }>(admin, READ, { id });
  expect(errors).toEqual([]);
  return data?.teamsMeeting;
}

/** Asks for a meeting that Microsoft does not make: `FAILED` needs a person, `PROVISIONING` is tried again. */
export async function createFailing(
  status: 'FAILED' | 'PROVISIONING' = 'FAILED',
): Promise<{ meeting: CreatedMeeting; userErrors: UserErrorAnswer[] }> {
  const { meeting, userErrors } = await create();
  if (meeting === null) throw new Error(JSON.stringify(userErrors));
  expect(meeting.status).toBe(status);
  if (status === 'PROVISIONING') expect(userErrors).toEqual([]);
  return { meeting, userErrors };
}

/** Everything that must hold once a meeting was made, however long the way was. */
export async function expectOneMeeting(
  meeting: CreatedMeeting | null,
  wish: { subject: string } = { subject: 'Quarterly review' },
): Promise<void> {
  const events = await newEvents();
  expect(events).toMatchObject([{ subject: wish.subject, isOnlineMeeting: true }]);
  expect(await rows()).toMatchObject([{ id: meeting?.id, status: 'SCHEDULED' }]);
  expect(await read(meeting?.id ?? '')).toEqual({
    status: 'SCHEDULED',
    joinUrl: events[0]?.joinUrl,
    subject: wish.subject,
    failure: null,
  });
}

/** Changes the organizer in Microsoft's directory, when called. */
export const breakUser = (change: Parameters<TestSubgraph['simulator']['updateUser']>[2]) => () =>
  subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, change);

/** Starts a subgraph for the file, and gives each test an appointment and a good Microsoft of its own. */
export function useCreating(): void {
  beforeAll(async () => {
    subgraph = await startTestSubgraph({ graph: { ...WITHOUT_WAITS, perTryTimeoutMs: 2_500 } });
    admin = await activate(subgraph);
  });
  beforeEach(async () => {
    appointments += 1;
    appointmentId = `appt-failing-${appointments}`;
    eventsBefore = new Set(
      (await subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer)).map(({ immutableId }) => immutableId),
    );
    await subgraph.simulator.clearRequests();
  });
  afterEach(async () => {
    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
  });
  afterAll(() => subgraph.close());
}
