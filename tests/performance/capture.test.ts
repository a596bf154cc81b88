import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { calls, capture, roundTrips, storeMany, subgraph, useCapture } from '../integration/capture/support.ts';
import { ACME } from '../integration/domain/support.ts';
import { BUDGETS } from './budgets.ts';

const MEETINGS = 100;

useCapture();

const lookedAt = async () =>
  (await subgraph.database.query('SELECT FROM online_meetings WHERE capture_attempts = 1')).length;

it('captures 100 meetings within the budget of round trips, with nothing there and with everything', async () => {
  const joinUrls = await storeMany(MEETINGS);
  await subgraph.simulator.clearRequests();
  await capture();
  expect(await lookedAt()).toBe(MEETINGS);
  const withoutReports = (await roundTrips()) - (await calls(/attendanceReports/)) / 20;
  expect(withoutReports).toBeLessThanOrEqual(BUDGETS.captureOf100.nothingThere);

  for (const joinUrl of joinUrls) await subgraph.simulator.meetingTookPlace({ directoryId: ACME.directoryId, joinUrl });
  await subgraph.database.query('UPDATE online_meetings SET capture_attempts = 0, capture_next_at = now()');
  await subgraph.simulator.clearRequests();
  await capture();
  expect(await lookedAt()).toBe(MEETINGS);
  expect(await subgraph.database.query('SELECT FROM meeting_transcripts')).toHaveLength(MEETINGS);
  expect(await roundTrips()).toBeLessThanOrEqual(BUDGETS.captureOf100.everythingThere);
});

it('keeps the four places taken that Microsoft gives an app in a mailbox, and no more', async () => {
  await storeMany(MEETINGS);
  await subgraph.simulator.clearRequests();
  await subgraph.simulator.addFault({ match: { path: '^/v1\\.0/\\$batch' }, times: null, delayMs: 60_000 });
  const captured = capture();
  await expect.poll(() => calls(/\/recordings$/), { timeout: 20_000 }).toBe(40);
  // A fifth batch would come at once.
  await setTimeout(200);
  const batches = await subgraph.simulator.requests({ path: '/\\$batch$' });
  await subgraph.simulator.clearFaults();
  await captured;
  expect(batches).toHaveLength(4);
  expect(await lookedAt()).toBe(MEETINGS);
});
