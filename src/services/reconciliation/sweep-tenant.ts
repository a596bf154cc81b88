import { addJob } from '../../db/job-queue.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import { explain } from '../failures.ts';
import { planSweep, SWEEP_EVERY_MS } from '../meetings/planned-jobs.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { planSubscriptionsLater } from '../notifications/planned.ts';
import { planCopies } from '../recordings/planned-copies.ts';
import { planRetention } from '../retention/planned-retention.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { planIndexingIfNeeded } from '../transcripts/index-transcripts.ts';
import type { ReconcileCalendar } from './reconcile-calendar.ts';

/** Looks over a tenant: takes up what got stuck and holds the calendar against what is stored. Plans itself again. */
export type SweepTenant = (scope: Scope) => Promise<void>;

/** A meeting that is due for so long has lost its job. */
const STUCK_AFTER_MS = 2 * 60_000;

/** An event or a mail that waits for longer than this has lost its job, or its job waits for its next try. */
const UNSENT_AFTER_MS = 10 * 60_000;

/** What is older than this is left to a person; see what delivers events and sends mails. */
const UNSENT_FOR_MS = 3 * 24 * 3_600_000;

export function makeSweepTenant(
  deps: { microsoftApp: MicrosoftAppService; reconcileCalendar: ReconcileCalendar },
  tools: ServiceTools,
): SweepTenant {
  /** Adds the job of each meeting that is due and that nobody is at. There should be none. */
  async function rescueStuck(scope: Scope): Promise<void> {
    const before = new Date(tools.clock().getTime() - STUCK_AFTER_MS);
    const stuck = await scope.db.transaction(async (prisma) => {
      const rows = await prisma.onlineMeeting.findMany({
        where: { nextAttemptAt: { lt: before }, OR: [{ leasedUntil: null }, { leasedUntil: { lt: before } }] },
        select: { id: true },
        take: 500,
      });
      for (const { id } of rows) await addJob(prisma, 'sync_meeting', { meetingId: id }, { key: id });
      return rows;
    });
    for (const { id } of stuck) {
      tools.metrics.driftFound('stuck');
      tools.logger.warn({ tenantId: scope.db.tenantId, meetingId: id }, '[TeamsMeetings] operation=sweep was stuck');
    }
  }

  /** Adds the jobs of events and mails that were not sent; one that waits already keeps its time. */
  async function rescueUnsent(scope: Scope): Promise<void> {
    const now = tools.clock().getTime();
    const createdAt = { gt: new Date(now - UNSENT_FOR_MS), lt: new Date(now - UNSENT_AFTER_MS) };
    await scope.db.transaction(async (prisma) => {
      const events = await prisma.outgoingEvent.findMany({
        where: { deliveredAt: null, createdAt },
        distinct: ['meetingId'],
        select: { meetingId: true },
        take: 200,
      });
      for (const { meetingId } of events) {
        await addJob(prisma, 'deliver_events', { meetingId }, { key: meetingId, serial: meetingId, keepTime: true });
      }
      const mails = await prisma.invitationMail.findMany({
        where: { sentAt: null, lastError: null, createdAt },
        select: { id: true },
        take: 200,
      });
      for (const { id } of mails) await addJob(prisma, 'send_invitation', { mailId: id }, { key: id, keepTime: true });
    });
  }

  /**
   * Those of meetings that are not over, also without a known event: what an unanswered create made may be in their
   * calendar alone. And the one of today: a restored database may lack the meetings.
   */
  async function organizersOf(scope: Scope): Promise<Set<string>> {
    const [rows, settings] = await scope.db.run(async (prisma) => [
      await prisma.onlineMeeting.findMany({
        where: { organizerObjectId: { not: null }, leftIn: null, endsAt: { gt: tools.clock() } },
        distinct: ['organizerObjectId'],
        select: { organizerObjectId: true },
      }),
      await prisma.teamsIntegration.findMany({ select: { organizerObjectId: true } }),
    ]);
    return new Set(
      [...rows, ...settings].flatMap(({ organizerObjectId }) =>
        organizerObjectId === null ? [] : [organizerObjectId],
      ),
    );
  }

  return async (scope) => {
    // Planned first: whatever happens below, the next sweep comes.
    await scope.db.transaction(async (prisma) => {
      await addJob(prisma, 'sweep_tenant', {}, { key: 'all', delayMs: SWEEP_EVERY_MS });
      await planSweep(prisma);
      await planSubscriptionsLater(prisma, null);
    });
    await rescueStuck(scope);
    await rescueUnsent(scope);
    await scope.db.transaction(async (prisma) => {
      await planCopies(prisma, tools.clock());
      await planRetention(prisma);
      await planIndexingIfNeeded(prisma);
    });
    const graph = await deps.microsoftApp.graphFor(scope);
    if (graph === null) return;
    for (const organizerId of await organizersOf(scope)) {
      try {
        await deps.reconcileCalendar(scope, graph, organizerId);
      } catch (error) {
        if (!(error instanceof GraphRequestError)) throw error;
        const { code, graphRequestId } = explain(error);
        const fields = { tenantId: scope.db.tenantId, organizerId, outcome: code, graphRequestId };
        tools.logger.warn(fields, '[TeamsMeetings] operation=reconcile the calendar was not read');
      }
    }
  };
}
