import { describe, expect, it } from 'vitest';
import { ACME, ALWAYS, forgetTokens, TOKEN_ENDPOINT } from '../integration/domain/support.ts';
import {
  advanceClock,
  ask,
  calendar,
  cancel,
  HOUR_MS,
  inDays,
  instant,
  read,
  reschedule,
  rowOf,
  schedule,
  subgraph,
  sweep,
  useLifecycle,
} from '../integration/lifecycle/support.ts';

useLifecycle();

/** What was wished for while Microsoft was away: a new meeting, a move, a cancellation. */
async function wishes() {
  const [moved, cancelled] = [await schedule(), await schedule()];
  await sweep();
  const times = inDays(9);
  return {
    async make() {
      const made = (await ask()).meeting;
      expect(made).toMatchObject({ status: 'PROVISIONING' });
      expect(await reschedule(moved.id, times)).toMatchObject({ userErrors: [] });
      expect(await cancel(cancelled.id)).toMatchObject({
        userErrors: [],
        meeting: { status: 'CANCELLING', joinUrl: null },
      });
      return [made?.id ?? '', moved.id, cancelled.id] as const;
    },
    async expectDone([made, , gone]: readonly [string, string, string]) {
      expect(await read(made)).toMatchObject({ status: 'SCHEDULED', failure: null });
      const after = await read(moved.id);
      expect(after).toMatchObject({ status: 'SCHEDULED', joinUrl: moved.joinUrl, failure: null });
      expect(instant(after.startsAt)).toBe(instant(times.startsAt));
      expect(await read(gone)).toMatchObject({ status: 'CANCELLED' });
      const events = await calendar();
      expect(events).toHaveLength(2);
      expect(events.map(({ startsAt }) => instant(startsAt))).toContain(instant(times.startsAt));
    },
  };
}

async function letPass(milliseconds: number, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    advanceClock(milliseconds / rounds);
    await subgraph.runJobs({ early: true });
  }
}

describe('Microsoft is away:', () => {
  it('Entra for an hour, and everything that was wished for meanwhile is done by itself', async () => {
    const wished = await wishes();
    await subgraph.simulator.addFault({ match: { path: TOKEN_ENDPOINT }, status: 503, times: ALWAYS });
    await forgetTokens(subgraph);
    const ids = await wished.make();
    await letPass(HOUR_MS, 3);
    expect(await read(ids[0])).toMatchObject({ status: 'PROVISIONING', failure: { code: 'GRAPH_UNAVAILABLE' } });
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    await wished.expectDone(ids);
  }, 120_000);

  it('Graph for more than a day, and what was given up is taken up by itself when it is back', async () => {
    const wished = await wishes();
    await subgraph.simulator.addFault({ match: { path: '/v1.0/' }, status: 503, times: ALWAYS });
    const ids = await wished.make();
    await letPass(26 * HOUR_MS, 4);
    // Given up: nothing is planned any more, and the wish is still there.
    for (const id of ids) {
      const row = await rowOf(id);
      expect(row.next_attempt_at).toBeNull();
      expect(row.version).toBeGreaterThan(row.synced_version);
    }
    await subgraph.simulator.clearFaults();
    await sweep();
    await subgraph.runJobs();
    await subgraph.runJobs({ early: true });
    await wished.expectDone(ids);
  }, 120_000);

  it('but what fails for a day while Microsoft answers stays given up until a person acts', async () => {
    await schedule();
    await sweep();
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/events$' }, status: 503, times: ALWAYS });
    const id = (await ask()).meeting?.id ?? '';
    await letPass(24 * HOUR_MS - 600_000, 1);
    await letPass(HOUR_MS / 2, 1);
    expect(await read(id)).toMatchObject({ status: 'FAILED', failure: { willRetryAt: null } });
    await sweep();
    await subgraph.runJobs();
    expect(await read(id)).toMatchObject({ status: 'FAILED' });
  });
});

describe('the clock jumps by an hour', () => {
  it.each([
    ['forward', HOUR_MS],
    ['back', -HOUR_MS],
  ])('%s, and what waits is done, once', async (_, jump) => {
    const wished = await wishes();
    await subgraph.simulator.addFault({ match: { path: '/v1.0/users/' }, status: 503, times: ALWAYS });
    const ids = await wished.make();
    advanceClock(jump);
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    await wished.expectDone(ids);
    await sweep();
    await wished.expectDone(ids);
  });

  it('back while a process that had the meeting is dead: another one takes over when the lease has run out', async () => {
    const { id, joinUrl } = await schedule();
    await subgraph.database.query(
      "UPDATE online_meetings SET lease_token = gen_random_uuid(), leased_until = now() + interval '1 hour', subject = 'Wished', version = version + 1, next_attempt_at = now() WHERE id = $1",
      [id],
    );
    await subgraph.services.syncMeeting(
      {
        viewer: { tenantId: 'tenant-a', id: 't', kind: 'service', permissions: new Set() },
        db: subgraph.db.forTenant('tenant-a'),
      },
      id,
    );
    expect((await calendar())[0]?.subject).not.toBe('Wished');
    advanceClock(HOUR_MS + 1_000);
    await subgraph.runJobs({ early: true });
    expect(await read(id)).toMatchObject({ status: 'SCHEDULED', subject: 'Wished', joinUrl });
    expect(await subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer)).toMatchObject([
      { subject: 'Wished' },
    ]);
  });
});
