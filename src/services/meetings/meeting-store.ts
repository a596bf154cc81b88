import type { TenantPrisma } from '../../db/database.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import { appendAudit } from '../audit/audit.ts';
import type { ServiceTools } from '../scope.ts';
import type { Viewer } from '../viewer.ts';
import type { Meeting, StoredAttendee } from './meeting.ts';
import { hashIntent, type MeetingIntent } from './meeting-input.ts';

/** How long all calls to Microsoft for one creation may take together. */
export const PROVISION_BUDGET_MS = 60_000;

/** How long one caller has a meeting for itself; longer than the budget, so that two never talk for it at once. */
const LEASE_MS = PROVISION_BUDGET_MS + 30_000;

export interface Organizer {
  upn: string;
  objectId: string;
  displayName: string | null;
}

/** What became of an accepted intent: a meeting to provision now, one that needs nothing, or a misused key. */
export type AcceptedIntent =
  | { kind: 'provision'; meeting: Meeting; attendees: StoredAttendee[] }
  | { kind: 'existing'; meeting: Meeting }
  | { kind: 'conflict' };

function contentOf(intent: MeetingIntent) {
  const { subject, startsAt, endsAt, timeZone, description, clientId, contactId } = intent;
  return { subject, startsAt, endsAt, timeZone, description, clientId, contactId, inputHash: hashIntent(intent) };
}

async function writeAttendees(
  prisma: TenantPrisma,
  meetingId: string,
  intent: MeetingIntent,
): Promise<StoredAttendee[]> {
  await prisma.meetingAttendee.deleteMany({ where: { meetingId } });
  await prisma.meetingAttendee.createMany({
    data: intent.attendees.map((attendee, position) => ({ ...attendee, meetingId, position })),
  });
  return prisma.meetingAttendee.findMany({ where: { meetingId }, orderBy: { position: 'asc' } });
}

async function findEarlier(prisma: TenantPrisma, intent: MeetingIntent): Promise<Meeting | null> {
  if (intent.idempotencyKey !== null) {
    const sameKey = await prisma.onlineMeeting.findFirst({ where: { idempotencyKey: intent.idempotencyKey } });
    if (sameKey !== null) return sameKey;
  }
  const { appointmentId, interactionId } = intent;
  return prisma.onlineMeeting.findFirst({ where: { appointmentId, interactionId, status: { not: 'CANCELLED' } } });
}

/** The database says that another caller stored a meeting for the same appointment, interaction or key first. */
function lostTheRace(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/**
 * Stores the intent before anybody talks to Microsoft. There is one active meeting per appointment and interaction:
 * a second wish gets the first meeting back. One that failed, or whose caller died, is taken over with the new
 * wish and the same transaction id, so that what Microsoft may have made already is found again.
 */
export async function acceptIntent(
  transaction: <T>(work: (prisma: TenantPrisma) => Promise<T>) => Promise<T>,
  tools: ServiceTools,
  viewer: Viewer,
  organizer: Organizer,
  intent: MeetingIntent,
): Promise<AcceptedIntent> {
  const now = tools.clock();
  const leasedUntil = new Date(now.getTime() + LEASE_MS);

  /** A meeting that Microsoft has not made goes to the organizer of today: the old one may be why it failed. */
  function organizerChange(earlier: Meeting) {
    if (earlier.organizerObjectId === organizer.objectId) return {};
    return {
      organizerUpn: organizer.upn,
      organizerObjectId: organizer.objectId,
      organizerDisplayName: organizer.displayName,
      transactionId: tools.newId(),
      graphEventId: null,
    };
  }

  async function attempt(prisma: TenantPrisma): Promise<AcceptedIntent> {
    const earlier = await findEarlier(prisma, intent);
    if (earlier === null) {
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
          idempotencyKey: intent.idempotencyKey,
          leasedUntil,
          createdBy: viewer.id,
          createdAt: now,
          updatedAt: now,
        },
      });
      await appendAudit(prisma, tools, viewer, { operation: 'create', meetingId: id, outcome: 'accepted' });
      return { kind: 'provision', meeting, attendees: await writeAttendees(prisma, id, intent) };
    }

    const reusedKey = intent.idempotencyKey !== null && earlier.idempotencyKey === intent.idempotencyKey;
    if (reusedKey && earlier.inputHash !== hashIntent(intent)) return { kind: 'conflict' };
    if (earlier.status !== 'FAILED' && earlier.status !== 'PROVISIONING') return { kind: 'existing', meeting: earlier };

    const taken = await prisma.onlineMeeting.updateMany({
      where: { id: earlier.id, OR: [{ leasedUntil: null }, { leasedUntil: { lte: now } }] },
      data: {
        ...contentOf(intent),
        ...organizerChange(earlier),
        ...(intent.idempotencyKey === null ? {} : { idempotencyKey: intent.idempotencyKey }),
        status: 'PROVISIONING',
        failure: Prisma.DbNull,
        leasedUntil,
        updatedAt: now,
        version: { increment: 1 },
      },
    });
    const meeting = await prisma.onlineMeeting.findFirstOrThrow({ where: { id: earlier.id } });
    if (taken.count === 0) return { kind: 'existing', meeting };
    return { kind: 'provision', meeting, attendees: await writeAttendees(prisma, earlier.id, intent) };
  }

  try {
    return await transaction(attempt);
  } catch (error) {
    if (!lostTheRace(error)) throw error;
    return transaction(attempt);
  }
}
