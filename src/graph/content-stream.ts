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
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await nextChunk(reader, options);
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function nextChunk(
  reader: Reader,
  { idleTimeoutMs, signal }: { idleTimeoutMs: number; signal: AbortSignal | undefined },
): Promise<Awaited<ReturnType<Reader['read']>>> {
  const who = 'The host of the content';
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(timeoutFailure(who, idleTimeoutMs)), idleTimeoutMs);
  });
  try {
    return await Promise.race([
      reader.read().catch((error: unknown) => {
        throw signal?.aborted ? signal.reason : networkFailure(who, error);
      }),
      late,
    ]);
  } catch (error) {
    // The connection is of no use any more; that closing it fails as well changes nothing.
    reader.cancel(error).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
