import type { TenantPrisma } from '../../db/database.ts';
import { addJob } from '../../db/job-queue.ts';

const DAY_MS = 24 * 3_600_000;
const JOB = { key: 'all', serial: 'all' };

/** Sees to it that retention is applied daily; a run that is planned already keeps its time. */
export function planRetention(prisma: TenantPrisma): Promise<void> {
  return addJob(prisma, 'apply_retention', {}, { ...JOB, delayMs: DAY_MS, keepTime: true });
}

/** The next run, a day from now: after a run, and after a change, which leaves a day to mend a slip. */
export function planNextRetention(prisma: TenantPrisma): Promise<void> {
  return addJob(prisma, 'apply_retention', {}, { ...JOB, delayMs: DAY_MS });
}

/** The rest of a run that had too much to do. */
export function planRestOfRetention(prisma: TenantPrisma): Promise<void> {
  return addJob(prisma, 'apply_retention', {}, JOB);
}
