import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeRetryBlockedMeetings } from '../../../src/services/meetings/retry-blocked.ts';
import {
  activate,
  CREATE,
  type CreatedMeeting,
  createMeeting,
  meetingInput,
  mutate,
  succeed,
  UPDATE_SETTINGS,
} from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, ALWAYS, auditOf, mendMicrosoft, WITHOUT_WAITS } from './support.ts';

const AT_ONCE = 2;
/** More than two rounds. */
const MEETINGS = [1, 2, 3, 4, 5];
const MAKES_EVENT = { method: 'POST', path: '/events$' };

let subgraph: TestSubgraph;
let admin: string;

/** Any change of the settings takes up again what waits for a person. */
const changeSettings = () => succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: true });

/** How often each meeting is in the audit trail with the operation, and the outcome if one is given. */
async function timesTried(operation: string, outcome: string): Promise<number[]> {
  const times = new Map<string | null, number>();
  for (const row of await auditOf(subgraph, 'tenant-a', operation))
    if (row.outcome === outcome) times.set(row.meeting_id, (times.get(row.meeting_id) ?? 0) + 1);
  return [...times.values()];
}

const jobs = () =>
  subgraph.database.query("SELECT id FROM graphile_worker.jobs WHERE task_identifier = 'retry_blocked_meetings'");

beforeAll(async () => {
  subgraph = await startTestSubgraph({
    graph: WITHOUT_WAITS,
    replace: (tools) => ({ retryBlockedMeetings: makeRetryBlockedMeetings(tools, AT_ONCE) }),
  });
  admin = await activate(subgraph);
  // The next round comes when the meetings of the one before were tried, as with workers that are busy.
  await subgraph.database.query(`
    CREATE FUNCTION comes_last() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.task_id = (SELECT id FROM graphile_worker._private_tasks WHERE identifier = 'retry_blocked_meetings')
      THEN NEW.priority := 10; END IF;
      RETURN NEW;
    END $$`);
  await subgraph.database.query(
    'CREATE TRIGGER comes_last BEFORE INSERT ON graphile_worker._private_jobs FOR EACH ROW EXECUTE FUNCTION comes_last()',
  );
});
afterEach(async () => {
  await mendMicrosoft(subgraph);
  await subgraph.database.query('DELETE FROM online_meetings');
  await subgraph.database.query('TRUNCATE audit_events');
});
afterAll(() => subgraph.close());

describe('of more meetings than are taken up at once', () => {
  it('each whose options are still hindered is tried once, and then it is over', async () => {
    await succeed(subgraph, admin, UPDATE_SETTINGS, { meetingDefaults: { recordAutomatically: true } });
    await subgraph.runJobs();
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizerId, { teamsPolicyAppIds: [] });
    for (const index of MEETINGS) await createMeeting(subgraph, admin, { appointmentId: `options-${index}` });
    await subgraph.runJobs();
    expect(await timesTried('apply-meeting-defaults', 'POLICY_MISSING')).toEqual(MEETINGS.map(() => 1));

    await changeSettings();
    await subgraph.runJobs();
    expect(await timesTried('apply-meeting-defaults', 'POLICY_MISSING')).toEqual(MEETINGS.map(() => 2));
    expect(await jobs()).toEqual([]);

    await mendMicrosoft(subgraph);
    await changeSettings();
    await subgraph.runJobs();
    expect(await timesTried('apply-meeting-defaults', 'success')).toEqual(MEETINGS.map(() => 1));
  });

  it('each that still fails is tried once, and then it is over', async () => {
    const denied = { status: 403, body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied.' } } };
    await subgraph.simulator.addFault({ match: MAKES_EVENT, ...denied, times: ALWAYS });
    for (const index of MEETINGS) {
      const { meeting } = await mutate<{ meeting: CreatedMeeting | null }>(
        subgraph,
        admin,
        CREATE,
        meetingInput({ appointmentId: `failing-${index}` }),
      );
      expect(meeting?.status).toBe('FAILED');
    }
    const failed = async () => {
      const rows = await auditOf(subgraph, 'tenant-a', 'create');
      return rows.filter(({ outcome }) => outcome !== 'accepted' && outcome !== 'success').length;
    };
    expect(await failed()).toBe(MEETINGS.length);

    await changeSettings();
    await subgraph.runJobs({ early: true });
    await subgraph.runJobs({ early: true });
    expect(await failed()).toBe(2 * MEETINGS.length);
    expect(await jobs()).toEqual([]);

    await mendMicrosoft(subgraph);
    await changeSettings();
    await subgraph.runJobs({ early: true });
    await subgraph.runJobs({ early: true });
    expect(await timesTried('create', 'success')).toEqual(MEETINGS.map(() => 1));
  });

  it('a change that comes between two rounds is not lost, whichever ends first', async () => {
    await succeed(subgraph, admin, UPDATE_SETTINGS, { meetingDefaults: { recordAutomatically: true } });
    await subgraph.runJobs();
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizerId, { teamsPolicyAppIds: [] });
    for (const index of MEETINGS) await createMeeting(subgraph, admin, { appointmentId: `between-${index}` });
    await subgraph.runJobs();

    const viewer = { tenantId: 'tenant-a', id: 'test', kind: 'msp' as const, permissions: new Set<never>() };
    expect(await timesTried('apply-meeting-defaults', 'POLICY_MISSING')).toEqual(MEETINGS.map(() => 1));
    await mendMicrosoft(subgraph);
    await changeSettings();
    await subgraph.services.retryBlockedMeetings({ viewer, db: subgraph.db.forTenant('tenant-a') });
    expect(await jobs()).toHaveLength(2);
    await subgraph.runJobs();
    expect(await timesTried('apply-meeting-defaults', 'success')).toEqual(MEETINGS.map(() => 1));
    expect(await jobs()).toEqual([]);
  });
});
