import type { TenantPrisma } from '../../db/database.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import { appendAudit } from '../audit/audit.ts';
import type { UserError } from '../failures.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { Organizer } from '../settings/capability.ts';
import { replaceAttendees } from './change-attendees.ts';
import { leftBehind } from './left-behind.ts';
import { after } from './lifecycle.ts';
import { isCancelled, type Meeting, statusAt } from './meeting.ts';
import { hashIntent, type MeetingIntent } from './meeting-input.ts';
import { planSweep, planSync } from './planned-jobs.ts';
import { lockMeeting } from './sync/claim.ts';

/** How the tenant looks when a meeting is asked for. */
export interface CreateCircumstances {
  organizer: Organizer;
  sendsInvites: boolean;
}

/** What became of an accepted intent: a meeting that is new or was there, or a misused key. One of another directory must not be offered as the wanted one. */
export type AcceptedIntent =
  | { kind: 'accepted' | 'existing'; meeting: Meeting }
  | { kind: 'left-behind'; meeting: Meeting; error: UserError }
  | { kind: 'conflict' };

/** What every accepted operation does to a meeting: it is wanted anew, and whatever failed before is forgotten. */
export function newIntent(tools: ServiceTools, operation: string) {
  const now = tools.clock();
  return {
    operation,
    version: { increment: 1 },
    failure: Prisma.DbNull,
    failedAttempts: 0,
    failingSince: null,
    nextAttemptAt: now,
    updatedAt: now,
  };
}

function contentOf(intent: MeetingIntent) {
  const { subject, startsAt, endsAt, timeZone, description, clientId, contactId } = intent;
  return { subject, startsAt, endsAt, timeZone, description, clientId, contactId, inputHash: hashIntent(intent) };
}

async function writeAttendees(prisma: TenantPrisma, meetingId: string, intent: MeetingIntent): Promise<void> {
  await prisma.meetingAttendee.createMany({
    data: intent.attendees.map((attendee, position) => ({ ...attendee, meetingId, position })),
  });
}

async function findEarlier(prisma: TenantPrisma, intent: MeetingIntent): Promise<Meeting | null> {
  if (intent.idempotencyKey !== null) {
    const sameKey = await prisma.onlineMeeting.findFirst({ where: { idempotencyKey: intent.idempotencyKey } });
    if (sameKey !== null) return lockMeeting(prisma, sameKey.id);
  }
  const { appointmentId, interactionId } = intent;
  const active = await prisma.onlineMeeting.findFirst({
    where: { appointmentId, interactionId, status: { notIn: ['CANCELLED', 'CANCELLING'] } },
  });
  return active === null ? null : lockMeeting(prisma, active.id);
}

/** The database says that another caller stored a meeting for the same appointment, interaction or key first. */
function lostTheRace(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/**
 * Stores the intent and its job before anybody talks to Microsoft. There is one active meeting per appointment and
 * interaction: a second wish gets the first meeting back. One that failed before Microsoft made it is taken over with
 * the new wish and the same transaction id, so that what Microsoft may have made already is found again.
 */
export async function acceptIntent(
  scope: Scope,
  tools: ServiceTools,
  { organizer, sendsInvites }: CreateCircumstances,
  intent: MeetingIntent,
): Promise<AcceptedIntent> {
  const now = tools.clock();
  const audit = (prisma: TenantPrisma, meeting: Meeting) =>
    appendAudit(prisma, tools, scope.viewer, {
      operation: 'create',
      meetingId: meeting.id,
      outcome: 'accepted',
      detail: { version: meeting.version },
    });

  async function insert(prisma: TenantPrisma): Promise<AcceptedIntent> {
    const id = tools.newId();
    const meeting = await prisma.onlineMeeting.create({
      data: {
        ...contentOf(intent),
        id,
        appointmentId: intent.appointmentId,
        interactionId: intent.interactionId,
        status: 'PROVISIONING',
        organizerUpn: organizer.upn,
        organizerObjectId: organizer.objectId,
        organizerDisplayName: organizer.displayName,
        transactionId: id,
        sendsInvites,
        mailsInvitations: intent.sendInvitations,
        idempotencyKey: intent.idempotencyKey,
        nextAttemptAt: now,
        createdBy: scope.viewer.id,
        createdAt: now,
        updatedAt: now,
      },
    });
    await writeAttendees(prisma, id, intent);
    await planSync(prisma, id);
    await planSweep(prisma);
    await audit(prisma, meeting);
    return { kind: 'accepted', meeting };
  }

  /** Its content is Microsoft's business already once the event is made; only what failed before can be wished anew. */
  async function takeOver(prisma: TenantPrisma, earlier: Meeting): Promise<AcceptedIntent> {
    await prisma.onlineMeeting.updateMany({
      where: { id: earlier.id },
      data: {
        ...newIntent(tools, 'create'),
        ...contentOf(intent),
        sendsInvites,
        mailsInvitations: intent.sendInvitations,
        ...(intent.idempotencyKey === null ? {} : { idempotencyKey: intent.idempotencyKey }),
        status: after(earlier.status, 'wanted again'),
      },
    });
    // What Microsoft may have made already may invite somebody whom the new wish does not.
    await replaceAttendees(prisma, earlier.id, intent.attendees);
    await planSync(prisma, earlier.id);
    const meeting = await prisma.onlineMeeting.findFirstOrThrow({ where: { id: earlier.id } });
    await audit(prisma, meeting);
    return { kind: 'accepted', meeting };
  }

  async function attempt(prisma: TenantPrisma): Promise<AcceptedIntent> {
    const earlier = await findEarlier(prisma, intent);
    if (earlier === null) return insert(prisma);
    const isSameKey = intent.idempotencyKey !== null && earlier.idempotencyKey === intent.idempotencyKey;
    if (isSameKey && earlier.inputHash !== hashIntent(intent)) return { kind: 'conflict' };
    const elsewhere = isCancelled(earlier) || statusAt(earlier, now) === 'ENDED' ? null : leftBehind(earlier);
    if (elsewhere !== null) return { kind: 'left-behind', meeting: earlier, error: elsewhere };
    if (earlier.status !== 'FAILED' || earlier.graphEventId !== null) return { kind: 'existing', meeting: earlier };
    return takeOver(prisma, earlier);
  }

  try {
    return await scope.db.transaction(attempt);
  } catch (error) {
    if (!lostTheRace(error)) throw error;
    return scope.db.transaction(attempt);
  }
}
