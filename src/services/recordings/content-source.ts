import type { BlobStore } from '../../blobs/blob-store.ts';
import type { GraphClient } from '../../graph/types.ts';
import { rangeHeader, spanOf, type WantedRange } from './byte-range.ts';

/** Content that was opened; whoever got it reads `body` to its end, leaves its loop, or cancels. */
export interface OpenContent {
  contentType: string;
  /** Where in the content the body begins. A source that takes no ranges begins at 0 whatever was asked for. */
  offset: number;
  /** The last byte of the body; null where that is not told. */
  end: number | null;
  size: number | null;
  /** Which version this is, where the source names one. */
  tag: string | null;
  takesRanges: boolean;
  /** Whether an end of the body is certainly its end. */
  isEndMarked: boolean;
  body: AsyncIterable<Uint8Array>;
  cancel(): Promise<void>;
}

/** Where the bytes of a recording come from. Throws what its room throws: GraphRequestError or BlobStoreError. */
export interface ContentSource {
  readonly kind: 'GRAPH' | 'INTERNAL';
  /** Null when the content is not there. */
  open(range: WantedRange | null, signal: AbortSignal): Promise<OpenContent | null>;
}

/** A recording at Microsoft. */
export function graphSource(
  graph: GraphClient,
  ids: { organizerId: string; onlineMeetingId: string; graphRecordingId: string },
): ContentSource {
  return {
    kind: 'GRAPH',
    async open(range, signal) {
      const { contentLength, acceptsRanges, offset, body, ...told } = await graph.recordings.openContent(
        ids.organizerId,
        ids.onlineMeetingId,
        ids.graphRecordingId,
        { signal, ...(range === null ? {} : { range: rangeHeader(range) }) },
      );
      return {
        ...told,
        offset,
        end: contentLength === null ? null : offset + contentLength - 1,
        takesRanges: acceptsRanges,
        body,
        cancel: () => body.cancel(),
      };
    },
  };
}

/** Our own copy of a recording. */
export function blobSource(blobs: BlobStore, key: string, contentType: string): ContentSource {
  return {
    kind: 'INTERNAL',
    async open(range, signal) {
      const found = await blobs.stat(key);
      if (found === null) return null;
      const { size } = found;
      const span = range === null ? { start: 0, end: size - 1 } : spanOf(range, size);
      const told = { contentType, size, tag: null, takesRanges: true, isEndMarked: true };
      // Nothing to open: the caller sees from the size that there is no such part.
      if (span === null) return { ...told, offset: size, end: null, body: nothing(), cancel: async () => undefined };
      return {
        ...told,
        offset: span.start,
        end: span.end,
        body: blobBody(blobs, key, span, signal),
        cancel: async () => undefined,
      };
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Opened when it is read, so that what nobody reads holds nothing open. */
async function* blobBody(
  blobs: BlobStore,
  key: string,
  range: { start: number; end: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const blob = await blobs.get(key, { range, signal });
  if (blob !== null) yield* blob.body;
}
