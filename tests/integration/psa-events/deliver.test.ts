import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Meeting } from '../../../src/services/meetings/meeting.ts';
import type { MeetingChange } from '../../../src/services/meetings/meeting-listener.ts';
import { makeDeliverEvents } from '../../../src/services/psa-events/deliver-events.ts';
import { makeOutboxListener, recordOutgoingEvent } from '../../../src/services/psa-events/outbox.ts';
import { makePostEvent, type PostEvent } from '../../../src/services/psa-events/post-event.ts';
import type { ServiceTools } from '../../../src/services/scope.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { type MeetingRow, storeMeeting } from '../access/rows.ts';
import { type Answer, type Receiver, startReceiver } from './receiver.ts';
import { newSecret } from './support.ts';

const SECRET = newSecret();
const DAY = 24 * 3_600_000;

let receiver: Receiver;
let subgraph: TestSubgraph;
let tools: ServiceTools;
beforeAll(async () => {
  receiver = await startReceiver(SECRET);
  subgraph = await startTestSubgraph({
    psaEvents: { url: receiver.url, secret: SECRET },
    replace: (used) => {
      tools = used;
      return {};
    },
  });
});
afterAll(async () => {
  await subgraph.close();
  await receiver.close();
});
beforeEach(async () => {
  for (const table of ['outgoing_events', 'online_meetings', 'graphile_worker._private_jobs'])
    await subgraph.database.query(`DELETE FROM ${table}`);
  receiver.arrivals.length = 0;
  receiver.answers.length = 0;
  subgraph.logs.length = 0;
});

async function meeting(over: MeetingRow = {}, tenantId = 'tenant-a'): Promise<Meeting> {
  const { id } = await storeMeeting(subgraph, tenantId, { appointmentId: uuidv7(), ...over });
  return subgraph.db.forTenant(tenantId).run((prisma) => prisma.onlineMeeting.findFirstOrThrow({ where: { id } }));
}

/** Tells of a change as an operation does, in its transaction. */
function tell(kind: MeetingChange['kind'], changed: Meeting, isConfigured = true): Promise<void> {
  const { tenantId } = changed;
  const db = subgraph.db.forTenant(tenantId);
  const listen = makeOutboxListener(tools, isConfigured);
  return db.transaction((prisma) =>
    listen(prisma, { db, viewer: backgroundViewer(tenantId) }, { kind, meeting: changed }),
  );
}

/** Does the job of a meeting's events by another sender than the subgraph's. */
function deliverBy(post: PostEvent | undefined, { id, tenantId }: Meeting): Promise<void> {
  const scope = { db: subgraph.db.forTenant(tenantId), viewer: backgroundViewer(tenantId) };
  return makeDeliverEvents({ post }, tools)(scope, id);
}

interface Row {
  id: string;
  type: string;
  attempts: number;
  delivered_at: Date | null;
  last_error: string | null;
}

function rows(): Promise<Row[]> {
  return subgraph.database.query<Row>('SELECT * FROM outgoing_events ORDER BY created_at');
}

/** In how many seconds the waiting jobs are due. */
async function waits(): Promise<number[]> {
  const jobs = await subgraph.database.query<{ seconds: number }>(
    'SELECT extract(epoch FROM run_at - now())::float8 AS seconds FROM graphile_worker.jobs ORDER BY run_at',
  );
  return jobs.map(({ seconds }) => seconds);
}

const arrivedTypes = () => receiver.arrivals.map(({ event }) => event.type.replace('teams_meeting.', ''));

describe('a change of a meeting', () => {
  it('is told in the frame of Standard Webhooks, signed, with what the meeting is now', async () => {
    const changed = await meeting({ appointmentId: 'appt-1' });
    await tell('scheduled', changed);
    expect(receiver.arrivals).toEqual([]);
    await subgraph.runJobs();
    const [row] = await rows();
    expect(row).toMatchObject({ attempts: 1, last_error: null, delivered_at: expect.any(Date) });
    expect(receiver.arrivals).toEqual([
      {
        id: row?.id,
        contentType: 'application/json',
        isSigned: true,
        event: {
          type: 'teams_meeting.scheduled',
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          data: {
            tenantId: 'tenant-a',
            meetingId: changed.id,
            appointmentId: 'appt-1',
            interactionId: null,
            status: 'SCHEDULED',
            joinUrl: changed.joinUrl,
          },
        },
      },
    ]);
    expect(await waits()).toEqual([]);
  });

  it.each<[MeetingRow, object]>([
    [{ status: 'CANCELLED' }, { status: 'CANCELLED', joinUrl: null }],
    [{ status: 'CANCELLING' }, { status: 'CANCELLING', joinUrl: null }],
    [{ startsAt: '2026-01-01T10:00:00Z' }, { status: 'ENDED', joinUrl: expect.stringContaining('https://teams') }],
    [
      { status: 'FAILED', joinUrl: null },
      { status: 'FAILED', joinUrl: null },
    ],
    [
      { appointmentId: null, interactionId: 'i-1' },
      { appointmentId: null, interactionId: 'i-1' },
    ],
  ])('of %j is told as %j', async (over, data) => {
    await tell('updated', await meeting(over));
    await subgraph.runJobs();
    expect(receiver.arrivals[0]?.event.data).toMatchObject(data);
  });

  it('may be one that no operation makes', async () => {
    const captured = await meeting();
    await subgraph.db
      .forTenant('tenant-a')
      .transaction((prisma) =>
        recordOutgoingEvent(prisma, tools, { type: 'teams_meeting.artifacts_ready', meeting: captured }),
      );
    await subgraph.runJobs();
    expect(arrivedTypes()).toEqual(['artifacts_ready']);
  });

  it('is not told when it did not happen', async () => {
    const changed = await meeting();
    const db = subgraph.db.forTenant('tenant-a');
    const failing = db.transaction(async (prisma) => {
      const scope = { db, viewer: backgroundViewer('tenant-a') };
      await makeOutboxListener(tools, true)(prisma, scope, { kind: 'updated', meeting: changed });
      throw new Error('taken back');
    });
    await expect(failing).rejects.toThrow('taken back');
    expect(await rows()).toEqual([]);
    expect(await waits()).toEqual([]);
  });

  it('is not even written when there is nobody to tell', async () => {
    await tell('scheduled', await meeting(), false);
    expect(await rows()).toEqual([]);
    expect(await waits()).toEqual([]);
  });

  it('is told by no line of the log beyond ids and outcomes', async () => {
    receiver.answers.push(400);
    const changed = await meeting();
    await tell('scheduled', changed);
    await subgraph.runJobs();
    await subgraph.runJobs({ early: true });
    const logs = JSON.stringify(subgraph.logs);
    expect(logs).toContain('[TeamsMeetings] operation=deliver-event');
    for (const secret of [SECRET, changed.joinUrl ?? '?', 'confidential', receiver.url])
      expect(logs).not.toContain(secret);
  });
});

describe('the order of a meeting’s events', () => {
  it('is that in which they were written, also when one fails in between', async () => {
    const changed = await meeting();
    for (const kind of ['scheduled', 'updated', 'failed', 'cancelled'] as const) await tell(kind, changed);
    receiver.answers.push(204, 500);
    await subgraph.runJobs();
    expect(arrivedTypes()).toEqual(['scheduled', 'updated']);
    receiver.answers.push(503);
    await subgraph.runJobs({ early: true });
    expect(arrivedTypes()).toEqual(['scheduled', 'updated', 'updated']);
    await subgraph.runJobs({ early: true });
    expect(arrivedTypes()).toEqual(['scheduled', 'updated', 'updated', 'updated', 'failed', 'cancelled']);
    expect((await rows()).map(({ attempts }) => attempts)).toEqual([1, 3, 1, 1]);
  });

  it('holds where the clocks of machines differ', async () => {
    const changed = await meeting();
    await tell('scheduled', changed);
    subgraph.advanceClock(-60_000);
    await tell('updated', changed);
    await tell('cancelled', changed);
    subgraph.advanceClock(60_000);
    await subgraph.runJobs();
    expect(arrivedTypes()).toEqual(['scheduled', 'updated', 'cancelled']);
  });

  it('keeps no other meeting waiting, nor another tenant’s', async () => {
    const [stuck, other, foreign] = [await meeting(), await meeting(), await meeting({}, 'tenant-b')];
    await tell('scheduled', stuck);
    receiver.answers.push(500);
    await subgraph.runJobs();
    for (const each of [stuck, other, foreign]) await tell('updated', each);
    await subgraph.runJobs();
    expect(receiver.arrivals.map(({ event }) => event.data.meetingId).sort()).toEqual(
      [stuck.id, other.id, foreign.id].sort(),
    );
    await subgraph.runJobs({ early: true });
    expect(receiver.arrivals.slice(3).map(({ event }) => [event.data.meetingId, event.type])).toEqual([
      [stuck.id, 'teams_meeting.scheduled'],
      [stuck.id, 'teams_meeting.updated'],
    ]);
  });

  it('is kept by workers that run at once', async () => {
    const changed = await meeting();
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    receiver.answers.push((response) => {
      arrived.resolve();
      void goOn.promise.then(() => response.writeHead(200).end());
    });
    await tell('scheduled', changed);
    const first = subgraph.runJobs();
    await arrived.promise;
    await tell('updated', changed);
    await subgraph.runJobs();
    expect(arrivedTypes()).toEqual(['scheduled']);
    goOn.resolve();
    await first;
    await subgraph.runJobs();
    expect(arrivedTypes()).toEqual(['scheduled', 'updated']);
    expect((await rows()).map(({ attempts }) => attempts)).toEqual([1, 1]);
  });
});

describe('a delivery that fails', () => {
  it.each<[string, Answer, string, number]>([
    ['with 500', 500, 'HTTP 500', 30],
    ['with 429', 429, 'HTTP 429', 30],
    ['with 400, which a person should see', 400, 'HTTP 400', 40],
    ['with 410, which a person should see', 410, 'HTTP 410', 40],
    ['by a connection that breaks', (response) => response.destroy(), 'UND_ERR_SOCKET', 30],
  ])('%s is tried again under the same id', async (_case, answer, error, level) => {
    const changed = await meeting();
    await tell('scheduled', changed);
    receiver.answers.push(answer);
    await subgraph.runJobs();
    expect(await rows()).toMatchObject([{ attempts: 1, delivered_at: null, last_error: error }]);
    expect(subgraph.logs).toContainEqual(
      expect.objectContaining({ level, outcome: error, attempts: 1, meetingId: changed.id, tenantId: 'tenant-a' }),
    );
    await subgraph.runJobs({ early: true });
    expect(await rows()).toMatchObject([{ attempts: 2, delivered_at: expect.any(Date), last_error: null }]);
    const [first, second] = receiver.arrivals;
    expect(second).toEqual(first);
    expect(second?.isSigned).toBe(true);
  });

  it('because nobody listens is tried again', async () => {
    const gone = await startReceiver(SECRET);
    await gone.close();
    const changed = await meeting();
    await tell('scheduled', changed);
    await deliverBy(makePostEvent({ url: gone.url, secret: SECRET }), changed);
    expect(await rows()).toMatchObject([{ attempts: 1, last_error: 'ECONNREFUSED' }]);
    await subgraph.runJobs({ early: true });
    expect(arrivedTypes()).toEqual(['scheduled']);
  });

  it('because no answer comes in time is tried again under the same id', async () => {
    const changed = await meeting();
    await tell('scheduled', changed);
    receiver.answers.push(() => undefined);
    const wasReached = receiver.nextArrival();
    await Promise.all([
      deliverBy(makePostEvent({ url: receiver.url, secret: SECRET, timeoutMs: 1_000 }), changed),
      wasReached,
    ]);
    expect(await rows()).toMatchObject([{ attempts: 1, delivered_at: null, last_error: 'TimeoutError' }]);
    await subgraph.runJobs({ early: true });
    expect(receiver.arrivals[1]).toEqual(receiver.arrivals[0]);
    expect(await rows()).toMatchObject([{ attempts: 2, delivered_at: expect.any(Date) }]);
  });

  it('follows no redirect', async () => {
    await tell('scheduled', await meeting());
    receiver.answers.push({ status: 307, headers: { location: receiver.url } });
    await subgraph.runJobs();
    expect(receiver.arrivals).toHaveLength(1);
    expect(await rows()).toMatchObject([{ delivered_at: null, last_error: 'HTTP 307' }]);
  });

  it('does not read an answer that does not end', async () => {
    await tell('scheduled', await meeting());
    receiver.answers.push((response) => void response.writeHead(200).write('x'));
    await subgraph.runJobs();
    expect(await rows()).toMatchObject([{ attempts: 1, delivered_at: expect.any(Date) }]);
  });

  it('waits longer each time', async () => {
    await tell('scheduled', await meeting());
    const longest = [5, 10, 20, 40];
    receiver.answers.push(...longest.map(() => 500));
    for (const seconds of longest) {
      await subgraph.runJobs({ early: true });
      const [wait = 0] = await waits();
      expect(wait).toBeGreaterThan(seconds * 0.75 - 1);
      expect(wait).toBeLessThanOrEqual(seconds);
    }
  });

  it('waits as long as the receiver asks, also when there is more to tell', async () => {
    const changed = await meeting();
    await tell('scheduled', changed);
    receiver.answers.push({ status: 503, headers: { 'retry-after': '600' } });
    await subgraph.runJobs();
    await tell('updated', changed);
    await subgraph.runJobs();
    expect(receiver.arrivals).toHaveLength(1);
    const [wait = 0, ...others] = await waits();
    expect(wait).toBeGreaterThan(590);
    expect(others).toEqual([]);
  });

  it('for three days is given up, kept and told of; what comes after it goes on', async () => {
    const changed = await meeting();
    await tell('scheduled', changed);
    await tell('updated', changed);
    await subgraph.database.query(`UPDATE outgoing_events SET created_at = created_at - interval '3 days'`);
    receiver.answers.push(500);
    await subgraph.runJobs();
    expect(await rows()).toMatchObject([
      { attempts: 1, delivered_at: null, last_error: 'gave up: HTTP 500' },
      { attempts: 1, delivered_at: expect.any(Date) },
    ]);
    expect(subgraph.logs).toContainEqual(
      expect.objectContaining({
        level: 50,
        outcome: 'HTTP 500',
        type: 'teams_meeting.scheduled',
        meetingId: changed.id,
      }),
    );
    await tell('cancelled', changed);
    await subgraph.runJobs({ early: true });
    expect(arrivedTypes()).toEqual(['scheduled', 'updated', 'cancelled']);
  });

  it('until shortly before is tried again', async () => {
    await tell('scheduled', await meeting());
    await subgraph.database.query('UPDATE outgoing_events SET created_at = $1', [
      new Date(Date.now() - 3 * DAY + 60_000),
    ]);
    receiver.answers.push(500);
    await subgraph.runJobs();
    expect(await rows()).toMatchObject([{ attempts: 1, last_error: 'HTTP 500' }]);
    expect(await waits()).toHaveLength(1);
  });
});

describe('many events of one meeting', () => {
  it('are left to another job before this one takes too long', async () => {
    const changed = await meeting();
    for (const kind of ['scheduled', 'updated', 'cancelled'] as const) await tell(kind, changed);
    receiver.answers.push((response) => {
      subgraph.advanceClock(31_000);
      response.writeHead(200).end();
    });
    const began = subgraph.logs.length;
    await subgraph.runJobs();
    subgraph.advanceClock(-31_000);
    expect(arrivedTypes()).toEqual(['scheduled', 'updated', 'cancelled']);
    const runs = subgraph.logs.slice(began).filter(({ msg }) => /^Completed task .*deliver_events/.test(String(msg)));
    expect(runs).toHaveLength(2);
  });
});

describe('without a receiver', () => {
  it('events that were written earlier wait', async () => {
    const changed = await meeting();
    await tell('scheduled', changed);
    await deliverBy(undefined, changed);
    expect(await rows()).toMatchObject([{ attempts: 0, delivered_at: null }]);
  });
});
