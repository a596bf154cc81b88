import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { birth, commands, contentOf, type Model } from './commands.ts';
import { World } from './world.ts';

/** A few of them in the gate, which has little time; 1,000 by `MODEL_RUNS=1000`. */
const RUNS = Number(process.env.MODEL_RUNS ?? 200);
const MOST_COMMANDS = 4;

/** The same lives in every run of the test; fast-check tells the path to one that fails. */
const SEED = 20_361_201;

let world: World;

beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

/** Whatever happened on the way: in the end the calendar and the rows are what is wanted, and nothing else is there. */
async function expectSettled(model: Model): Promise<void> {
  await world.mend();
  // Where a person has to act they do; everything else comes by itself.
  for (const { id, next_attempt_at, version, synced_version } of await world.rows()) {
    if (next_attempt_at === null && version > synced_version) await world.ask('retry', { meetingId: id });
  }
  await world.settle();

  const wanted = model.meetings.filter(({ isCancelled }) => !isCancelled);
  const events = await world.events();
  expect(
    events.map(({ attendees, extendedProperties, ...event }) => ({
      id: extendedProperties.MeetingId,
      ...contentOf({ ...event, attendees: attendees.map(({ address }) => address).sort() }),
    })),
  ).toEqual(
    wanted.map((meeting) => ({
      id: meeting.id,
      ...contentOf({ ...meeting, attendees: meeting.attendees.toSorted() }),
    })),
  );

  const rows = await world.rows();
  expect(rows.map(({ id }) => id).sort()).toEqual(model.meetings.map(({ id }) => id).sort());
  for (const row of rows) {
    // One that ran out is no lease any more, whoever held it.
    if (row.leased_until !== null) expect(row.leased_until.getTime()).toBeLessThan(Date.now());
    const isCancelled = wanted.every(({ id }) => id !== row.id);
    expect(row).toMatchObject({
      status: isCancelled ? 'CANCELLED' : 'SCHEDULED',
      synced_version: row.version,
      create_unconfirmed: false,
      next_attempt_at: null,
      failure: null,
    });
  }
  for (const meeting of model.meetings) {
    const { joinUrl } = await world.read(meeting.id);
    expect(joinUrl).toBe(meeting.isCancelled ? null : (meeting.joinUrl ?? events[0]?.joinUrl));
  }
}

it('a meeting lives as its model does, whatever fails on the way', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(birth, fc.commands(commands, { maxCommands: MOST_COMMANDS, size: 'max' }), async (first, life) => {
      const model: Model = { meetings: [] };
      await world.begin();
      await fc.asyncModelRun(() => ({ model, real: world }), [...first, ...life]);
      await expectSettled(model);
    }),
    { numRuns: RUNS, seed: SEED, verbose: fc.VerbosityLevel.None },
  );
});
