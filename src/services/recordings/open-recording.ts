import { BlobStoreError } from '../../blobs/blob-store.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import { explain } from '../failures.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { type Span, spanOf, type WantedRange } from './byte-range.ts';
import type { OpenContent } from './content-source.ts';
import type { FindRecording, FoundRecording } from './find-recording.ts';
import { contentTag, type RecordingFacts } from './recording-rows.ts';
import { relay } from './relay.ts';

export interface RecordingRequest {
  /** Null: the whole. */
  range: WantedRange | null;
  /** The range holds for this version only; of another one, the whole is wanted. */
  ifTag?: string | undefined;
  /** A version that the reader has. */
  knownTags: (tag: string) => boolean;
  /** Nothing of the content is wanted but what it is like. */
  isHead: boolean;
  signal: AbortSignal;
}

export type OpenedRecording =
  | {
      kind: 'open';
      contentType: string;
      size: number | null;
      tag: string | null;
      /** The part that the body is; null for the whole. */
      span: Span | null;
      takesRanges: boolean;
      /** Ends when everything was handed on, throws otherwise. Empty for HEAD. */
      body: AsyncIterable<Uint8Array>;
    }
  /** Unknown, or not (any more) for this viewer. */
  | { kind: 'hidden' }
  /** The reader has this version. */
  | { kind: 'known'; tag: string }
  /** Microsoft no longer has it, and nor have we. */
  | { kind: 'gone' }
  | { kind: 'bad-range'; size: number | null }
  | { kind: 'unavailable'; retryAfterMs: number | null };

/** Opens the bytes of a recording for the viewer of a link; whoever gets `open` reads the body or aborts the signal. */
export type OpenRecording = (scope: Scope, recordingId: string, request: RecordingRequest) => Promise<OpenedRecording>;

type Attempt = { content: OpenContent; source: FoundRecording['sources'][number] } | { failed: OpenedRecording };

export function makeOpenRecording(
  deps: { find: FindRecording; facts: RecordingFacts },
  tools: Pick<ServiceTools, 'clock' | 'logger'>,
): OpenRecording {
  const { facts } = deps;

  function warn(scope: Scope, found: FoundRecording, fields: object, what: string): void {
    const ids = { tenantId: scope.db.tenantId, recordingId: found.row.id };
    tools.logger.warn({ ...ids, ...fields }, `[TeamsMeetings] operation=recording ${what}`);
  }

  /** What a failure at Microsoft means to the reader. */
  async function refusal(scope: Scope, found: FoundRecording, error: GraphRequestError): Promise<OpenedRecording> {
    if (error.status === 416) return { kind: 'bad-range', size: sizeOf(found) };
    const { kind, graphRequestId } = explain(error);
    warn(scope, found, { kind, graphRequestId }, 'the content could not be opened');
    if (kind !== 'NOT_FOUND' && error.status !== 410) return { kind: 'unavailable', retryAfterMs: error.retryAfterMs };
    await facts.learnGone(scope, found.row, true);
    return { kind: 'gone' };
  }

  /** Tries one place after the other. */
  async function firstOpen(
    scope: Scope,
    found: FoundRecording,
    range: WantedRange | null,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const hasCopy = found.row.storage === 'INTERNAL';
    for (const source of found.sources) {
      try {
        const content = await source.open(range, signal);
        if (content === null) {
          // A disk that is not mounted looks like this, too: nobody gives up a copy because of it.
          warn(scope, found, { outcome: 'copy-missing' }, 'the copy is not in the blob store');
        } else if (source.kind === 'GRAPH') await facts.learnGone(scope, found.row, false);
        if (content !== null) return { content, source };
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof BlobStoreError) {
          warn(scope, found, { cause: error.message }, 'the blob store could not be used');
        } else if (error instanceof GraphRequestError) {
          const failed = await refusal(scope, found, error);
          // Microsoft has it no more, but we have: it can be had once the store can be used again.
          return { failed: failed.kind === 'gone' && hasCopy ? { kind: 'unavailable', retryAfterMs: null } : failed };
        } else throw error;
      }
    }
    return { failed: { kind: 'unavailable', retryAfterMs: null } };
  }

  return async (scope, recordingId, request) => {
    const found = await deps.find(scope, recordingId);
    if (found === null) return { kind: 'hidden' };
    const { id, contentType } = found.row;
    const tagNow = contentTag(id, sizeOf(found));
    if (tagNow !== null && request.knownTags(tagNow)) return { kind: 'known', tag: tagNow };
    let range = request.ifTag === undefined || request.ifTag === tagNow ? request.range : null;
    if (request.isHead) range = null;
    // Known to lie beyond the end: nobody has to be asked.
    if (range !== null && tagNow !== null && spanOf(range, sizeOf(found) ?? 0) === null) {
      return { kind: 'bad-range', size: sizeOf(found) };
    }

    const signal = request.signal;
    let attempt = await firstOpen(scope, found, range, signal);
    if ('failed' in attempt) return attempt.failed;
    const tagFound = contentTag(id, attempt.content.size);
    if (range !== null && request.ifTag !== undefined && tagFound !== null && tagFound !== request.ifTag) {
      await attempt.content.cancel();
      range = null;
      attempt = await firstOpen(scope, found, range, signal);
      if ('failed' in attempt) return attempt.failed;
    }
    const { content, source } = attempt;
    // Where the source is silent, what it said another time holds.
    const size = content.size ?? sizeOf(found);
    if (content.size !== null) await facts.learnSize(scope, found.row, content.size);

    const span = servedSpan(range, content, size);
    if (typeof span === 'string') {
      await content.cancel();
      return span === 'bad-range' ? { kind: span, size } : { kind: span, retryAfterMs: null };
    }
    const opened = {
      kind: 'open',
      contentType: content.contentType || contentType,
      size,
      tag: contentTag(id, size),
      span,
      takesRanges: content.takesRanges || size !== null,
    } as const;
    if (request.isHead) {
      await content.cancel();
      return { ...opened, body: nothing() };
    }
    const end = span?.end ?? (size === null ? null : size - 1);
    const bytes = relay({
      source,
      opened: content,
      start: span?.start ?? 0,
      end,
      signal,
      clock: tools.clock,
      isStillAllowed: found.isStillVisible,
      onResume: (atByte, cause) =>
        warn(scope, found, { atByte, cause: String(cause) }, 'the stream was cut and is resumed'),
    });
    const isWhole = span === null && size === null && content.isEndMarked;
    return { ...opened, body: isWhole ? counted(bytes, (sum) => facts.learnSize(scope, found.row, sum)) : bytes };
  };
}

const sizeOf = ({ row }: FoundRecording) => (row.sizeBytes === null ? null : Number(row.sizeBytes));

/**
 * The part that can be served: what was asked for where the size is known, else what the source gave, else the whole
 * (null).
 */
function servedSpan(
  range: WantedRange | null,
  content: OpenContent,
  size: number | null,
): Span | null | 'bad-range' | 'unavailable' {
  if (range === null) return null;
  if (size !== null) {
    const span = spanOf(range, size);
    if (span === null) return 'bad-range';
    // A body that begins behind what was asked for cannot be made to begin before it.
    return content.offset > span.start ? 'unavailable' : span;
  }
  if (content.offset === 0 && content.end === null) return null;
  return content.end === null ? null : { start: content.offset, end: content.end };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  onEnd: (sum: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let sum = 0;
  for await (const chunk of bytes) {
    sum += chunk.length;
    yield chunk;
  }
  await onEnd(sum);
}
