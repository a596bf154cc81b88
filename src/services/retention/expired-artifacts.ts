import { type BlobStore, BlobStoreError } from '../../blobs/blob-store.ts';
import { appendAudit } from '../audit/audit.ts';
import { blobKey } from '../recordings/blob-key.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { bury } from './tombstones.ts';

const AT_ONCE = 50;

interface Expired {
  scope: Scope;
  /** Artifacts of calls before this are deleted. */
  before: Date;
  isTimeOver: () => boolean;
}

interface Work {
  /** Deletes what has expired, blob first and then row, so that neither is forgotten; true when nothing is left. */
  recordings(expired: Expired): Promise<boolean>;
  transcripts(expired: Expired): Promise<boolean>;
}

/** What a batch has in common with its audit entry. */
interface Row {
  id: string;
  meetingId: string;
}

export function createExpiredArtifacts(blobs: BlobStore | undefined, tools: ServiceTools): Work {
  /** Deletes what the store has of a recording; false when it could not. */
  async function deleteBytes(
    scope: Scope,
    row: { id: string; storage: 'GRAPH' | 'INTERNAL'; copy: { uploadId: string | null } | null },
  ): Promise<boolean> {
    if (row.storage === 'GRAPH' && row.copy === null) return true;
    const fields = { tenantId: scope.db.tenantId, recordingId: row.id };
    if (blobs === undefined) {
      tools.logger.error(fields, '[TeamsMeetings] operation=retention BLOB_STORE is not set: its copy is kept');
      return false;
    }
    try {
      const key = blobKey(scope.db.tenantId, row.id);
      if (row.copy?.uploadId) await blobs.abort({ key, id: row.copy.uploadId });
      await blobs.delete(key);
      return true;
    } catch (error) {
      if (!(error instanceof BlobStoreError)) throw error;
      tools.logger.warn(
        { ...fields, cause: error.message },
        '[TeamsMeetings] operation=retention the copy was not deleted, and is tried again tomorrow',
      );
      return false;
    }
  }

  async function audit(
    prisma: Parameters<typeof appendAudit>[0],
    scope: Scope,
    kind: string,
    rows: readonly Row[],
  ): Promise<void> {
    const ids = rows.map(({ id }) => id);
    await appendAudit(prisma, tools, scope.viewer, {
      operation: 'retention',
      outcome: 'success',
      detail: { kind, count: ids.length, ids },
    });
    tools.logger.info(
      { tenantId: scope.db.tenantId, outcome: 'success', kind, count: ids.length },
      '[TeamsMeetings] operation=retention',
    );
  }

  /** Walks over what has expired, each row once, until nothing is left or the time is over. */
  async function inBatches<T extends Row>(
    isTimeOver: () => boolean,
    find: (after: string | undefined) => Promise<T[]>,
    work: (rows: T[]) => Promise<void>,
  ): Promise<boolean> {
    for (let after: string | undefined; ; ) {
      const rows = await find(after);
      if (rows.length > 0) await work(rows);
      if (rows.length < AT_ONCE) return true;
      if (isTimeOver()) return false;
      after = rows.at(-1)?.id;
    }
  }

  const page = (before: Date, after: string | undefined) => ({
    where: { createdAt: { lt: before }, ...(after === undefined ? {} : { id: { gt: after } }) },
    orderBy: { id: 'asc' as const },
    take: AT_ONCE,
  });

  return {
    recordings: ({ scope, before, isTimeOver }) =>
      inBatches(
        isTimeOver,
        (after) =>
          scope.db.run((prisma) =>
            prisma.meetingRecording.findMany({
              ...page(before, after),
              select: {
                id: true,
                meetingId: true,
                graphRecordingId: true,
                storage: true,
                copy: { select: { uploadId: true } },
              },
            }),
          ),
        async (rows) => {
          const deleted: typeof rows = [];
          for (const row of rows) if (await deleteBytes(scope, row)) deleted.push(row);
          if (deleted.length === 0) return;
          await scope.db.transaction(async (prisma) => {
            const artifacts = deleted.map((row) => ({ meetingId: row.meetingId, graphId: row.graphRecordingId }));
            await bury(prisma, 'RECORDING', artifacts, tools.clock());
            await prisma.meetingRecording.deleteMany({ where: { id: { in: deleted.map(({ id }) => id) } } });
            await audit(prisma, scope, 'recordings', deleted);
          });
        },
      ),

    transcripts: ({ scope, before, isTimeOver }) =>
      inBatches(
        isTimeOver,
        (after) =>
          scope.db.run((prisma) =>
            prisma.meetingTranscript.findMany({
              ...page(before, after),
              select: { id: true, meetingId: true, graphTranscriptId: true },
            }),
          ),
        (rows) =>
          scope.db.transaction(async (prisma) => {
            const artifacts = rows.map((row) => ({ meetingId: row.meetingId, graphId: row.graphTranscriptId }));
            await bury(prisma, 'TRANSCRIPT', artifacts, tools.clock());
            await prisma.meetingTranscript.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } });
            await audit(prisma, scope, 'transcripts', rows);
          }),
      ),
  };
}
