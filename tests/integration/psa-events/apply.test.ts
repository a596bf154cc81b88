import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UserError } from '../../../src/services/failures.ts';
import type { MeetingOperations, MeetingResult } from '../../../src/services/meetings/operations.ts';
import { makeApplyPsaEvent } from '../../../src/services/psa-events/apply-psa-event.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { type MeetingRow, storeMeeting } from '../access/rows.ts';
import { CANCELLED, newSecret, type OperationCall, RESCHEDULED, send, storedEvents, withData } from './support.ts';

const SECRET = newSecret();

/** What the operations were asked for, in order, and what they answer with. */
const calls: OperationCall[] = [];
let answer: () => Promise<MeetingResult>;
const accept = async (...userErrors: UserError[]): Promise<MeetingResult> => ({ meeting: null, userErrors });

const operations: Pick<MeetingOperations, 'reschedule' | 'cancel'> = {
  reschedule(scope, input) {
    const { tenantId, id } = scope.viewer;
    calls.push({ operation: 'reschedule', tenantId, viewer: id, ...input });
    return answer();
  },
  cancel(scope, input) {
    const { tenantId, id } = scope.viewer;
    calls.push({ operation: 'cancel', tenantId, viewer: id, ...input });
    return answer();
  },
};

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await startTestSubgraph({
    psaWebhookSecrets: [SECRET],
    replace: (tools) => ({ applyPsaEvent: makeApplyPsaEvent({ operations }, tools) }),
  });
});
afterAll(() => subgraph.close());
beforeEach(async () => {
  for (const table of ['psa_events', 'online_meetings', 'audit_events', 'graphile_worker._private_jobs'])
    await subgraph.database.query(`DELETE FROM ${table}`);
  calls.length = 0;
  subgraph.logs.length = 0;
  answer = () => accept();
});

async function receive(...events: unknown[]): Promise<void> {
  for (const event of events) expect((await send(subgraph, SECRET, event)).body.status).toBe('stored');
}

/** Each event's outcome, in the order in which they came. */
async function outcomes(): Promise<(string | null)[]> {
  return (await storedEvents(subgraph)).map(({ outcome }) => outcome);
}

async function meeting(over: MeetingRow = {}, tenantId = 'tenant-a'): Promise<string> {
  return (await storeMeeting(subgraph, tenantId, { appointmentId: 'appt-1', ...over })).id;
}

const later = (event: { data: object }, data: object = {}) =>
  withData(event, data, { timestamp: '2026-11-03T09:00:00.001Z' });

function audits(): Promise<object[]> {
  return subgraph.database.query('SELECT actor, operation, meeting_id, outcome, detail FROM audit_events');
}

describe('an event of the PSA', () => {
  it('moves the meeting of its appointment, and gives it another subject where it has one', async () => {
    const meetingId = await meeting();
    await receive(withData(RESCHEDULED, { subject: 'Budget' }));
    await subgraph.runJobs();
    const [startsAt, endsAt] = [new Date(RESCHEDULED.data.startsAt), new Date(RESCHEDULED.data.endsAt)];
    const call = { operation: 'reschedule', tenantId: 'tenant-a', viewer: 'psa', meetingId, startsAt, endsAt };
    expect(calls).toEqual([{ ...call, subject: 'Budget' }]);
    await receive(later(RESCHEDULED, { subject: '' }));
    await subgraph.runJobs();
    expect(calls.slice(1)).toEqual([call]);
    expect(await outcomes()).toEqual(['applied', 'applied']);
  });

  it.each(['appointment.cancelled', 'appointment.deleted'])(
    '%s cancels the meeting of its appointment',
    async (type) => {
      const meetingId = await meeting();
      await receive(withData(CANCELLED, { comment: 'Ill' }, { type }));
      await subgraph.runJobs();
      expect(calls).toEqual([{ operation: 'cancel', tenantId: 'tenant-a', viewer: 'psa', meetingId, comment: 'Ill' }]);
    },
  );

  it('finds the meeting of an interaction, not that of an appointment with the same id', async () => {
    await meeting({ appointmentId: 'same' });
    const meetingId = await meeting({ appointmentId: null, interactionId: 'same' });
    const data = { tenantId: 'tenant-a', interactionId: 'same' };
    await receive({ ...RESCHEDULED, type: 'interaction.updated', data: { ...RESCHEDULED.data, ...data } });
    await subgraph.runJobs();
    await receive({ type: 'interaction.deleted', timestamp: '2026-11-03T10:00:00Z', data });
    await subgraph.runJobs();
    expect(calls.map((call) => [call.operation, call.meetingId])).toEqual([
      ['reschedule', meetingId],
      ['cancel', meetingId],
    ]);
  });

  it('finds nothing in another tenant', async () => {
    await meeting({}, 'tenant-b');
    await receive(CANCELLED, RESCHEDULED);
    await subgraph.runJobs();
    expect(calls).toEqual([]);
    expect(await outcomes()).toEqual(['no-meeting', 'no-meeting']);
  });

  it.each(['CANCELLED', 'CANCELLING'] as const)('leaves a meeting that is %s', async (status) => {
    await meeting({ status });
    await receive(RESCHEDULED, CANCELLED);
    await subgraph.runJobs();
    expect(calls).toEqual([]);
    expect(await outcomes()).toEqual(['no-meeting', 'no-meeting']);
  });

  it.each(['PROVISIONING', 'FAILED'] as const)('reaches a meeting that is %s', async (status) => {
    const meetingId = await meeting({ status });
    await receive(CANCELLED);
    await subgraph.runJobs();
    expect(calls).toMatchObject([{ operation: 'cancel', meetingId }]);
  });

  it('never cancels a meeting that is over: its recordings hang on it', async () => {
    const meetingId = await meeting({ startsAt: '2026-01-01T10:00:00Z' });
    await receive(CANCELLED);
    await subgraph.runJobs();
    expect(calls).toEqual([]);
    expect(await outcomes()).toEqual(['meeting-over']);
    expect(await audits()).toMatchObject([{ meeting_id: meetingId, outcome: 'meeting-over' }]);
  });
});

describe('the order of events', () => {
  it('is that in which things happened: what comes too late is superseded', async () => {
    await meeting();
    await receive(later(RESCHEDULED, { startsAt: '2036-12-02T10:30:00Z' }));
    await subgraph.runJobs();
    await receive(RESCHEDULED, CANCELLED);
    await subgraph.runJobs();
    expect(calls).toMatchObject([{ operation: 'reschedule', startsAt: new Date('2036-12-02T10:30:00Z') }]);
    expect(await outcomes()).toEqual(['applied', 'superseded', 'superseded']);
  });

  it('counts for one appointment at a time', async () => {
    await meeting();
    await meeting({ appointmentId: 'appt-2' });
    await meeting({ appointmentId: null, interactionId: 'appt-1' });
    await receive(later(CANCELLED, { appointmentId: 'appt-2' }));
    await receive({
      ...CANCELLED,
      type: 'interaction.deleted',
      data: { tenantId: 'tenant-a', interactionId: 'appt-1' },
    });
    await receive(later(CANCELLED, { tenantId: 'tenant-b' }));
    await subgraph.runJobs();
    await receive(RESCHEDULED);
    await subgraph.runJobs();
    expect(calls.map(({ operation }) => operation).sort()).toEqual(['cancel', 'cancel', 'reschedule']);
  });

  it('lets events of the same instant be applied as they come', async () => {
    await meeting();
    await receive(RESCHEDULED);
    await subgraph.runJobs();
    await receive(withData(RESCHEDULED, { startsAt: '2036-12-02T10:15:00Z' }));
    await subgraph.runJobs();
    expect(await outcomes()).toEqual(['applied', 'applied']);
  });

  it('is kept by workers that run at once: one appointment’s events wait for each other', async () => {
    await meeting();
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    answer = async () => {
      begun.resolve();
      await goOn.promise;
      return accept();
    };
    await receive(RESCHEDULED);
    const first = subgraph.runJobs();
    await begun.promise;
    await receive(later(CANCELLED));
    await subgraph.runJobs();
    // The second worker found nothing that it might do.
    expect(calls.map(({ operation }) => operation)).toEqual(['reschedule']);
    goOn.resolve();
    await first;
    await subgraph.runJobs();
    expect(calls.map(({ operation }) => operation)).toEqual(['reschedule', 'cancel']);
    expect(await outcomes()).toEqual(['applied', 'applied']);
  });
});

describe('applying an event', () => {
  it('leaves a line in the audit trail and in the log', async () => {
    const meetingId = await meeting();
    await receive(withData(CANCELLED, { comment: 'confidential' }));
    await subgraph.runJobs();
    const [event] = await storedEvents(subgraph);
    expect(event?.applied_at).toBeInstanceOf(Date);
    expect(await audits()).toEqual([
      {
        actor: 'service:psa',
        operation: 'psa-event',
        meeting_id: meetingId,
        outcome: 'applied',
        detail: { eventId: event?.id, type: 'appointment.cancelled', subjectId: 'appt-1' },
      },
    ]);
    expect(subgraph.logs).toContainEqual(
      expect.objectContaining({
        level: 30,
        msg: '[TeamsMeetings] operation=psa-event applied',
        tenantId: 'tenant-a',
        meetingId,
        eventId: event?.id,
        outcome: 'applied',
        durationMs: expect.any(Number),
      }),
    );
    expect(JSON.stringify(subgraph.logs)).not.toContain('confidential');
  });

  it('keeps why the operation refused, and warns', async () => {
    const meetingId = await meeting();
    const refusal = (code: UserError['code']) => ({ code, message: 'No.' });
    answer = () => accept(refusal('NOT_ACTIVE'), refusal('INVALID_INPUT'));
    await receive(RESCHEDULED);
    await subgraph.runJobs();
    expect(await outcomes()).toEqual(['NOT_ACTIVE']);
    expect(await audits()).toMatchObject([{ meeting_id: meetingId, outcome: 'NOT_ACTIVE' }]);
    expect(subgraph.logs).toContainEqual(expect.objectContaining({ level: 40, outcome: 'NOT_ACTIVE', meetingId }));
  });

  it('is tried again when the operation broke, and nothing is noted until it held', async () => {
    await meeting();
    answer = () => Promise.reject(new Error('The database does not answer'));
    await receive(CANCELLED);
    await subgraph.runJobs();
    expect(await outcomes()).toEqual([null]);
    expect(await audits()).toEqual([]);
    answer = () => accept();
    await subgraph.runJobs({ early: true });
    expect(await outcomes()).toEqual(['applied']);
    expect(calls).toHaveLength(2);
  });

  it('that broke is superseded by what was applied meanwhile', async () => {
    await meeting();
    answer = () => Promise.reject(new Error('The database does not answer'));
    await receive(RESCHEDULED);
    await subgraph.runJobs();
    answer = () => accept();
    await receive(later(CANCELLED));
    await subgraph.runJobs();
    await subgraph.runJobs({ early: true });
    expect(calls.map(({ operation }) => operation)).toEqual(['reschedule', 'cancel']);
    expect(await outcomes()).toEqual(['superseded', 'applied']);
  });

  it('happens once, however often its job runs', async () => {
    await meeting();
    await receive(CANCELLED);
    await subgraph.runJobs();
    const [before] = await storedEvents(subgraph);
    const scope = { viewer: { tenantId: 'tenant-a' }, db: subgraph.db.forTenant('tenant-a') };
    await subgraph.services.applyPsaEvent?.(scope as never, before?.id ?? '');
    await subgraph.services.applyPsaEvent?.(scope as never, 'unknown');
    expect(await storedEvents(subgraph)).toEqual([before]);
    expect(calls).toHaveLength(1);
    expect(await audits()).toHaveLength(1);
  });

  it('is noted once where two runs of its job overlap', async () => {
    await meeting();
    await receive(CANCELLED);
    const [event] = await storedEvents(subgraph);
    const bothBegun = Promise.withResolvers<void>();
    answer = async () => {
      if (calls.length === 2) bothBegun.resolve();
      await bothBegun.promise;
      return accept();
    };
    const scope = { viewer: { tenantId: 'tenant-a' }, db: subgraph.db.forTenant('tenant-a') };
    await Promise.all([1, 2].map(() => subgraph.services.applyPsaEvent?.(scope as never, event?.id ?? '')));
    expect(await outcomes()).toEqual(['applied']);
    expect(await audits()).toHaveLength(1);
  });
});
