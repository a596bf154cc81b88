import type { TenantPrisma } from '../../db/database.ts';
import { addJob } from '../../db/job-queue.ts';

/** How often a tenant is looked over; see the sweep. */
export const SWEEP_EVERY_MS = 15 * 60_000;

/** The job that brings an accepted intent about, should the process that accepted it not get to it. */
export function planSync(prisma: TenantPrisma, meetingId: string): Promise<void> {
  return addJob(prisma, 'sync_meeting', { meetingId }, { key: meetingId, delayMs: 2_000 });
}

/** How often it is looked which meetings are over. */
export const CAPTURE_EVERY_MS = 5 * 60_000;

/** Sees to it that the tenant is looked over; what is planned already keeps its time. */
export async function planSweep(prisma: TenantPrisma): Promise<void> {
  await addJob(prisma, 'sweep_tenant', {}, { key: 'all', delayMs: SWEEP_EVERY_MS, keepTime: true });
  await addJob(prisma, 'capture_tenant', {}, { key: 'all', delayMs: CAPTURE_EVERY_MS, keepTime: true });
}

/** Looks for artifacts now. */
export function planCapture(prisma: TenantPrisma): Promise<void> {
  return addJob(prisma, 'capture_tenant', {}, { key: 'all' });
}

/** Takes up again what waited for a person; call it in the transaction that changes what was waited for. */
export function planRetryOfBlocked(prisma: TenantPrisma): Promise<void> {
  return addJob(prisma, 'retry_blocked_meetings', {}, { key: 'all' });
}

/** Goes on with what one round left; a change that comes meanwhile plans a round of its own, and neither replaces the other. */
export function planNextRetryOfBlocked(prisma: TenantPrisma, gaveUpBefore: Date): Promise<void> {
  const cutoff = gaveUpBefore.toISOString();
  return addJob(prisma, 'retry_blocked_meetings', { gaveUpBefore: cutoff }, { key: cutoff });
}
