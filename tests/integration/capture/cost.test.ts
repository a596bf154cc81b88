import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { storeMeeting } from '../access/rows.ts';
import { ACME } from '../domain/support.ts';
import { capture, HOUR_MS, roundTrips, scopeOf, setRoles, subgraph, useCapture } from './support.ts';

useCapture();

const MEETINGS = 1_000;

/** Stores meetings that took place an hour ago and are in the organizer's calendar, their ids at Teams known or not. */
async function storeMany({ areResolved }: { areResolved: boolean }): Promise<void> {
  const graph = await subgraph.services.microsoftApp.graphFor(scopeOf());
  if (graph === null) throw new Error('no app is connected');
  const startsAt = new Date(Date.now() - 2 * HOUR_MS);
  const endsAt = new Date(Date.now() - HOUR_MS);
  const numbers = Array.from({ length: MEETINGS }, (_, i) => i);
  const joinUrls: string[] = [];
  for (let at = 0; at < MEETINGS; at += 4) {
    const made = await Promise.all(
      numbers.slice(at, at + 4).map((i) =>
        graph.events.create(ACME.organizer, {
          subject: `Meeting ${i}`,
          startsAt,
          endsAt,
          bodyHtml: '',
          attendees: [],
          transactionId: randomUUID(),
        }),
      ),
    );
    joinUrls.push(...made.flatMap(({ joinUrl }) => joinUrl ?? []));
  }
  const meetings = await subgraph.simulator.listMeetings(ACME.directoryId, ACME.organizer);
  const idOf = new Map(meetings.map(({ id, joinWebUrl }) => [joinWebUrl, id]));
  for (const joinUrl of joinUrls) {
    await storeMeeting(subgraph, 'tenant-a', {
      startsAt,
      endsAt,
      appointmentId: joinUrl,
      joinUrl,
      graphOnlineMeetingId: areResolved ? (idOf.get(joinUrl) ?? null) : null,
      organizerObjectId: ACME.organizerId,
    });
  }
}

async function lookedAt(): Promise<number> {
  const [row] = await subgraph.database.query<{ count: string }>(
    'SELECT count(*) FROM online_meetings WHERE capture_attempts = 1',
  );
  return Number(row?.count);
}

beforeEach(() => setRoles({ without: 'OnlineMeetingArtifact.Read.All' }));

describe(`${MEETINGS} meetings that are over`, () => {
  it('are looked at in at most 120 round trips', async () => {
    await storeMany({ areResolved: true });
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await lookedAt()).toBe(MEETINGS);
    expect(await roundTrips()).toBeLessThanOrEqual(120);
  }, 120_000);

  it('cost 50 more once where the app may read attendance', async () => {
    await setRoles({ with: 'OnlineMeetingArtifact.Read.All' });
    await storeMany({ areResolved: true });
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await roundTrips()).toBeLessThanOrEqual(170);
    await subgraph.database.query('UPDATE online_meetings SET capture_next_at = now()');
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await roundTrips()).toBeLessThanOrEqual(120);
  }, 120_000);

  it('cost 50 more the first time, where their ids at Teams were never learned', async () => {
    await storeMany({ areResolved: false });
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await lookedAt()).toBe(MEETINGS);
    expect(await roundTrips()).toBeLessThanOrEqual(170);
  }, 120_000);
});
