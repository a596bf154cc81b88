import type { TenantPrisma } from '../../db/database.ts';
import type { MarkedEvent } from '../../graph/types.ts';
import { lastingEnd } from '../meetings/sync/event-difference.ts';
import type { ServiceTools } from '../scope.ts';

const SUBJECT = /^(appointment|interaction):(.+)$/s;

/**
 * Stores the meeting that an event of ours tells of and that is not stored any more. Its client is lost: portal users
 * do not see it until the PSA makes it anew.
 *
 * @returns `orphan` when its appointment or interaction has another meeting by now; `unknown` when the event says too
 * little, because an earlier release made it or Teams has not attached its meeting
 */
export async function rebuildMeeting(
  prisma: TenantPrisma,
  tools: ServiceTools,
  organizerId: string,
  meetingId: string,
  { event, subject }: MarkedEvent,
): Promise<'adopted' | 'orphan' | 'unknown'> {
  const [, kind, subjectId] = SUBJECT.exec(subject ?? '') ?? [];
  if (subjectId === undefined || event.joinUrl === null || event.isCancelled) return 'unknown';
  const about =
    kind === 'appointment'
      ? { appointmentId: subjectId, interactionId: null }
      : { appointmentId: null, interactionId: subjectId };
  const other = await prisma.onlineMeeting.findFirst({
    where: { ...about, status: { notIn: ['CANCELLED', 'CANCELLING'] } },
  });
  if (other !== null) return 'orphan';

  const settings = await prisma.teamsIntegration.findFirst({ where: { organizerObjectId: organizerId } });
  const now = tools.clock();
  await prisma.onlineMeeting.create({
    data: {
      ...about,
      id: meetingId,
      status: 'SCHEDULED',
      subject: event.subject,
      startsAt: event.startsAt,
      endsAt: lastingEnd(event),
      timeZone: 'UTC',
      joinUrl: event.joinUrl,
      graphEventId: event.id,
      iCalUid: event.iCalUId,
      organizerUpn: settings?.organizerUpn ?? organizerId,
      organizerObjectId: organizerId,
      organizerDisplayName: settings?.organizerDisplayName ?? null,
      transactionId: event.transactionId ?? meetingId,
      inputHash: '',
      sendsInvites: event.attendees.length > 0,
      operation: 'reconcile',
      syncedVersion: 1,
      createdBy: 'background',
      createdAt: now,
      updatedAt: now,
    },
  });
  await prisma.meetingAttendee.createMany({
    data: event.attendees.map(({ emailAddress, name }, position) => ({
      meetingId,
      emailAddress,
      name,
      position,
      kind: 'EMAIL' as const,
    })),
    skipDuplicates: true,
  });
  return 'adopted';
}
