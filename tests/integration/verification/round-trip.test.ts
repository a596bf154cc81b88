import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Scope } from '../../../src/services/scope.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { ALWAYS } from '../../support/broken-tenants/broken-tenant.ts';
import { MICROSOFT } from '../../support/setup.ts';
import { checkOf, mend, named, subgraph, useVerification, verified } from './support.ts';

const { directoryId, organizer, organizerId } = MICROSOFT['tenant-a'];
const HOUR_MS = 3_600_000;
const HOMES = [`GLOBAL/${directoryId}`];

useVerification();
beforeEach(() => subgraph.database.query('DELETE FROM graphile_worker._private_jobs'));
afterEach(mend);

const calendar = () => subgraph.simulator.listEvents(directoryId, organizer);
const scopeOf = (): Scope => ({ viewer: backgroundViewer('tenant-a'), db: subgraph.db.forTenant('tenant-a') });
const graphOf = async () => {
  const graph = await subgraph.services.microsoftApp.graphFor(scopeOf());
  if (graph === null) throw new Error('no app');
  return graph;
};

const removals = () =>
  subgraph.database.query<{ payload: { eventMarker: string; isLastLook: boolean } }>(
    `SELECT p.payload FROM graphile_worker.jobs j JOIN graphile_worker._private_jobs p ON p.id = j.id
      WHERE j.task_identifier = 'remove_verification_event'`,
  );

/** An event as a verification makes it, that many milliseconds from now. */
async function makeEvent(startsInMs: number, eventMarker = randomUUID()): Promise<string> {
  const startsAt = new Date(Date.now() + startsInMs);
  const graph = await graphOf();
  const { id } = await graph.events.create(organizerId, {
    subject: 'Teams meetings verification (removed at once)',
    startsAt,
    endsAt: new Date(startsAt.getTime() + 900_000),
    bodyHtml: '',
    attendees: [],
    transactionId: eventMarker,
    markers: { tenantId: 'tenant-a', meetingId: eventMarker, subject: 'verification' },
  });
  return id;
}

describe('the event of a verification', () => {
  it('leaves nothing behind that is still to be done when all went well', async () => {
    expect((await verified()).outcome).toBe('VERIFIED');
    expect(await calendar()).toEqual([]);
    expect(await removals()).toEqual([]);
  });

  it('leaves nothing to be done when Microsoft refused to make it', async () => {
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/events' }, status: 403, times: ALWAYS });
    expect(named(await verified(), 'FAIL')).toEqual(['meeting']);
    expect(await removals()).toEqual([]);
  });

  it('is found and removed by its marker when no answer told of it', async () => {
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/events' }, cut: 'after', times: ALWAYS });
    const verification = await verified();
    expect(named(verification, 'FAIL')).toEqual(['meeting']);
    expect(await calendar()).toHaveLength(1);
    expect(await removals()).toHaveLength(1);
    await mend();
    await subgraph.runJobs({ early: true });
    expect(await calendar()).toEqual([]);
    expect(await removals()).toEqual([]);
  });

  it('is worth a warning when it could be made and not removed, and goes by itself', async () => {
    await subgraph.simulator.addFault({ match: { method: 'DELETE', path: '/events/' }, status: 503, times: ALWAYS });
    const verification = await verified();
    expect(verification.outcome).toBe('VERIFIED');
    expect(checkOf(verification, 'meeting')).toMatchObject({
      status: 'WARN',
      remedy: expect.stringMatching(/removed by itself/),
    });
    expect(await calendar()).toHaveLength(1);
    await mend();
    await subgraph.runJobs({ early: true });
    expect(await calendar()).toEqual([]);
  });

  it('is tried again by its job while Microsoft refuses', async () => {
    await subgraph.simulator.addFault({ match: { path: '/events' }, status: 503, times: ALWAYS });
    const what = { homes: HOMES, organizerId, eventMarker: randomUUID(), isLastLook: false };
    await expect(subgraph.services.removeVerificationEvent(scopeOf(), what)).rejects.toMatchObject({
      kind: 'UNAVAILABLE',
    });
  });

  it('is looked for once more, should it arrive late; and then no more', async () => {
    const eventMarker = randomUUID();
    await subgraph.services.removeVerificationEvent(scopeOf(), {
      homes: HOMES,
      organizerId,
      eventMarker,
      isLastLook: false,
    });
    expect(await removals()).toMatchObject([{ payload: { eventMarker, isLastLook: true } }]);
    await makeEvent(24 * HOUR_MS, eventMarker);
    await subgraph.runJobs({ early: true });
    expect(await calendar()).toEqual([]);
    expect(await removals()).toEqual([]);
    await subgraph.services.removeVerificationEvent(scopeOf(), {
      homes: HOMES,
      organizerId,
      eventMarker,
      isLastLook: true,
    });
    expect(await removals()).toEqual([]);
  });

  it('is not looked for in a directory that does not have the organizer any more', async () => {
    await subgraph.simulator.deleteUser(directoryId, organizer);
    const what = { homes: HOMES, organizerId, eventMarker: randomUUID(), isLastLook: false };
    await subgraph.services.removeVerificationEvent(scopeOf(), what);
    expect(await removals()).toEqual([]);
  });
});

describe('the job that removes it ends, with a line in the log,', () => {
  const remove = (homes = HOMES) =>
    subgraph.services.removeVerificationEvent(scopeOf(), {
      homes,
      organizerId,
      eventMarker: randomUUID(),
      isLastLook: false,
    });
  const lines = () => subgraph.logs.filter(({ msg }) => String(msg).includes('operation=remove-verification-event'));
  beforeEach(() => {
    subgraph.logs.length = 0;
  });

  it.each<[string, () => Promise<unknown>]>([
    ['EXCHANGE_SCOPE_DENIED', () => subgraph.simulator.updateUser(directoryId, organizer, { exchangeScopeAppIds: [] })],
    [
      'ROLE_MISSING',
      async () => {
        await subgraph.simulator.updateApp(directoryId, MICROSOFT['tenant-a'].clientId, { roles: ['User.Read.All'] });
        await subgraph.services.microsoftApp.refreshTokens(scopeOf());
      },
    ],
    ['FORBIDDEN', () => subgraph.simulator.addFault({ match: { path: '/events' }, status: 403, times: ALWAYS })],
    ['MAILBOX_UNAVAILABLE', () => subgraph.simulator.updateUser(directoryId, organizer, { hasMailbox: false })],
  ])('where the calendar is closed to it: %s', async (kind, close) => {
    await close();
    await remove();
    expect(lines()).toMatchObject([{ kind, outcome: expect.any(String), graphRequestId: expect.any(String) }]);
    expect(await removals()).toEqual([]);
  });

  it.each([
    ['directory', 'GLOBAL/22222222-2222-4222-8222-222222222222'],
    ['cloud', `CHINA/${directoryId}`],
  ])('where the app of another %s is connected, to which nothing is sent', async (_what, home) => {
    await subgraph.simulator.clearRequests();
    await remove([home]);
    expect(await subgraph.simulator.requests({ path: '/users/' })).toEqual([]);
    expect(lines()).toMatchObject([{ outcome: 'left in another home' }]);
    expect(await removals()).toEqual([]);
  });
});

describe('the sweep of the calendar', () => {
  it('takes the event of a running verification for no meeting, and leaves it', async () => {
    const id = await makeEvent(24 * HOUR_MS);
    subgraph.logs.length = 0;
    await subgraph.services.sweepTenant(scopeOf());
    expect((await calendar()).map(({ immutableId }) => immutableId)).toEqual([id]);
    expect(subgraph.logs.filter(({ msg }) => String(msg).includes('operation=reconcile'))).toEqual([]);
    expect(await subgraph.database.query('SELECT 1 FROM online_meetings')).toEqual([]);
    await (await graphOf()).events.delete(organizerId, id);
  });

  it('removes one that was left behind and has no job any more', async () => {
    await makeEvent(22 * HOUR_MS);
    await subgraph.services.sweepTenant(scopeOf());
    expect(await calendar()).toEqual([]);
  });
});
