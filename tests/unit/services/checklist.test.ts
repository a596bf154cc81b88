import { describe, expect, it } from 'vitest';
import { Checklist, type VerificationOutcome } from '../../../src/services/verification/checklist.ts';

function newList(clock = () => new Date(0)): Checklist {
  return new Checklist(clock, (error) => ({
    outcome: (error as Error).message as VerificationOutcome,
    detail: 'It failed.',
    remedy: 'Mend it.',
    graphRequestId: 'request-1',
  }));
}
const fails = (outcome: VerificationOutcome) => () => Promise.reject(new Error(outcome));
const passes = async () => 'Fine.';

describe('a checklist', () => {
  it('is verified when every check passed', async () => {
    const list = newList();
    expect(await list.check('one', passes)).toBe(true);
    expect(list.outcome()).toBe('VERIFIED');
    expect(list.checks).toEqual([
      { name: 'one', status: 'PASS', detail: 'Fine.', remedy: null, durationMs: 0, graphRequestId: null },
    ]);
  });

  it('keeps what failed, with its remedy and request id, and goes on', async () => {
    const list = newList();
    expect(await list.check('one', fails('POLICY_MISSING'))).toBe(false);
    expect(await list.check('two', passes)).toBe(true);
    expect(list.checks[0]).toEqual({
      name: 'one',
      status: 'FAIL',
      detail: 'It failed.',
      remedy: 'Mend it.',
      durationMs: 0,
      graphRequestId: 'request-1',
    });
    expect(list.outcome()).toBe('POLICY_MISSING');
  });

  it('takes its outcome from the first failure', async () => {
    const list = newList();
    await list.check('one', passes);
    await list.check('two', fails('MAILBOX_UNAVAILABLE'));
    await list.check('three', fails('POLICY_MISSING'));
    expect(list.outcome()).toBe('MAILBOX_UNAVAILABLE');
  });

  it('is not failed by a warning or by what was skipped', () => {
    const list = newList();
    list.warn('one', 'Hm.');
    expect(list.skip(['two', 'three'])).toBe(list);
    expect(list.checks.map(({ name, status }) => [name, status])).toEqual([
      ['one', 'WARN'],
      ['two', 'SKIP'],
      ['three', 'SKIP'],
    ]);
    expect(list.outcome()).toBe('VERIFIED');
  });

  it('measures each check, and never less than nothing when the clock is set back', async () => {
    const times = [1000, 1250, 5000, 4000];
    const list = newList(() => new Date(times.shift() ?? 0));
    await list.check('one', passes);
    await list.check('two', passes);
    expect(list.checks.map((check) => check.durationMs)).toEqual([250, 0]);
  });
});
