import type { TenantPrisma } from '../../../db/database.ts';
import { addJob, removeJob } from '../../../db/job-queue.ts';
import { Prisma } from '../../../generated/prisma/client.ts';
import { newResponses, storeResponses } from '../../attendees/responses.ts';
import { appendAudit } from '../../audit/audit.ts';
import type { StoredFailure } from '../../failures.ts';
import type { Scope, ServiceTools } from '../../scope.ts';
import { after } from '../lifecycle.ts';
import { isCancelled, type Meeting } from '../meeting.ts';
import type { MeetingChange, MeetingListener } from '../meeting-listener.ts';
import type { Outcome, Progress } from './bring-about.ts';
import { addSafetyNet, type Claim, leaseOf, lockMeeting } from './claim.ts';
import { GIVE_UP_AFTER_MS, LOOK_AGAIN_MS } from './limits.ts';
import { type Verdict, waitBeforeRetry } from './retry-policy.ts';

/** `lost`: the meeting is no longer ours. `moved-on`: something newer is wanted, and it is still ours. */
export type Stored = { kind: 'lost' } | { kind: 'moved-on' } | { kind: 'settled'; meeting: Meeting };

export interface OutcomeStore {
  success(scope: Scope, claim: Claim, progress: Progress, outcome: Outcome): Promise<Stored>;
  failure(scope: Scope, claim: Claim, progress: Progress, failed: FailedTry): Promise<Stored>;
}

export interface FailedTry {
  failure: StoredFailure;
  verdict: Verdict;
  retryAfterMs: number | null;
}

const LET_GO = { leaseToken: null, leasedUntil: null };
const WELL = { failure: Prisma.DbNull, failedAttempts: 0, failingSince: null, nextAttemptAt: null };

/** The link of a cancelled meeting is gone from every answer, whatever Microsoft says of it. */
function linkOf(row: Meeting, progress: Progress): string | null {
  return isCancelled(row) ? null : progress.joinUrl;
}

function linkChanged(now: Date): StoredFailure {
  return {
    code: 'CONFLICT',
    message: 'The join link of the meeting has changed: the one that was sent out no longer works.',
    remedy: 'Send the new link to everybody who was invited. Somebody may have replaced the meeting in Outlook.',
    occurredAt: now.toISOString(),
    graphRequestId: null,
  };
}

/** Stores what became of a claimed meeting. Each outcome is one transaction with its audit entry, job and listeners. */
export function createOutcomeStore(listeners: readonly MeetingListener[], tools: ServiceTools): OutcomeStore {
  const audit = (prisma: TenantPrisma, scope: Scope, { meeting }: Claim, outcome: string) =>
    appendAudit(prisma, tools, scope.viewer, {
      operation: meeting.operation,
      meetingId: meeting.id,
      outcome,
      detail: { version: meeting.version },
    });

  async function settle(
    prisma: TenantPrisma,
    scope: Scope,
    meetingId: string,
    kind: MeetingChange['kind'] | null,
    data: Prisma.OnlineMeetingUpdateManyMutationInput,
  ): Promise<Stored> {
    await prisma.onlineMeeting.updateMany({
      where: { id: meetingId },
      data: { ...data, ...LET_GO, updatedAt: tools.clock() },
    });
    const meeting = await prisma.onlineMeeting.findFirstOrThrow({ where: { id: meetingId } });
    if (kind !== null) for (const listener of listeners) await listener(prisma, scope, { kind, meeting });
    return { kind: 'settled', meeting };
  }

  /** Something newer is wanted: what is known is kept, and so is the meeting. */
  async function moveOn(
    prisma: TenantPrisma,
    scope: Scope,
    row: Meeting,
    claim: Claim,
    progress: Progress,
  ): Promise<Stored> {
    const isMade = progress.graphEventId !== null && row.status === 'PROVISIONING' && progress.joinUrl !== null;
    await prisma.onlineMeeting.updateMany({
      where: { id: row.id },
      data: {
        ...progress,
        joinUrl: linkOf(row, progress),
        ...(isMade ? { status: after(row.status, 'made') } : {}),
        ...leaseOf(tools, claim.token),
      },
    });
    await addSafetyNet(prisma, row.id);
    await audit(prisma, scope, claim, 'superseded');
    return { kind: 'moved-on' };
  }

  return {
    success: (scope, claim, progress, outcome) =>
      scope.db.transaction(async (prisma) => {
        const row = await lockMeeting(prisma, claim.meeting.id);
        if (row === null || row.leaseToken !== claim.token) return { kind: 'lost' };
        if (row.version !== claim.meeting.version) return moveOn(prisma, scope, row, claim, progress);

        const synced = { ...progress, ...WELL, syncedVersion: row.version };
        await prisma.meetingAttendee.deleteMany({ where: { meetingId: row.id, isRemoved: true } });
        if (outcome.kind === 'cancelled') {
          const isNew = row.status !== 'CANCELLED';
          if (outcome.lookAgain) {
            await addJob(prisma, 'sync_meeting', { meetingId: row.id }, { key: row.id, delayMs: LOOK_AGAIN_MS });
          } else await removeJob(prisma, 'sync_meeting', row.id);
          if (isNew) await audit(prisma, scope, claim, 'success');
          return settle(prisma, scope, row.id, isNew ? 'cancelled' : null, {
            ...synced,
            status: after(row.status, isCancelled(row) ? 'removed' : 'deleted'),
            joinUrl: null,
            cancelReason: outcome.reason,
            nextAttemptAt: outcome.lookAgain ? new Date(tools.clock().getTime() + LOOK_AGAIN_MS) : null,
          });
        }
        const now = tools.clock();
        const { previousJoinUrl, event, read } = outcome;
        const isLinkChanged = previousJoinUrl !== null && previousJoinUrl !== progress.joinUrl;
        await storeResponses(prisma, newResponses(claim.attendees, event.attendees));
        await removeJob(prisma, 'sync_meeting', row.id);
        await audit(prisma, scope, claim, isLinkChanged ? 'CONFLICT' : 'success');
        return settle(prisma, scope, row.id, row.syncedVersion === 0 ? 'scheduled' : 'updated', {
          ...synced,
          ...read,
          status: after(row.status, 'made'),
          ...(isLinkChanged ? { failure: { ...linkChanged(now) } } : {}),
        });
      }),

    failure: (scope, claim, progress, { failure, verdict, retryAfterMs }) =>
      scope.db.transaction(async (prisma) => {
        const row = await lockMeeting(prisma, claim.meeting.id);
        if (row === null || row.leaseToken !== claim.token) return { kind: 'lost' };
        if (row.version !== claim.meeting.version) return moveOn(prisma, scope, row, claim, progress);

        const now = tools.clock();
        const failedAttempts = row.failedAttempts + 1;
        const failingSince = row.failingSince ?? now;
        const isGivenUp = now.getTime() - failingSince.getTime() >= GIVE_UP_AFTER_MS;
        const failed = {
          ...progress,
          joinUrl: linkOf(row, progress),
          failure: { ...failure },
          failedAttempts,
          failingSince,
        };
        if (verdict === 'transient' && !isGivenUp) {
          const delayMs = waitBeforeRetry(failedAttempts, retryAfterMs, tools.random());
          await addJob(prisma, 'sync_meeting', { meetingId: row.id }, { key: row.id, delayMs });
          await audit(prisma, scope, claim, failure.code);
          return settle(prisma, scope, row.id, null, { ...failed, nextAttemptAt: new Date(now.getTime() + delayMs) });
        }
        await removeJob(prisma, 'sync_meeting', row.id);
        await audit(prisma, scope, claim, failure.code);
        // One that is cancelled was only looked for once more: what is left is found by the sweep.
        if (row.status === 'CANCELLED') {
          return settle(prisma, scope, row.id, null, { ...progress, joinUrl: null, nextAttemptAt: null });
        }
        return settle(prisma, scope, row.id, 'failed', {
          ...failed,
          nextAttemptAt: null,
          status: after(row.status, 'refused'),
        });
      }),
  };
}
