import { type BlobStore, BlobStoreError, UploadLostError } from '../../blobs/blob-store.ts';
import type { GraphClient } from '../../graph/types.ts';
import { appendAudit } from '../audit/audit.ts';
import { wellFormedIds } from '../meetings/meeting-reads.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { blobKey } from './blob-key.ts';
import { type ContentSource, graphSource } from './content-source.ts';
import { type CopyFailure, copyFailure, later, waitAfter } from './copy-failures.ts';
import { copyParts } from './copy-parts.ts';
import {
  beginProgress,
  copiedBytes,
  NOTHING_YET,
  NotAloneError,
  type Progress,
  progressOf,
  saveProgress,
  uploadOf,
} from './copy-progress.ts';
import { planNextSlice } from './planned-copies.ts';
import { goneForGoodBefore, type RecordingFacts, type StoredRecording } from './recording-rows.ts';
import { checksumOf, verifyParts } from './verify-copy.ts';

export interface RecordingStorer {
  /** Brings a recording a piece nearer to the own store, and plans the next piece. */
  store(scope: Scope, recordingId: string): Promise<void>;
  /** Ends what is under way after the part at hand; the rest is left to the next run, here or elsewhere. */
  stop(): void;
}

export interface CopyLimits {
  /** How long one run works before it leaves the rest to the next; default 40 s. */
  sliceMs: number;
  /** Default 8 MiB: S3 wants at least 5 MiB, and takes 10,000 parts. */
  partBytes: number;
}

const DEFAULTS: CopyLimits = { sliceMs: 40_000, partBytes: 8 * 1024 * 1024 };

/** Jobs end within a minute; what is under way then is broken off, and done again by the next run. */
const GIVE_UP_MS = 55_000;

type Outcome = 'more' | 'stored' | 'too-slow';

/**
 * Makes what copies a recording into the own store: fetched in parts, put together, read back and compared by
 * length and SHA-256; only then is the recording said to be there. Its progress is stored after each part, so that it
 * goes on after the death of the process. Failures are tried again, ever more seldom, for as long as Microsoft has it.
 */
export function createRecordingStorer(
  deps: {
    microsoftApp: MicrosoftAppService;
    blobs: BlobStore | undefined;
    facts: RecordingFacts;
    limits?: Partial<CopyLimits> | undefined;
  },
  tools: ServiceTools,
): RecordingStorer {
  const { sliceMs, partBytes } = { ...DEFAULTS, ...deps.limits };
  let isStopping = false;

  const log = (scope: Scope, recordingId: string, outcome: string, fields: object = {}) =>
    tools.logger.info(
      { tenantId: scope.db.tenantId, recordingId, outcome, ...fields },
      '[TeamsMeetings] operation=store-recording',
    );

  const isGoneForGood = ({ goneAt }: Pick<StoredRecording, 'goneAt'>) =>
    goneAt !== null && goneAt <= goneForGoodBefore(tools.clock());

  async function load(scope: Scope, recordingId: string) {
    return scope.db.run(async (prisma) => {
      const row = await prisma.meetingRecording.findFirst({
        where: { id: { in: wellFormedIds([recordingId]) }, storage: 'GRAPH' },
        include: {
          meeting: { select: { organizerObjectId: true, graphOnlineMeetingId: true, leftIn: true } },
          copy: true,
        },
      });
      const settings = await prisma.teamsIntegration.findFirst({ select: { downloadRecordings: true } });
      return { row, isWanted: settings?.downloadRecordings === true };
    });
  }

  function sourceOf(graph: GraphClient, row: StoredRecording): ContentSource | null {
    const { organizerObjectId, graphOnlineMeetingId, leftIn } = row.meeting;
    if (organizerObjectId === null || graphOnlineMeetingId === null || leftIn !== null) return null;
    const ids = { organizerId: organizerObjectId, onlineMeetingId: graphOnlineMeetingId };
    return graphSource(graph, { ...ids, graphRecordingId: row.graphRecordingId });
  }

  /** Puts the parts together. A store that knows the upload no more may have done so before we noted it. */
  async function complete(blobs: BlobStore, key: string, progress: Progress): Promise<void> {
    const upload = uploadOf(key, progress);
    if (upload === null) throw new UploadLostError('There is no upload');
    try {
      await blobs.complete(upload, progress.parts);
    } catch (error) {
      const isThere = error instanceof UploadLostError && (await blobs.stat(key))?.size === copiedBytes(progress);
      if (!isThere) throw error;
    }
  }

  async function finish(scope: Scope, row: StoredRecording, progress: Progress): Promise<void> {
    const bytes = copiedBytes(progress);
    await scope.db.transaction(async (prisma) => {
      const { count } = await prisma.recordingCopy.deleteMany({
        where: { recordingId: row.id, version: progress.version },
      });
      if (count === 0) throw new NotAloneError('The copy was taken over by another worker');
      await prisma.meetingRecording.updateMany({
        where: { id: row.id },
        data: {
          storage: 'INTERNAL',
          sizeBytes: bytes,
          checksum: checksumOf(progress.parts),
          storedAt: tools.clock(),
        },
      });
      await appendAudit(prisma, tools, scope.viewer, {
        operation: 'store-recording',
        meetingId: row.meetingId,
        outcome: 'success',
        detail: { recordingId: row.id, bytes },
      });
    });
    log(scope, row.id, 'stored', { bytes });
  }

  /** One slice: whatever comes next, for as long as there is time. */
  async function slice(
    scope: Scope,
    row: StoredRecording,
    source: ContentSource,
    blobs: BlobStore,
    begun: Progress,
  ): Promise<Outcome> {
    const key = blobKey(scope.db.tenantId, row.id);
    const endsAt = tools.clock().getTime() + sliceMs;
    const isTimeOver = () => isStopping || tools.clock().getTime() >= endsAt;
    const signal = AbortSignal.timeout(GIVE_UP_MS);
    const save: (from: Progress, change: Parameters<typeof saveProgress>[2]) => Promise<Progress> = (from, change) =>
      saveProgress(scope, from, change, tools.clock());

    let progress = begun;
    if (!progress.isCompleted) {
      if (progress.uploadId === null) progress = await save(progress, { uploadId: await blobs.begin(key) });
      const upload = uploadOf(key, progress);
      if (upload === null) throw new UploadLostError('There is no upload');
      const before = progress.parts.length;
      if (!isFetched(progress)) {
        progress = await copyParts({ source, blobs, upload, progress, partBytes, signal, isTimeOver, save });
      }
      if (!isFetched(progress)) return progress.parts.length > before ? 'more' : 'too-slow';
      await complete(blobs, key, progress);
      progress = await save(progress, { isCompleted: true, verifiedParts: 0 });
      if (isTimeOver()) return 'more';
    }
    const verifiedParts = await verifyParts({ blobs, key, progress }, { signal, isTimeOver });
    progress = await save(progress, { verifiedParts, failedAttempts: 0, lastError: null });
    if (verifiedParts < progress.parts.length) return 'more';
    await finish(scope, row, progress);
    return 'stored';
  }

  /** Throws away what was copied so far; what the store keeps of it all the same is found by retention. */
  async function discard(blobs: BlobStore, key: string, progress: Progress): Promise<void> {
    const upload = uploadOf(key, progress);
    try {
      if (progress.isCompleted) await blobs.delete(key);
      else if (upload !== null) await blobs.abort(upload);
    } catch (error) {
      if (!(error instanceof BlobStoreError)) throw error;
    }
  }

  /** Notes what went wrong and plans the next try. A copy that cannot be gone on with begins anew. */
  async function tryLater(
    scope: Scope,
    row: StoredRecording,
    blobs: BlobStore,
    { why, beginAnew, retryAfterMs }: CopyFailure & { kind: 'later' },
  ): Promise<void> {
    const { row: now } = await load(scope, row.id);
    if (!now?.copy) return;
    const progress = progressOf(now.copy);
    const failedAttempts = progress.failedAttempts + 1;
    const change = { ...(beginAnew ? NOTHING_YET : {}), failedAttempts, lastError: why };
    await saveProgress(scope, progress, change, tools.clock());
    // Only now, as it is certain that nobody else has finished with it.
    if (beginAnew) await discard(blobs, blobKey(scope.db.tenantId, row.id), progress);
    const waitMs = waitAfter(failedAttempts, retryAfterMs);
    await scope.db.transaction((prisma) => planNextSlice(prisma, row.id, waitMs));
    tools.logger.warn(
      { tenantId: scope.db.tenantId, recordingId: row.id, outcome: why, failedAttempts, waitMs },
      '[TeamsMeetings] operation=store-recording is tried again',
    );
  }

  /** Microsoft has it no more: nothing is left to copy. */
  async function giveUp(scope: Scope, row: StoredRecording, blobs: BlobStore): Promise<void> {
    const { row: now } = await load(scope, row.id);
    if (now?.copy) {
      const progress = progressOf(now.copy);
      const { count } = await scope.db.run((prisma) =>
        prisma.recordingCopy.deleteMany({ where: { recordingId: row.id, version: progress.version } }),
      );
      if (count > 0) await discard(blobs, blobKey(scope.db.tenantId, row.id), progress);
    }
    log(scope, row.id, 'gone');
  }

  async function failed(scope: Scope, row: StoredRecording, blobs: BlobStore, error: unknown): Promise<void> {
    const failure = copyFailure(error);
    if (failure.kind === 'not-alone') log(scope, row.id, 'not-alone');
    if (failure.kind === 'gone') {
      await deps.facts.learnGone(scope, row, true);
      const { row: now } = await load(scope, row.id);
      if (now !== null && isGoneForGood(now)) await giveUp(scope, row, blobs);
      else await tryLater(scope, row, blobs, later('GONE'));
    }
    if (failure.kind === 'later') await tryLater(scope, row, blobs, failure);
  }

  async function store(scope: Scope, recordingId: string): Promise<void> {
    const { blobs } = deps;
    const { row, isWanted } = await load(scope, recordingId);
    if (blobs === undefined || row === null) return;
    // Turning the switch off stops what has not begun; what has is finished.
    if (row.copy === null && (!isWanted || isGoneForGood(row))) return;
    const graph = await deps.microsoftApp.graphFor(scope);
    const source = graph && sourceOf(graph, row);
    // No app, or no meeting: the sweep looks again.
    if (source === null) return;
    try {
      const begun = row.copy ? progressOf(row.copy) : await beginProgress(scope, recordingId, tools.clock());
      const outcome = await slice(scope, row, source, blobs, begun);
      if (outcome === 'more') await scope.db.transaction((prisma) => planNextSlice(prisma, recordingId, 0));
      if (outcome === 'too-slow') await tryLater(scope, row, blobs, later('TOO_SLOW'));
    } catch (error) {
      await failed(scope, row, blobs, error);
    }
  }

  return {
    store,
    stop: () => {
      isStopping = true;
    },
  };
}

const isFetched = (progress: Progress) =>
  progress.expectedBytes !== null && progress.expectedBytes > 0 && copiedBytes(progress) === progress.expectedBytes;
