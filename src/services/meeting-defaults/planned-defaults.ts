import type { TenantPrisma } from '../../db/database.ts';
import { addJob, addJobs } from '../../db/job-queue.ts';

/** Plans the next try; call it in the transaction that stores when it is. */
export function planDefaults(prisma: TenantPrisma, meetingId: string, delayMs = 0): Promise<void> {
  return addJob(prisma, 'apply_meeting_defaults', { meetingId }, { key: meetingId, serial: meetingId, delayMs });
}

/**
 * Takes up again what was given up for meetings that have not begun; call it in the transaction that changes what may
 * have hindered it. @returns for how many, at most `limit`
 */
export async function reopenDefaults(prisma: TenantPrisma, now: Date, limit: number): Promise<number> {
  const reopened = await prisma.$queryRaw<{ id: string }[]>`
    UPDATE online_meetings SET defaults_next_at = ${now}, defaults_since = ${now}, defaults_attempts = 0
     WHERE tenant_id = current_setting('app.tenant_id') AND id IN (
       SELECT id FROM online_meetings
        WHERE tenant_id = current_setting('app.tenant_id') AND status IN ('SCHEDULED', 'FAILED') AND join_url IS NOT NULL
          AND starts_at > ${now} AND defaults_wanted IS NOT NULL AND defaults_next_at IS NULL AND defaults_failure IS NOT NULL
        ORDER BY starts_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id::text AS id`;
  await addJobs(
    prisma,
    'apply_meeting_defaults',
    reopened.map(({ id }) => ({ payload: { meetingId: id }, key: id, serial: id })),
  );
  return reopened.length;
}
