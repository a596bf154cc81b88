import type { TenantPrisma } from '../../db/database.ts';
import { addJob, addJobs } from '../../db/job-queue.ts';

/** Plans the next try; call it in the transaction that stores when it is. */
export function planDefaults(prisma: TenantPrisma, meetingId: string, delayMs = 0): Promise<void> {
  return addJob(prisma, 'apply_meeting_defaults', { meetingId }, { key: meetingId, serial: meetingId, delayMs });
}

/**
 * Takes up again what was given up for meetings that have not begun; call it in the transaction that changes what may
 * have hindered it. Nothing is taken twice with the same `gaveUpBefore`.
 *
 * @param options.gaveUpBefore what was noted or taken up since is left alone
 * @returns for how many, at most `limit`
 */
export async function reopenDefaults(
  prisma: TenantPrisma,
  { now, gaveUpBefore, limit }: { now: Date; gaveUpBefore: Date; limit: number },
): Promise<number> {
  // Another process, whose clock is behind, may take up the next ones.
  const since = new Date(Math.max(now.getTime(), gaveUpBefore.getTime()));
  const reopened = await prisma.$queryRaw<{ id: string }[]>`
    WITH hindered AS MATERIALIZED (
      SELECT id FROM online_meetings
       WHERE tenant_id = current_setting('app.tenant_id') AND status IN ('SCHEDULED', 'FAILED') AND join_url IS NOT NULL
         AND starts_at > ${now} AND defaults_wanted IS NOT NULL AND defaults_next_at IS NULL AND defaults_failure IS NOT NULL
         AND defaults_since < ${gaveUpBefore}
       ORDER BY starts_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    UPDATE online_meetings SET defaults_next_at = ${now}, defaults_since = ${since}, defaults_attempts = 0
     WHERE tenant_id = current_setting('app.tenant_id') AND id IN (SELECT id FROM hindered)
    RETURNING id::text AS id`;
  await addJobs(
    prisma,
    'apply_meeting_defaults',
    reopened.map(({ id }) => ({ payload: { meetingId: id }, key: id, serial: id })),
  );
  return reopened.length;
}
