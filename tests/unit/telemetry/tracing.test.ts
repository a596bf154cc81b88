import { describe, expect, it } from 'vitest';
import { currentTraceparent, inSpan, isTracing, traceFields } from '../../../src/telemetry/tracing.ts';

describe('where nobody collects traces', () => {
  it('work is run as it is, at once, and gets no span', async () => {
    const began: unknown[] = [];
    const work = inSpan('anything', {}, async (span) => {
      began.push(span);
      return 'done';
    });
    expect(began).toEqual([undefined]);
    expect(await work).toBe('done');
  });

  it('what is thrown is thrown on', async () => {
    const error = new Error('no');
    await expect(inSpan('anything', {}, () => Promise.reject(error))).rejects.toBe(error);
  });

  it('neither jobs nor log lines have a trace', () => {
    expect(isTracing()).toBe(false);
    expect(currentTraceparent()).toBeUndefined();
    expect(traceFields()).toEqual({});
  });
});
