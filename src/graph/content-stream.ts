import { networkFailure, timeoutFailure } from './network-failure.ts';

/**
 * Hands on the body of an answer chunk by chunk, only as fast as it is read. Fails with NETWORK when the connection
 * breaks, with TIMEOUT when no chunk comes for `idleTimeoutMs` while one is awaited, and with the reason of `signal`
 * when that aborts. Cancelling it closes the connection.
 */
export function contentStream(
  body: ReadableStream<Uint8Array> | null,
  options: { idleTimeoutMs: number; signal: AbortSignal | undefined },
): ReadableStream<Uint8Array> {
  if (body === null) return new Response('').body ?? new ReadableStream();
  const reader = body.getReader();
  const { idleTimeoutMs, signal } = options;
  let isAwaited = false;
  let failure: unknown;
  // One timer a stream: a timer and a race for each chunk cost more than handing the chunk on.
  const timer = setTimeout(() => {
    if (!isAwaited) return;
    failure = timeoutFailure(WHO, idleTimeoutMs);
    // Ends the read that is waiting. That closing the connection fails as well changes nothing.
    reader.cancel(failure).catch(() => undefined);
  }, idleTimeoutMs);

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        isAwaited = true;
        timer.refresh();
        const { done, value } = await reader.read().catch((error: unknown) => {
          clearTimeout(timer);
          throw signal?.aborted ? signal.reason : networkFailure(WHO, error);
        });
        isAwaited = false;
        if (failure !== undefined) throw failure;
        if (!done) {
          controller.enqueue(value);
          return;
        }
        clearTimeout(timer);
        controller.close();
      },
      cancel(reason) {
        clearTimeout(timer);
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

const WHO = 'The host of the content';
