import { describe, expect, it } from 'vitest';
import type { GraphRequestError } from '../../../src/graph/errors.ts';
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
      outcome: 'POLICY_MISSING',
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
    list.found('one', { detail: 'Hm.', remedy: 'Look.' }, { durationMs: 0, graphRequestId: null });
    expect(list.skip(['two', 'three'])).toBe(list);
    expect(list.checks.map(({ name, status }) => [name, status])).toEqual([
      ['one', 'WARN'],
      ['two', 'SKIP'],
      ['three', 'SKIP'],
    ]);
    expect(list.outcome()).toBe('VERIFIED');
  });

  it('lets a failure that lasts name the outcome before one that may pass', async () => {
    const list = newList();
    await list.check('one', fails('GRAPH_ERROR'));
    expect(list.outcome()).toBe('GRAPH_ERROR');
    await list.check('two', fails('POLICY_MISSING'));
    expect(list.outcome()).toBe('POLICY_MISSING');
  });

  it('skips what another check explains, and only that', async () => {
    const list = new Checklist(
      () => new Date(0),
      () => ({
        outcome: 'PERMISSION_MISSING',
        detail: 'No.',
        remedy: 'Yes.',
        graphRequestId: null,
        kind: 'ROLE_MISSING',
      }),
    );
    await list.check('one', fails('GRAPH_ERROR'), { consequences: { ROLE_MISSING: 'roles' } });
    await list.check('two', fails('GRAPH_ERROR'), { consequences: { TEAMS_POLICY_MISSING: 'policy' } });
    expect(list.checks).toMatchObject([
      { name: 'one', status: 'SKIP', remedy: null, detail: expect.stringContaining('roles') },
      { name: 'two', status: 'FAIL' },
    ]);
    expect([list.passed('one'), list.passed('two')]).toEqual([false, false]);
  });

  it('keeps the request id of the last answer', async () => {
    const list = newList();
    await list.check('one', async ({ onRequestId }) => {
      onRequestId?.('first');
      onRequestId?.('second');
      return 'Fine.';
    });
    expect(list.checks[0]?.graphRequestId).toBe('second');
  });

  it('gives up a check after its time, as a time-out of Microsoft', async () => {
    const list = new Checklist(
      () => new Date(),
      (error) => {
        const { kind } = error as GraphRequestError;
        return { outcome: 'GRAPH_ERROR', detail: kind, remedy: null, graphRequestId: null, kind };
      },
    );
    await list.check(
      'one',
      ({ signal }) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
      { limitMs: 10 },
    );
    expect(list.checks).toMatchObject([{ name: 'one', status: 'FAIL', detail: 'TIMEOUT' }]);
  });

  it('throws on what is a bug', async () => {
    const list = new Checklist(
      () => new Date(0),
      (error) => {
        throw error;
      },
    );
    await expect(list.check('one', fails('GRAPH_ERROR'))).rejects.toThrow('GRAPH_ERROR');
  });

  it('measures each check, and never less than nothing when the clock is set back', async () => {
    const times = [1000, 1250, 5000, 4000];
    const list = newList(() => new Date(times.shift() ?? 0));
    await list.check('one', passes);
    await list.check('two', passes);
    expect(list.checks.map((check) => check.durationMs)).toEqual([250, 0]);
  });
});
