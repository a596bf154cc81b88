import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inDays } from '../../support/alga-database.ts';
import { MICROSOFT } from '../../support/setup.ts';
import { connect } from './administrator.ts';
import { ACME, alga, integration, runImport, stored, tenant, useAdoption } from './support.ts';

useAdoption();

const [FIRST, LAST] = ['00000000-0000-4000-8000-000000000001', 'ffffffff-0000-4000-8000-000000000002'];
const active = async () => (await stored()).filter(({ status }) => !status.startsWith('CANCEL')).map(({ id }) => id);
const cancel = (id: string) =>
  alga.query("UPDATE online_meetings SET status = 'cancelled' WHERE meeting_id = $1", [id]);

describe('a meeting that was taken', () => {
  it.each([
    ['of a later id', FIRST, LAST],
    ['of an earlier id', LAST, FIRST],
  ])('goes on being followed when the source makes another one %s for its appointment', async (_which, id, otherId) => {
    const entry = { schedule_entry_id: randomUUID() };
    await alga.meeting(tenant, { ...entry, meeting_id: id, created_at: inDays(-2) });
    await runImport();
    const other = await alga.meeting(tenant, { ...entry, meeting_id: otherId });
    await alga.query("UPDATE online_meetings SET subject = 'Moved' WHERE meeting_id = $1", [id]);

    const dry = await runImport({ batchSize: 1, isDryRun: true });
    const { codes, findings, meetings } = await runImport({ batchSize: 1 });
    expect(codes).toEqual([['DUPLICATE', other]]);
    expect(findings[0]?.detail).toMatchObject({ liveMeetingId: id });
    expect(meetings).toMatchObject({ read: 2, changed: 1, notTaken: 1 });
    expect({ codes: dry.codes, meetings: dry.meetings }).toEqual({ codes, meetings });
    expect(await stored()).toMatchObject([{ id, subject: 'Moved', status: 'SCHEDULED' }]);
  });

  it('stays the one of its event, too, when the source makes another one', async () => {
    const event = { provider_event_id: 'the-same' };
    const id = await alga.meeting(tenant, { ...event, created_at: inDays(-2) });
    await runImport();
    const other = await alga.meeting(tenant, event);
    expect((await runImport()).codes).toEqual([['DUPLICATE', other]]);
    expect(await active()).toEqual([id]);
  });

  it('and has ended since stays the one of its appointment: the same run again tells the same', async () => {
    const entry = { schedule_entry_id: randomUUID() };
    const today = { start_time: inDays(-1), end_time: inDays(0.1) };
    const id = await alga.meeting(tenant, { ...entry, ...today, meeting_id: LAST });
    const other = await alga.meeting(tenant, { ...entry, meeting_id: FIRST, created_at: inDays(-2) });
    expect((await runImport()).codes).toEqual([['DUPLICATE', other]]);

    const again = await runImport({}, () => inDays(1));
    expect(again.codes).toEqual([['DUPLICATE', other]]);
    expect(again.meetings).toMatchObject({ unchanged: 1, notTaken: 1 });
    expect(await active()).toEqual([id]);
  });
});

describe('a meeting that was cancelled and booked again in the source', () => {
  it.each([
    ['in one batch', 100, FIRST, LAST],
    ['in one batch, the new one first', 100, LAST, FIRST],
    ['in several batches', 1, FIRST, LAST],
    ['in several batches, the new one first', 1, LAST, FIRST],
  ])('is replaced by the new one in one run, %s', async (_how, batchSize, id, againId) => {
    const same = { schedule_entry_id: randomUUID(), provider_event_id: 'the-same' };
    await alga.meeting(tenant, { ...same, meeting_id: id });
    await runImport();
    await cancel(id);
    const again = await alga.meeting(tenant, { ...same, meeting_id: againId });

    const dry = await runImport({ batchSize, isDryRun: true });
    expect(await active()).toEqual([id]);
    const run = await runImport({ batchSize });
    expect(run.codes).toEqual([]);
    expect(run.meetings).toEqual({ read: 2, taken: 1, changed: 1, unchanged: 0, notTaken: 0 });
    expect(dry).toEqual(run);
    const rows = (await stored()).map((row) => [row.id, row.status]);
    expect(new Map(rows as [string, string][])).toEqual(
      new Map([
        [id, 'CANCELLED'],
        [again, 'SCHEDULED'],
      ]),
    );
  });

  it('and whose cancellation the source had not finished makes way all the same', async () => {
    const entry = { schedule_entry_id: randomUUID() };
    const id = await alga.meeting(tenant, { ...entry, meeting_id: LAST });
    await runImport();
    await alga.query("UPDATE online_meetings SET status = 'cancel_pending'");
    const again = await alga.meeting(tenant, { ...entry, meeting_id: FIRST });
    expect((await runImport({ batchSize: 1 })).codes).toEqual([['CANCELLATION_PENDING', id]]);
    expect(await active()).toEqual([again]);
  });
});

describe('the app that made the meetings', () => {
  it.each([
    ['names none any more', 'UPDATE teams_integrations SET selected_profile_id = NULL'],
    ['names any directory', "UPDATE microsoft_profiles SET tenant_id = 'common'"],
  ])('stays known when the source %s', async (_what, sql) => {
    await integration();
    await alga.meeting(tenant);
    await runImport();
    await alga.query(sql);
    await runImport();
    await connect(MICROSOFT['tenant-b']);
    expect(await stored()).toMatchObject([{ left_in: `GLOBAL/${ACME.directoryId}` }]);
  });
});
