import { beforeEach, describe, expect, it } from 'vitest';
import { capture, roundTrips, setRoles, storeMany, subgraph, useCapture } from './support.ts';

useCapture();

const MEETINGS = 1_000;

async function lookedAt(): Promise<number> {
  const [row] = await subgraph.database.query<{ count: string }>(
    'SELECT count(*) FROM online_meetings WHERE capture_attempts = 1',
  );
  return Number(row?.count);
}

beforeEach(() => setRoles({ without: 'OnlineMeetingArtifact.Read.All' }));

describe(`${MEETINGS} meetings that are over`, () => {
  it('are looked at in at most 120 round trips', async () => {
    await storeMany(MEETINGS, { areResolved: true });
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await lookedAt()).toBe(MEETINGS);
    expect(await roundTrips()).toBeLessThanOrEqual(120);
  }, 120_000);

  it('cost 50 more once where the app may read attendance', async () => {
    await setRoles({ with: 'OnlineMeetingArtifact.Read.All' });
    await storeMany(MEETINGS, { areResolved: true });
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await roundTrips()).toBeLessThanOrEqual(170);
    await subgraph.database.query('UPDATE online_meetings SET capture_next_at = now()');
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await roundTrips()).toBeLessThanOrEqual(120);
  }, 120_000);

  it('cost 50 more the first time, where their ids at Teams were never learned', async () => {
    await storeMany(MEETINGS, { areResolved: false });
    await subgraph.simulator.clearRequests();
    await capture();
    expect(await lookedAt()).toBe(MEETINGS);
    expect(await roundTrips()).toBeLessThanOrEqual(170);
  }, 120_000);
});
