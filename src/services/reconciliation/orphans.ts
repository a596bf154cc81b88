import { addJob } from '../../db/job-queue.ts';
import type { GraphClient, MarkedEvent } from '../../graph/types.ts';
import { appendAudit } from '../audit/audit.ts';
import { after } from '../meetings/lifecycle.ts';
import { isCancelled, type Meeting } from '../meetings/meeting.ts';
import { wellFormedIds } from '../meetings/meeting-reads.ts';
import { isLeased, lockMeeting } from '../meetings/sync/claim.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { verificationEvent } from '../verification/probe-event.ts';
import { rebuildMeeting } from './rebuild-meeting.ts';

/** Finds events of ours that no meeting owns: removes them, or gives them to the meeting that waits for one. */
export type RemoveOrphans = (scope: Scope, graph: GraphClient, organizerId: string) => Promise<void>;

const DAY_MS = 24 * 3_600_000;
const WINDOW_MS = 31 * DAY_MS;

type Verdict = 'owned' | 'orphan' | 'adopted' | 'unknown';

/**
 * Makes the search. An event whose meeting is not stored here at all is no rest of an operation of ours, which always
 * stores the meeting first, but a sign that the database was restored from a backup: it gets its meeting back.
 */
export function makeRemoveOrphans(tools: ServiceTools): RemoveOrphans {
  async function judge(scope: Scope, organizerId: string, marked: MarkedEvent): Promise<Verdict> {
    const { event } = marked;
    const ofVerification = verificationEvent(marked, tools.clock());
    if (ofVerification !== null) return ofVerification === 'left' ? 'orphan' : 'owned';
    const [meetingId] = wellFormedIds([marked.meetingId ?? '']);
    if (meetingId === undefined) return 'unknown';
    return scope.db.transaction(async (prisma) => {
      const row = await lockMeeting(prisma, meetingId);
      if (row === null) return rebuildMeeting(prisma, tools, organizerId, meetingId, marked);
      if (row.graphEventId === event.id) return isOrphan(row) ? 'orphan' : 'owned';
      // Somebody is at it or will be: what an unanswered create made is found by the next try itself.
      if (isLeased(row, tools.clock()) || row.nextAttemptAt !== null) return 'owned';
      // Only an app gives an event a transaction id: this one is a copy that somebody made by hand.
      if (event.transactionId === null) return 'unknown';
      if (isCancelled(row) || row.graphEventId !== null || row.organizerObjectId !== organizerId) return 'orphan';
      await prisma.onlineMeeting.updateMany({
        where: { id: row.id },
        data: {
          graphEventId: event.id,
          createUnconfirmed: false,
          status: after(row.status, 'wanted again'),
          failedAttempts: 0,
          failingSince: null,
          nextAttemptAt: tools.clock(),
        },
      });
      await addJob(prisma, 'sync_meeting', { meetingId: row.id }, { key: row.id });
      return 'adopted';
    });
  }

  /** The cancellation is done with as far as we know, and the event is there all the same. */
  function isOrphan(row: Meeting): boolean {
    return row.status === 'CANCELLED' && row.version === row.syncedVersion;
  }

  return async (scope, graph, organizerId) => {
    const now = tools.clock().getTime();
    const range = { startsFrom: new Date(now - DAY_MS), startsBefore: new Date(now + WINDOW_MS) };
    for (const marked of await graph.events.listMarked(organizerId, scope.db.tenantId, range)) {
      const verdict = await judge(scope, organizerId, marked);
      if (verdict === 'owned') continue;
      const fields = { tenantId: scope.db.tenantId, meetingId: marked.meetingId, outcome: verdict };
      if (verdict === 'unknown') {
        tools.logger.warn(
          fields,
          '[TeamsMeetings] operation=reconcile an event with our marker belongs to no stored meeting',
        );
        continue;
      }
      if (verdict === 'orphan') await graph.events.delete(organizerId, marked.event.id);
      await scope.db.run((prisma) =>
        appendAudit(prisma, tools, scope.viewer, {
          operation: 'reconcile',
          outcome: verdict,
          ...(marked.meetingId === null ? {} : { meetingId: marked.meetingId }),
        }),
      );
      tools.metrics.driftFound(verdict);
      tools.logger.info(fields, '[TeamsMeetings] operation=reconcile');
    }
  };
}
