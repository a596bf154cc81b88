import type { PsaEvent as StoredPsaEvent } from '../../generated/prisma/client.ts';
import { actorOf, appendAudit } from '../audit/audit.ts';
import type { UserErrorCode } from '../failures.ts';
import { type Meeting, statusAt } from '../meetings/meeting.ts';
import type { MeetingOperations, MeetingResult } from '../meetings/operations.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { backgroundViewer } from '../viewer.ts';
import { type PsaEvent, readPsaEvent } from './psa-event.ts';

/** What came of an event. A code is the operation's first user error. */
export type PsaEventOutcome = 'applied' | 'superseded' | 'no-meeting' | 'meeting-over' | UserErrorCode;

/**
 * Does what a stored event of the PSA asks for. It may run any number of times: an event that was applied is left
 * alone, and the operations themselves can be repeated. The events of one appointment or interaction must be applied
 * one after the other (their jobs are serial). The order of delivery does not matter, except for two of the same time.
 *
 * @throws when the database is away, so that the queue tries again
 */
export type ApplyPsaEvent = (scope: Scope, eventId: string) => Promise<void>;

interface Applied {
  outcome: PsaEventOutcome;
  meetingId?: string;
}

function eventOf(row: StoredPsaEvent): PsaEvent {
  const read = readPsaEvent({ type: row.type, timestamp: row.occurredAt.toISOString(), data: row.data });
  if (read.kind !== 'event') throw new Error('A stored event of the PSA cannot be read');
  return read.event;
}

/** How far the PSA's clock and ours may be apart. */
const CLOCKS_DIFFER_BY_MS = 60_000;

export function makeApplyPsaEvent(
  deps: { operations: Pick<MeetingOperations, 'reschedule' | 'cancel'> },
  tools: ServiceTools,
): ApplyPsaEvent {
  /** Deliveries overtake each other; what happened later in the PSA is what counts. */
  async function isSuperseded(scope: Scope, { type, owner, occurredAt }: PsaEvent): Promise<boolean> {
    // An appointment and an interaction may have the same id: the type tells them apart.
    const startsWith = type.slice(0, type.indexOf('.') + 1);
    const later = await scope.db.run((prisma) =>
      prisma.psaEvent.findFirst({
        where: {
          subjectId: owner.id,
          type: { startsWith },
          occurredAt: { gt: occurredAt },
          appliedAt: { not: null },
        },
        select: { id: true },
      }),
    );
    return later !== null;
  }

  function activeMeeting(scope: Scope, { field, id }: PsaEvent['owner']): Promise<Meeting | null> {
    return scope.db.run((prisma) =>
      prisma.onlineMeeting.findFirst({ where: { [field]: id, status: { notIn: ['CANCELLED', 'CANCELLING'] } } }),
    );
  }

  /**
   * A late event does not undo what somebody wished for here after it: another time, or a new meeting for the same
   * appointment. Clocks differ, so that the benefit of the doubt is the event's.
   */
  async function isOlderThan(scope: Scope, meeting: Meeting, { wish, occurredAt }: PsaEvent): Promise<boolean> {
    const until = new Date(occurredAt.getTime() + CLOCKS_DIFFER_BY_MS);
    if (wish.kind === 'cancel') return meeting.createdAt > until;
    const newer = await scope.db.run((prisma) =>
      prisma.auditEvent.findFirst({
        where: {
          meetingId: meeting.id,
          outcome: 'accepted',
          at: { gt: until },
          actor: { not: actorOf(scope.viewer) },
        },
        select: { id: true },
      }),
    );
    return newer !== null;
  }

  function operate(scope: Scope, meetingId: string, { wish }: PsaEvent): Promise<MeetingResult> {
    if (wish.kind === 'cancel') return deps.operations.cancel(scope, { meetingId, comment: wish.comment ?? null });
    const { startsAt, endsAt, subject } = wish;
    return deps.operations.reschedule(scope, {
      meetingId,
      startsAt,
      endsAt,
      ...(subject === undefined ? {} : { subject }),
    });
  }

  async function apply(scope: Scope, event: PsaEvent): Promise<Applied> {
    if (await isSuperseded(scope, event)) return { outcome: 'superseded' };
    const meeting = await activeMeeting(scope, event.owner);
    if (meeting === null) return { outcome: 'no-meeting' };
    const meetingId = meeting.id;
    // Its recordings hang on it: an appointment that is tidied away afterwards must not take them along.
    if (event.wish.kind === 'cancel' && statusAt(meeting, tools.clock()) === 'ENDED')
      return { outcome: 'meeting-over', meetingId };
    if (await isOlderThan(scope, meeting, event)) return { outcome: 'superseded', meetingId };
    const { userErrors } = await operate(scope, meetingId, event);
    return { outcome: userErrors[0]?.code ?? 'applied', meetingId };
  }

  /** False where another run of the same job was faster. */
  function storeOutcome(scope: Scope, row: StoredPsaEvent, { outcome, meetingId }: Applied): Promise<boolean> {
    return scope.db.transaction(async (prisma) => {
      const { count } = await prisma.psaEvent.updateMany({
        where: { id: row.id, appliedAt: null },
        data: { appliedAt: tools.clock(), outcome },
      });
      if (count === 0) return false;
      await appendAudit(prisma, tools, scope.viewer, {
        operation: 'psa-event',
        outcome,
        ...(meetingId === undefined ? {} : { meetingId }),
        detail: { eventId: row.id, type: row.type, subjectId: row.subjectId },
      });
      return true;
    });
  }

  return async ({ db }, eventId) => {
    const scope: Scope = { db, viewer: backgroundViewer(db.tenantId, 'psa') };
    const began = tools.clock().getTime();
    const row = await db.run((prisma) => prisma.psaEvent.findFirst({ where: { id: eventId } }));
    if (row === null || row.appliedAt !== null) return;
    const applied = await apply(scope, eventOf(row));
    if (!(await storeOutcome(scope, row, applied))) return;

    const isRefused = applied.outcome === applied.outcome.toUpperCase();
    tools.logger[isRefused ? 'warn' : 'info'](
      {
        tenantId: db.tenantId,
        meetingId: applied.meetingId ?? null,
        eventId,
        type: row.type,
        outcome: applied.outcome,
        durationMs: tools.clock().getTime() - began,
      },
      `[TeamsMeetings] operation=psa-event ${isRefused ? 'the meeting was not changed' : 'applied'}`,
    );
  };
}
