import type { TenantPrisma } from '../../db/database.ts';
import { appendAudit } from '../audit/audit.ts';
import type { Meeting } from '../meetings/meeting.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { EXPIRES_MS, firstLookAt } from './capture-rules.ts';
import type { Looked } from './look.ts';

/** A look as it was begun: by itself or because somebody asked, and when. */
export interface LookTaken {
  operation: 'capture' | 'refresh';
  began: Date;
}

/** Who looks at which meeting, and what came of it. */
export interface CaptureStore {
  /** Takes up to so many meetings of which a look is due, for as long as the lease runs. */
  takeDue(scope: Scope, limit: number): Promise<Meeting[]>;
  /** Takes one meeting; null when somebody else has it. */
  take(scope: Scope, meetingId: string): Promise<Meeting | null>;
  /**
   * Stores what looks found out and lets go of their meetings. Of a meeting that was made due meanwhile, because there
   * is something new or what was refused is allowed, that stands. One whose lease ran out belongs to somebody else.
   */
  finish(scope: Scope, look: LookTaken, looked: readonly Looked[]): Promise<void>;
  /** Lets go of meetings at which the look failed by an error of ours; others come first now. */
  putOff(scope: Scope, meetings: readonly Meeting[]): Promise<void>;
}

/** Longer than a job may run: a lease that runs out belongs to a process that died. */
const LEASE_MS = 90_000;
const PUT_OFF_MS = 3_600_000;

export function createCaptureStore(tools: ServiceTools): CaptureStore {
  const leaseEnd = () => new Date(tools.clock().getTime() + LEASE_MS);

  /** What was found is in the audit trail, and every click; a background look that found nothing is not. */
  async function audit(
    prisma: TenantPrisma,
    scope: Scope,
    operation: 'capture' | 'refresh',
    { meeting, newRecordings, newTranscripts, progress }: Looked,
  ): Promise<void> {
    const wasRefused = meeting.captureState === 'BLOCKED';
    const isNews = newRecordings + newTranscripts > 0 || (progress.captureState === 'BLOCKED') !== wasRefused;
    if (operation === 'capture' && !isNews) return;
    await appendAudit(prisma, tools, scope.viewer, {
      operation,
      meetingId: meeting.id,
      outcome: progress.captureFailure?.code ?? 'success',
      detail: { newRecordings, newTranscripts },
    });
  }

  function log(scope: Scope, { operation, began }: LookTaken, looked: Looked): void {
    const { meeting, newRecordings, newTranscripts, progress } = looked;
    const outcome = progress.captureFailure?.code ?? 'success';
    const durationMs = tools.clock().getTime() - began.getTime();
    tools.metrics.operationEnded(operation, outcome, durationMs);
    tools.metrics.artifactsCaptured('recording', newRecordings);
    tools.metrics.artifactsCaptured('transcript', newTranscripts);
    const isQuiet = operation === 'capture' && newRecordings + newTranscripts === 0 && outcome === 'success';
    tools.logger[isQuiet ? 'debug' : 'info'](
      {
        tenantId: scope.db.tenantId,
        meetingId: meeting.id,
        outcome,
        state: progress.captureState,
        durationMs,
        graphRequestId: progress.captureFailure?.graphRequestId ?? null,
        newRecordings,
        newTranscripts,
      },
      `[TeamsMeetings] operation=${operation}`,
    );
  }

  return {
    takeDue: (scope, limit) =>
      scope.db.transaction(async (prisma) => {
        const now = tools.clock();
        const firstDue = new Date(2 * now.getTime() - firstLookAt({ endsAt: now }).getTime());
        const expired = new Date(now.getTime() - EXPIRES_MS);
        const taken = await prisma.$queryRaw<{ id: string }[]>`
          WITH due AS MATERIALIZED (
             SELECT id FROM online_meetings
              WHERE tenant_id = current_setting('app.tenant_id') AND status IN ('SCHEDULED', 'FAILED')
                AND is_calendar_backed AND join_url IS NOT NULL AND organizer_object_id IS NOT NULL AND left_in IS NULL
                AND (capture_leased_until IS NULL OR capture_leased_until <= ${now})
                AND (capture_next_at <= ${now}
                     OR (ends_at <= ${firstDue} AND ends_at > ${expired} AND (capture_last_attempt_at IS NULL OR capture_last_attempt_at < ends_at)))
              ORDER BY ends_at DESC LIMIT ${limit}::int FOR UPDATE SKIP LOCKED)
          UPDATE online_meetings SET capture_leased_until = ${leaseEnd()}
           WHERE tenant_id = current_setting('app.tenant_id') AND id IN (SELECT id FROM due)
          RETURNING id::text AS id`;
        return prisma.onlineMeeting.findMany({ where: { id: { in: taken.map(({ id }) => id) } } });
      }),

    take: (scope, meetingId) =>
      scope.db.transaction(async (prisma) => {
        const { count } = await prisma.onlineMeeting.updateMany({
          where: {
            id: meetingId,
            OR: [{ captureLeasedUntil: null }, { captureLeasedUntil: { lte: tools.clock() } }],
          },
          data: { captureLeasedUntil: leaseEnd() },
        });
        return count === 0 ? null : prisma.onlineMeeting.findFirst({ where: { id: meetingId } });
      }),

    async finish(scope, look, looked) {
      const now = tools.clock();
      const rows = looked.map(({ meeting, progress }) => ({
        id: meeting.id,
        lease: meeting.captureLeasedUntil,
        dueBefore: meeting.captureNextAt,
        ...progress,
      }));
      await scope.db.transaction(async (prisma) => {
        const finished = await prisma.$queryRaw<{ id: string }[]>`
          UPDATE online_meetings m
             SET capture_state = x."captureState"::capture_state,
                 capture_next_at = CASE WHEN m.capture_next_at IS DISTINCT FROM x."dueBefore"
                                        THEN m.capture_next_at ELSE x."captureNextAt" END,
                 capture_refused = CASE WHEN m.capture_next_at IS DISTINCT FROM x."dueBefore" THEN m.capture_refused
                                        ELSE ARRAY(SELECT jsonb_array_elements_text(x."captureRefused")) END,
                 capture_failure = x."captureFailure", capture_attempts = m.capture_attempts + 1,
                 capture_last_attempt_at = ${now}, capture_leased_until = NULL
            FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS x(
                 id uuid, lease timestamptz, "dueBefore" timestamptz, "captureState" text, "captureNextAt" timestamptz,
                 "captureFailure" jsonb, "captureRefused" jsonb)
           WHERE m.tenant_id = current_setting('app.tenant_id') AND m.id = x.id AND m.capture_leased_until = x.lease
          RETURNING m.id::text AS id`;
        const ids = new Set(finished.map(({ id }) => id));
        for (const one of looked) if (ids.has(one.meeting.id)) await audit(prisma, scope, look.operation, one);
      });
      for (const one of looked) log(scope, look, one);
    },

    async putOff(scope, meetings) {
      const captureNextAt = new Date(tools.clock().getTime() + PUT_OFF_MS);
      await scope.db.run(async (prisma) => {
        for (const { id, captureLeasedUntil } of meetings) {
          await prisma.onlineMeeting.updateMany({
            where: { id, captureLeasedUntil },
            data: { captureLeasedUntil: null, captureNextAt, captureLastAttemptAt: tools.clock() },
          });
        }
      });
    },
  };
}
