import { addJob } from '../../../db/job-queue.ts';
import { GraphRequestError } from '../../../graph/errors.ts';
import { annotateSpan, inSpan } from '../../../telemetry/tracing.ts';
import { CREDENTIAL_UNREADABLE, type StoredFailure, toStoredFailure } from '../../failures.ts';
import { SecretUnreadableError } from '../../microsoft-app/key-ring.ts';
import type { MicrosoftAppService } from '../../microsoft-app/microsoft-app.ts';
import { DatabaseUnavailableError, type Scope, type ServiceTools } from '../../scope.ts';
import type { CapabilityService } from '../../settings/capability.ts';
import type { SettingsService } from '../../settings/settings.ts';
import { leftBehind } from '../left-behind.ts';
import { bringAbout, type Progress, SyncFailure } from './bring-about.ts';
import { type Claim, claimMeeting, refreshClaim, SupersededError } from './claim.ts';
import { isFreshlyVerified } from './freshness.ts';
import { QUICK_TRIES, QUICK_WAIT_MS, RUN_MS } from './limits.ts';
import type { FailedTry, OutcomeStore } from './outcome.ts';
import { judge, mayFlap, waitBeforeRetry } from './retry-policy.ts';

/** `busy`: somebody else is at it. `idle`: nothing is to be done, or a person has to act first. */
export type SyncResult = 'done' | 'busy' | 'idle';

/**
 * Brings a meeting at Microsoft to what is wanted here, one worker at a time, until nothing newer is wanted. Passing
 * failures are tried again at once a few times, then by a job. Rejects only for errors that are not Microsoft's.
 */
export type SyncMeeting = (scope: Scope, meetingId: string) => Promise<SyncResult>;

export interface SyncDeps {
  microsoftApp: MicrosoftAppService;
  settings: SettingsService;
  capability: CapabilityService;
  outcomes: OutcomeStore;
}

function progressOf({ meeting }: Claim): Progress {
  const { graphEventId, iCalUid, joinUrl, graphOnlineMeetingId, transactionId, createUnconfirmed, lateCreateUntil } =
    meeting;
  const { organizerUpn, organizerObjectId, organizerDisplayName } = meeting;
  return {
    graphEventId,
    iCalUid,
    joinUrl,
    graphOnlineMeetingId,
    transactionId,
    createUnconfirmed,
    lateCreateUntil,
    organizerUpn,
    organizerObjectId,
    organizerDisplayName,
  };
}

export function makeSyncMeeting(deps: SyncDeps, tools: ServiceTools): SyncMeeting {
  const { microsoftApp, settings, capability, outcomes } = deps;

  async function failedTry(scope: Scope, error: GraphRequestError | SyncFailure): Promise<FailedTry> {
    const now = tools.clock();
    if (error instanceof SyncFailure) {
      const failure: StoredFailure = { ...error.failure, occurredAt: now.toISOString() };
      return { failure, verdict: error.verdict, retryAfterMs: null };
    }
    const verdict = judge(error.kind, mayFlap(error.kind) && (await isFreshlyVerified(scope, settings, tools)));
    return { failure: toStoredFailure(error, now), verdict, retryAfterMs: error.retryAfterMs };
  }

  async function tryOnce(scope: Scope, claim: Claim, progress: Progress) {
    const graph = await microsoftApp.graphFor(scope);
    if (graph === null) {
      throw new SyncFailure('person', {
        code: 'NOT_CONFIGURED',
        message: 'No Microsoft app is connected.',
        remedy: 'An administrator runs connectMicrosoftApp.',
      });
    }
    const elsewhere = leftBehind(claim.meeting);
    if (elsewhere !== null) throw new SyncFailure('person', elsewhere);
    return bringAbout(scope, tools, { graph, organizer: () => capability.organizer(scope) }, claim, progress);
  }

  function log(scope: Scope, { meeting }: Claim, began: number, failed: FailedTry | null): void {
    const outcome = failed?.failure.code ?? 'success';
    const durationMs = tools.clock().getTime() - began;
    tools.metrics.operationEnded(meeting.operation, outcome, durationMs);
    annotateSpan({ 'teams_meetings.outcome': outcome });
    const fields = {
      tenantId: scope.db.tenantId,
      meetingId: meeting.id,
      outcome,
      durationMs,
      graphRequestId: failed?.failure.graphRequestId ?? null,
    };
    const line = `[TeamsMeetings] operation=${meeting.operation}`;
    if (failed?.verdict === 'bug') tools.logger.error(fields, `${line} Microsoft refused what we sent`);
    else tools.logger.info(fields, line);
  }

  /** An error of ours is logged with its cause, and tried again and given up like one of Microsoft's. */
  function ofMicrosoftOrOurs(error: unknown, { meeting }: Claim): GraphRequestError | SyncFailure {
    if (error instanceof GraphRequestError || error instanceof SyncFailure) return error;
    const fields = { err: error, tenantId: meeting.tenantId, meetingId: meeting.id };
    tools.logger.error(fields, `[TeamsMeetings] operation=${meeting.operation} failed`);
    if (error instanceof SecretUnreadableError) return new SyncFailure('person', CREDENTIAL_UNREADABLE);
    return new SyncFailure('transient', {
      code: 'GRAPH_UNAVAILABLE',
      message: 'Something went wrong on our side before Microsoft could be asked.',
      remedy: 'An operator finds the cause in the log, under the id of the meeting.',
    });
  }

  /** Where the mailbox is gone, so is whatever an unanswered create may have made in it. */
  function forgetLostMailbox(error: unknown, progress: Progress): void {
    const isGone =
      error instanceof GraphRequestError && (error.kind === 'USER_NOT_FOUND' || error.kind === 'MAILBOX_UNAVAILABLE');
    if (isGone && progress.graphEventId === null) progress.createUnconfirmed = false;
  }

  /**
   * Deals with a failed try: waits for the next one, or stores that it failed and leaves the rest to a job or a person.
   *
   * @returns the number of tries that went wrong in a row for what is wanted now; null when this worker is done
   */
  async function afterFailure(
    scope: Scope,
    claim: Claim,
    progress: Progress,
    error: unknown,
    { tries, began }: { tries: number; began: number },
  ): Promise<number | null> {
    forgetLostMailbox(error, progress);
    // The job that was planned with the lease goes on when the database is back.
    if (error instanceof DatabaseUnavailableError) throw error;
    if (error instanceof SupersededError) {
      await keep(scope, claim, progress);
      return 0;
    }
    const failed = await failedTry(scope, ofMicrosoftOrOurs(error, claim));
    const waitMs = waitBeforeRetry(tries, failed.retryAfterMs, tools.random());
    const isLate = tools.clock().getTime() - began + waitMs > RUN_MS;
    if (failed.verdict === 'transient' && tries < QUICK_TRIES && waitMs <= QUICK_WAIT_MS && !isLate) {
      await keep(scope, claim, progress);
      await tools.sleep(waitMs);
      return tries;
    }
    const stored = await outcomes.failure(scope, claim, progress, failed);
    if (stored.kind === 'settled') log(scope, claim, began, failed);
    return stored.kind === 'moved-on' ? 0 : null;
  }

  /** One claim, up to its end: settled, handed to a job, or lost to somebody else. */
  async function run(scope: Scope, first: Claim): Promise<void> {
    const began = tools.clock().getTime();
    let failures = 0;
    for (let claim: Claim | null = first; claim !== null; claim = await refreshClaim(scope, tools, claim)) {
      const progress = progressOf(claim);
      try {
        const outcome = await tryOnce(scope, claim, progress);
        const stored = await outcomes.success(scope, claim, progress, outcome);
        if (stored.kind === 'settled') log(scope, claim, began, null);
        if (stored.kind !== 'moved-on') return;
        failures = 0;
      } catch (error) {
        const left = await afterFailure(scope, claim, progress, error, { tries: failures + 1, began });
        if (left === null) return;
        failures = left;
      }
    }
  }

  /** What a failed try learned must outlive this process: an event may be made whose id nobody else knows. */
  async function keep(scope: Scope, { meeting, token }: Claim, progress: Progress): Promise<void> {
    const { joinUrl: _link, ...known } = progress;
    await scope.db.run((prisma) =>
      prisma.onlineMeeting.updateMany({ where: { id: meeting.id, leaseToken: token }, data: known }),
    );
  }

  return async (scope, meetingId) => {
    const claim = await claimMeeting(scope, tools, meetingId);
    if (claim === 'busy' || claim === 'idle') return claim;
    const { id, operation } = claim.meeting;
    const attributes = { 'teams_meetings.tenant_id': scope.db.tenantId, 'teams_meetings.meeting_id': id };
    await inSpan(`meeting ${operation}`, { attributes }, () => run(scope, claim));
    return 'done';
  };
}

/** The same for a job: a meeting that somebody else has is looked at again when their lease has run out. */
export function makeSyncMeetingJob(sync: SyncMeeting): (scope: Scope, meetingId: string) => Promise<void> {
  return async (scope, meetingId) => {
    if ((await sync(scope, meetingId)) !== 'busy') return;
    await scope.db.transaction(async (prisma) => {
      const meeting = await prisma.onlineMeeting.findFirst({ where: { id: meetingId } });
      if (meeting?.leasedUntil == null) return;
      await addJob(prisma, 'sync_meeting', { meetingId }, { key: meetingId, delayMs: 5_000, keepTime: true });
    });
  };
}
