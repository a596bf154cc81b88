import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { copyFailure } from '../../../src/services/recordings/copy-failures.ts';

async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
}

it('a copy whose time is over is tried again, whether a call or a file was under way', async () => {
  const signal = AbortSignal.timeout(0);
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  const ofCall = await failureOf(async () => signal.throwIfAborted());
  const ofFile = await failureOf(() => createReadStream(fileURLToPath(import.meta.url), { signal }).toArray());
  for (const error of [ofCall, ofFile]) {
    expect(copyFailure(error)).toMatchObject({ kind: 'later', why: 'TIMEOUT', beginAnew: false });
  }
});

it('an error that nobody expects is thrown on', () => {
  const error = new TypeError('a bug');
  expect(() => copyFailure(error)).toThrow(error);
});
