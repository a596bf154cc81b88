import type { TenantPrisma } from '../../../db/database.ts';
import { addJob } from '../../../db/job-queue.ts';
import type { Scope, ServiceTools } from '../../scope.ts';
import { holdSetUp } from '../../settings/lock-set-up.ts';
import type { Meeting, StoredAttendee } from '../meeting.ts';
import { LEASE_MS } from './limits.ts';

/** A meeting that is ours alone until the lease runs out; the token proves it to the database. */
export interface Claim {
  meeting: Meeting;
  /** All that are stored, those included who were taken off and are perhaps still in the calendar. */
  attendees: StoredAttendee[];
  token: string;
}

/** The meeting of a claim was changed, or taken over, by somebody else: nothing more may be sent for it. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';
}

/** Reads a meeting and keeps everybody else from changing it until the transaction ends. */
export async function lockMeeting(prisma: TenantPrisma, meetingId: string): Promise<Meeting | null> {
  await prisma.$queryRaw`
    SELECT FROM online_meetings
     WHERE tenant_id = current_setting('app.tenant_id') AND id = ${meetingId}::uuid FOR UPDATE`;
  return prisma.onlineMeeting.findFirst({ where: { id: meetingId } });
}

/** Whether Microsoft has to be asked for anything, and nobody has to act first. */
export function isDue(meeting: Meeting): boolean {
  if (meeting.nextAttemptAt === null) return false;
  return meeting.version > meeting.syncedVersion || (meeting.status === 'CANCELLED' && meeting.createUnconfirmed);
}

export function isLeased(meeting: Meeting, now: Date): boolean {
  return meeting.leasedUntil !== null && meeting.leasedUntil > now;
}

/** What the row says while somebody has it. Should they die, the next try is due when their lease runs out. */
export function leaseOf(tools: ServiceTools, token: string) {
  const leasedUntil = new Date(tools.clock().getTime() + LEASE_MS);
  return { leaseToken: token, leasedUntil, nextAttemptAt: leasedUntil };
}

/** Plans the job that goes on with a meeting should its holder die: nobody else would know of it. */
export function addSafetyNet(prisma: TenantPrisma, meetingId: string): Promise<void> {
  return addJob(prisma, 'sync_meeting', { meetingId }, { key: meetingId, delayMs: LEASE_MS + 1_000 });
}

export function attendeesOf(prisma: TenantPrisma, meetingId: string): Promise<StoredAttendee[]> {
  return prisma.meetingAttendee.findMany({ where: { meetingId }, orderBy: { position: 'asc' } });
}

/** Takes a meeting for oneself, or says why not. */
export async function claimMeeting(
  scope: Scope,
  tools: ServiceTools,
  meetingId: string,
): Promise<Claim | 'busy' | 'idle'> {
  return scope.db.transaction(async (prisma) => {
    // Whoever claims after another app was connected asks that one; whoever did before loses the lease by it.
    await holdSetUp(prisma);
    const meeting = await lockMeeting(prisma, meetingId);
    if (meeting === null || !isDue(meeting)) return 'idle';
    if (isLeased(meeting, tools.clock())) return 'busy';
    const token = tools.newId();
    await prisma.onlineMeeting.updateMany({ where: { id: meetingId }, data: leaseOf(tools, token) });
    await addSafetyNet(prisma, meetingId);
    return { meeting, attendees: await attendeesOf(prisma, meetingId), token };
  });
}

/** Reads a claimed meeting anew, after somebody changed what is wanted. Null when it is no longer ours. */
export async function refreshClaim(scope: Scope, tools: ServiceTools, claim: Claim): Promise<Claim | null> {
  return scope.db.transaction(async (prisma) => {
    const { count } = await prisma.onlineMeeting.updateMany({
      where: { id: claim.meeting.id, leaseToken: claim.token },
      data: leaseOf(tools, claim.token),
    });
    if (count === 0) return null;
    const meeting = await prisma.onlineMeeting.findFirstOrThrow({ where: { id: claim.meeting.id } });
    return { ...claim, meeting, attendees: await attendeesOf(prisma, meeting.id) };
  });
}
