import type { Readable } from 'node:stream';
import type { GraphContentBody } from './artifact-types.ts';
import { networkFailure, timeoutFailure } from './network-failure.ts';

const WHO = 'The host of the content';

/**
 * Hands on the body of an answer chunk by chunk, only as fast as it is read. Fails with NETWORK when the connection
 * breaks, with TIMEOUT when no chunk comes for `idleTimeoutMs` while one is awaited, and with the reason of `signal`
 * when that aborts. Cancelling it, or leaving a loop over it, closes the connection.
 */
export function contentStream(
  body: Readable,
  { idleTimeoutMs, signal }: { idleTimeoutMs: number; signal: AbortSignal | undefined },
): GraphContentBody {
  let isAwaited = false;
  let late: Error | undefined;
  // One timer a stream: a timer and a race for each chunk cost more than handing the chunk on.
  const timer = setTimeout(() => {
    if (!isAwaited) return;
    late = timeoutFailure(WHO, idleTimeoutMs);
    body.destroy(late);
  }, idleTimeoutMs);
  const close = () => {
    clearTimeout(timer);
    body.destroy();
  };

  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      isAwaited = true;
      timer.refresh();
      for await (const chunk of body) {
        isAwaited = false;
        yield chunk;
        isAwaited = true;
        timer.refresh();
      }
    } catch (error) {
      throw late ?? (signal?.aborted ? signal.reason : networkFailure(WHO, error));
    } finally {
      close();
    }
  }

  const read = chunks();
  return { [Symbol.asyncIterator]: () => read, cancel: async () => close() };
}
