import type { TenantPrisma } from '../../db/database.ts';
import { planCapture } from '../meetings/planned-jobs.ts';
import { EXPIRES_MS } from './capture-rules.ts';

/** Makes due what Microsoft refused; call it where what was refused may be allowed by now. */
export async function reopenCaptures(prisma: TenantPrisma, now: Date): Promise<void> {
  const { count } = await prisma.onlineMeeting.updateMany({
    where: { captureState: 'BLOCKED', endsAt: { gt: new Date(now.getTime() - EXPIRES_MS) } },
    data: { captureNextAt: now, captureRefused: [] },
  });
  if (count > 0) await planCapture(prisma);
}
