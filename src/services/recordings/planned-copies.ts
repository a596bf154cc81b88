import type { TenantPrisma } from '../../db/database.ts';
import { addJob } from '../../db/job-queue.ts';
import { expiredBefore } from '../retention/expiry.ts';
import { goneForGoodBefore } from './recording-rows.ts';

/** One tenant's recordings are copied one after the other, so that no tenant takes all workers. */
const SERIAL = 'all';

/** What is beyond is found by a later sweep. */
const AT_ONCE = 200;

/**
 * Sees to it that a recording is copied into the own store, where the tenant wants that; a job that waits already keeps
 * its time. Call it in the transaction that stores the recording's row.
 */
export async function planStoreRecording(prisma: TenantPrisma, recordingId: string): Promise<void> {
  const settings = await prisma.teamsIntegration.findFirst({ select: { downloadRecordings: true } });
  if (settings?.downloadRecordings === true) await addCopy(prisma, recordingId, { keepTime: true });
}

/** The next slice of a copy that is under way. */
export function planNextSlice(prisma: TenantPrisma, recordingId: string, delayMs: number): Promise<void> {
  return addCopy(prisma, recordingId, { delayMs });
}

function addCopy(
  prisma: TenantPrisma,
  recordingId: string,
  options: { keepTime: true } | { delayMs: number },
): Promise<void> {
  return addJob(prisma, 'store_recording', { recordingId }, { key: recordingId, serial: SERIAL, ...options });
}

/**
 * Plans the copies of all recordings that are wanted and nowhere but with Microsoft, oldest first as they expire first,
 * and those that were begun, which are finished though no others are wanted any more. What retention is about to delete
 * is left alone.
 */
export async function planCopies(prisma: TenantPrisma, now: Date): Promise<void> {
  const settings = await prisma.teamsIntegration.findFirst();
  const cut = expiredBefore(settings, now);
  const recording = {
    storage: 'GRAPH' as const,
    OR: [{ goneAt: null }, { goneAt: { gt: goneForGoodBefore(now) } }],
    ...(cut === null ? {} : { createdAt: { gte: cut } }),
  };
  const begun = await prisma.recordingCopy.findMany({
    where: { recording },
    select: { recordingId: true },
    orderBy: { updatedAt: 'asc' },
    take: AT_ONCE,
  });
  const wanted = settings?.downloadRecordings
    ? await prisma.meetingRecording.findMany({
        where: { ...recording, copy: null },
        select: { id: true },
        orderBy: { createdAt: 'asc' },
        take: AT_ONCE,
      })
    : [];
  for (const id of [...begun.map((copy) => copy.recordingId), ...wanted.map((row) => row.id)]) {
    await addCopy(prisma, id, { keepTime: true });
  }
}
