import { addJob } from '../../db/job-queue.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import { reopenCaptures } from '../artifacts/reopen.ts';
import { reopenDefaults } from '../meeting-defaults/planned-defaults.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { after } from './lifecycle.ts';
import { planNextRetryOfBlocked, planSweep } from './planned-jobs.ts';

/**
 * Takes up again what waited for a person; returns how many meetings that were.
 *
 * @param gaveUpBefore of a later round: when the first one began. What is given up again since waits for another change.
 */
export type RetryBlockedMeetings = (scope: Scope, gaveUpBefore?: Date) => Promise<number>;

/** Between two of them, so that they do not all come to the one mailbox at once. */
const SPACING_MS = 250;

/** In one transaction; what is left is taken up by the next job. */
const AT_ONCE = 200;

/** Makes the job that runs after the app, the organizer or the settings changed. @param atOnce how many in one transaction */
export function makeRetryBlockedMeetings(tools: ServiceTools, atOnce = AT_ONCE): RetryBlockedMeetings {
  return (scope, gaveUpBefore) =>
    scope.db.transaction(async (prisma) => {
      const now = tools.clock();
      const before = gaveUpBefore ?? now;
      const waiting = await prisma.$queryRaw<{ id: string }[]>`
        SELECT id::text AS id FROM online_meetings
         WHERE tenant_id = current_setting('app.tenant_id') AND version > synced_version AND next_attempt_at IS NULL
           AND status IN ('FAILED', 'CANCELLING') AND ends_at > ${now}
           AND (failure IS NULL OR (failure ->> 'occurredAt')::timestamptz < ${before})
         ORDER BY starts_at LIMIT ${atOnce} FOR UPDATE`;
      const ids = waiting.map(({ id }) => id);
      const again = {
        failure: Prisma.DbNull,
        failedAttempts: 0,
        failingSince: null,
        nextAttemptAt: now,
        updatedAt: now,
      };
      const failed = { id: { in: ids }, status: 'FAILED' } as const;
      await prisma.onlineMeeting.updateMany({
        where: { ...failed, joinUrl: null },
        data: { ...again, status: after('FAILED', 'wanted again') },
      });
      await prisma.onlineMeeting.updateMany({
        where: failed,
        data: { ...again, status: after('FAILED', 'changed again') },
      });
      await prisma.onlineMeeting.updateMany({ where: { id: { in: ids }, status: 'CANCELLING' }, data: again });
      for (const [index, id] of ids.entries()) {
        await addJob(prisma, 'sync_meeting', { meetingId: id }, { key: id, delayMs: index * SPACING_MS });
      }
      const defaults = await reopenDefaults(prisma, { now, gaveUpBefore: before, limit: atOnce });
      if (ids.length === atOnce || defaults === atOnce) await planNextRetryOfBlocked(prisma, before);
      if (gaveUpBefore !== undefined) return ids.length;
      await reopenCaptures(prisma, now);
      await planSweep(prisma);
      return ids.length;
    });
}
