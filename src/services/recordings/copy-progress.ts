import { z } from 'zod';
import type { Upload } from '../../blobs/blob-store.ts';
import type { RecordingCopy } from '../../generated/prisma/client.ts';
import type { Scope } from '../scope.ts';

const partsSchema = z.array(z.object({ number: z.int(), size: z.int(), tag: z.string(), sha256: z.string() }));

/** A part of a copy that is in the store, with the SHA-256 of what Microsoft sent for it. */
export type CopiedPart = z.infer<typeof partsSchema>[number];

/** How far a copy has come. */
export interface Progress {
  recordingId: string;
  version: number;
  uploadId: string | null;
  parts: CopiedPart[];
  /** Size of the whole; null while Microsoft does not tell. */
  expectedBytes: number | null;
  sourceTag: string | null;
  isCompleted: boolean;
  verifiedParts: number;
  failedAttempts: number;
}

/** Somebody else is at the same copy: whoever notices leaves it to them. */
export class NotAloneError extends Error {
  override readonly name = 'NotAloneError';
}

export type Change = Partial<Omit<Progress, 'recordingId' | 'version'>> & { lastError?: string | null };

export function copiedBytes({ parts }: Progress): number {
  return parts.reduce((sum, { size }) => sum + size, 0);
}

export function uploadOf(key: string, { uploadId }: Progress): Upload | null {
  return uploadId === null ? null : { key, id: uploadId };
}

/** A copy of which nothing is there yet. */
export const NOTHING_YET = {
  uploadId: null,
  parts: [],
  expectedBytes: null,
  sourceTag: null,
  isCompleted: false,
  verifiedParts: 0,
} satisfies Change;

/** What a begun copy has come to. */
export function progressOf(row: RecordingCopy): Progress {
  return {
    recordingId: row.recordingId,
    version: row.version,
    uploadId: row.uploadId,
    parts: partsSchema.parse(row.parts),
    expectedBytes: row.expectedBytes === null ? null : Number(row.expectedBytes),
    sourceTag: row.sourceTag,
    isCompleted: row.completedAt !== null,
    verifiedParts: row.verifiedParts,
    failedAttempts: row.failedAttempts,
  };
}

/** Notes that a copy has begun. @throws NotAloneError */
export async function beginProgress(scope: Scope, recordingId: string, now: Date): Promise<Progress> {
  const { count } = await scope.db.run((prisma) =>
    prisma.recordingCopy.createMany({
      data: [{ recordingId, startedAt: now, updatedAt: now }],
      skipDuplicates: true,
    }),
  );
  if (count === 0) throw new NotAloneError('The copy was begun by another worker');
  return { ...NOTHING_YET, recordingId, version: 1, failedAttempts: 0 };
}

/** Stores how far the copy has come and returns it. @throws NotAloneError */
export async function saveProgress(scope: Scope, progress: Progress, change: Change, now: Date): Promise<Progress> {
  const { isCompleted, lastError, ...columns } = change;
  const version = progress.version + 1;
  const { count } = await scope.db.run((prisma) =>
    prisma.recordingCopy.updateMany({
      where: { recordingId: progress.recordingId, version: progress.version },
      data: {
        ...columns,
        ...(isCompleted === undefined ? {} : { completedAt: isCompleted ? now : null }),
        ...(lastError === undefined ? {} : { lastError }),
        version,
        updatedAt: now,
      },
    }),
  );
  if (count === 0) throw new NotAloneError('The copy was taken over by another worker');
  const { lastError: _told, ...known } = change;
  return { ...progress, ...known, version };
}
