import { describe, expect, it } from 'vitest';
import { ORGANIZER, useSimulator } from './support.ts';

const sim = useSimulator();
const USER = `/users/${ORGANIZER}`;

/** The statuses of so many calls, one after the other. */
async function statuses(count: number, path = USER): Promise<number[]> {
  const seen: number[] = [];
  for (let call = 0; call < count; call += 1) seen.push((await sim.call('GET', path)).status);
  return seen;
}

describe('a fault with a probability', () => {
  it('strikes some calls, the same ones for the same seed', async () => {
    await sim.call('GET', USER);
    await sim.control.addFault({ match: { path: '/users/' }, probability: 0.5, times: null, status: 503 });
    await sim.control.seedFaults({ seed: 7 });
    const first = await statuses(20);
    await sim.control.seedFaults({ seed: 7 });
    expect(await statuses(20)).toEqual(first);
    await sim.control.seedFaults({ seed: 8 });
    expect(await statuses(20)).not.toEqual(first);
    const struck = first.filter((status) => status === 503).length;
    expect(struck).toBeGreaterThan(3);
    expect(struck).toBeLessThan(17);
  });

  it('uses a time up only when it strikes', async () => {
    await sim.control.addFault({ match: { path: '/users/' }, probability: 0.3, times: 2, status: 503 });
    const seen = await statuses(40);
    expect(seen.filter((status) => status === 503)).toHaveLength(2);
  });

  it.each([
    [0, 200],
    [1, 503],
  ])('of %i is certain', async (probability, status) => {
    await sim.call('GET', USER);
    await sim.control.addFault({ match: { path: '/users/' }, probability, times: null, status: 503 });
    expect(new Set(await statuses(5))).toEqual(new Set([status]));
  });

  it('mixes with others: whom the first spares may meet the second', async () => {
    await sim.call('GET', USER);
    const match = { path: '/users/' };
    await sim.control.addFault({ match, probability: 0.5, times: null, status: 503 });
    await sim.control.addFault({ match, probability: 0.5, times: null, status: 429 });
    expect(new Set(await statuses(30))).toEqual(new Set([200, 429, 503]));
    await sim.control.clearFaults();
    expect(new Set(await statuses(3))).toEqual(new Set([200]));
  });

  it('makes a Teams policy flap, as it does for half an hour after it was granted', async () => {
    const { path } = await sim.createMeeting();
    const message = 'No application access policy found for this app';
    const body = { error: { code: 'Forbidden', message, innerError: {} } };
    await sim.control.addFault({
      match: { path: '/onlineMeetings' },
      probability: 0.5,
      times: null,
      status: 403,
      body,
    });
    expect(new Set(await statuses(20, path))).toEqual(new Set([200, 403]));
    expect((await sim.call('GET', USER)).status).toBe(200);
  });

  it.each([-0.1, 1.1])('of %d is refused', async (probability) => {
    await expect(sim.control.addFault({ probability })).rejects.toThrow('is not from 0 to 1');
  });
});

it('a fault without an end strikes until it is cleared', async () => {
  await sim.call('GET', USER);
  await sim.control.addFault({ match: { path: '/users/' }, times: null, status: 503 });
  expect(new Set(await statuses(5))).toEqual(new Set([503]));
  await sim.control.clearFaults();
  expect(await statuses(1)).toEqual([200]);
});
