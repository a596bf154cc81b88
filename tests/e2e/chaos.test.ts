import { expect, it } from 'vitest';
import { run } from './process.ts';

/** Small beside the 500 operations of a run by hand: enough that every fault and a few kills happen. */
const OPERATIONS = 20;

it.each([1, 2])(
  'chaos with seed %i loses, doubles and orphans nothing',
  async (seed) => {
    const args = ['--operations', String(OPERATIONS), '--seed', String(seed)];
    const { code, stdout, stderr } = await run('tests/chaos/main.ts', args, { PATH: process.env.PATH ?? '' });
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    expect(stdout).toContain('Nothing was lost, doubled or orphaned.');
  },
  400_000,
);
