import { describe, expect, it } from 'vitest';
import { CREATE, meetingInput, mutate } from '../../support/setup.ts';
import { ALWAYS } from '../domain/support.ts';
import {
  admin,
  appointmentId,
  CANCEL,
  type ChangeAnswer,
  change,
  eventsOf,
  inCalendar,
  LATER,
  made,
  RESCHEDULE,
  seen,
  sent,
  subgraph,
  useChanging,
} from './changing.ts';

useChanging({ answerWithinMs: 300, graph: { perTryTimeoutMs: 60_000, totalTimeoutMs: 120_000 } });

const HANGS = { match: { path: '/events' }, delayMs: 600_000, times: ALWAYS };
const create = () => mutate<ChangeAnswer>(subgraph, admin, CREATE, meetingInput({ appointmentId }));

describe('while Microsoft hangs', () => {
  it('a create is answered in time as PROVISIONING, and goes on without its caller', async () => {
    await subgraph.simulator.addFault(HANGS);
    const { meeting, userErrors } = await create();
    expect(userErrors).toEqual([]);
    expect(meeting).toMatchObject({ status: 'PROVISIONING', joinUrl: null });
    subgraph.advanceClock(9_000);
    expect((await seen(meeting?.id ?? '')).failure).toMatchObject({
      code: 'GRAPH_UNAVAILABLE',
      message: 'Microsoft has not answered yet.',
      willRetryAt: expect.any(String),
    });
    await subgraph.simulator.clearFaults();
    await subgraph.services.idle();
    expect(await seen(meeting?.id ?? '')).toMatchObject({ status: 'SCHEDULED', failure: null });
    expect(await eventsOf(meeting?.id ?? '')).toHaveLength(1);
  });

  it('a cancellation is CANCELLING, and nothing that was moot is sent afterwards', async () => {
    const meeting = await made();
    await subgraph.simulator.addFault(HANGS);
    await change(RESCHEDULE, meeting.id, LATER);
    expect(await change(CANCEL, meeting.id)).toMatchObject({
      meeting: { status: 'CANCELLING', joinUrl: null },
      userErrors: [],
    });
    await subgraph.simulator.clearFaults();
    await subgraph.services.idle();
    expect(await seen(meeting.id)).toMatchObject({ status: 'CANCELLED' });
    expect((await sent()).filter((call) => call !== 'GET')).toEqual(['POST cancel']);
  });
});

describe('a process that died while it had a meeting', () => {
  const lease = (id: string, until: string) =>
    subgraph.database.query(
      `UPDATE online_meetings SET version = version + 1, starts_at = '${LATER.startsAt}', ends_at = '${LATER.endsAt}',
         lease_token = gen_random_uuid(), leased_until = now() + interval '${until}', next_attempt_at = now() WHERE id = $1`,
      [id],
    );

  it('keeps others away while its lease lasts', async () => {
    const meeting = await made();
    await lease(meeting.id, '1 minute');
    const { meeting: waiting } = await change(RESCHEDULE, meeting.id, { ...LATER, subject: 'Wanted meanwhile' });
    expect(waiting).toMatchObject({ subject: 'Wanted meanwhile', ...LATER });
    expect(await sent()).toEqual([]);
    await subgraph.database.query(
      "UPDATE online_meetings SET leased_until = now() - interval '1 second' WHERE id = $1",
      [meeting.id],
    );
    await subgraph.runJobs({ early: true });
    expect(await inCalendar(meeting.id)).toMatchObject({
      subject: 'Wanted meanwhile',
      ...LATER,
      joinUrl: meeting.joinUrl,
    });
  });

  it('is followed by the job that was planned with the lease', async () => {
    const meeting = await made();
    await subgraph.simulator.addFault(HANGS);
    const answer = change(RESCHEDULE, meeting.id, LATER);
    await expect.poll(sent).not.toEqual([]);
    const [job] = await subgraph.database.query<{ wait: number }>(
      `SELECT extract(epoch FROM run_at - now())::float8 AS wait FROM graphile_worker._private_jobs WHERE key = $1`,
      [`sync_meeting:tenant-a:${meeting.id}`],
    );
    expect(job?.wait).toBeGreaterThan(40);
    expect(job?.wait).toBeLessThan(47);
    await answer;
    await subgraph.simulator.clearFaults();
    await subgraph.services.idle();
    // Nothing is left to do: the job is gone with the work.
    expect(
      await subgraph.database.query('SELECT FROM graphile_worker._private_jobs WHERE key = $1', [
        `sync_meeting:tenant-a:${meeting.id}`,
      ]),
    ).toEqual([]);
  });
});
