import type { TenantPrisma } from '../../db/database.ts';
import { addJob } from '../../db/job-queue.ts';
import { type Meeting, statusAt } from '../meetings/meeting.ts';
import type { MeetingChange, MeetingListener } from '../meetings/meeting-listener.ts';
import type { ServiceTools } from '../scope.ts';

export type OutgoingEventType = `teams_meeting.${MeetingChange['kind'] | 'artifacts_ready'}`;

/**
 * Writes an event for the PSA and the job that delivers it; call it in the transaction whose change it tells of.
 *
 * Deliveries keep the order in which a meeting's events were written, on whichever machine: where clocks differ, an
 * event is dated after the one before it.
 */
export async function recordOutgoingEvent(
  prisma: TenantPrisma,
  tools: ServiceTools,
  {
    type,
    meeting,
    artifact,
  }: { type: OutgoingEventType; meeting: Meeting; artifact?: { kind: 'recording' | 'transcript'; id: string } },
): Promise<void> {
  const now = tools.clock();
  const newest = await prisma.outgoingEvent.findFirst({
    where: { meetingId: meeting.id },
    orderBy: { createdAt: 'desc' },
    select: { createdAt: true },
  });
  const createdAt = new Date(Math.max(now.getTime(), (newest?.createdAt.getTime() ?? 0) + 1));
  const status = statusAt(meeting, now);
  await prisma.outgoingEvent.create({
    data: {
      id: tools.newId(),
      meetingId: meeting.id,
      type,
      data: {
        tenantId: meeting.tenantId,
        meetingId: meeting.id,
        appointmentId: meeting.appointmentId,
        interactionId: meeting.interactionId,
        status,
        // The link of a cancelled meeting still opens a room at Microsoft; nobody is to be sent there.
        joinUrl: status === 'CANCELLED' || status === 'CANCELLING' ? null : meeting.joinUrl,
        ...(artifact === undefined ? {} : { artifact }),
      },
      createdAt,
    },
  });
  await addJob(
    prisma,
    'deliver_events',
    { meetingId: meeting.id },
    // A receiver that asked us to wait is not asked again because there is more to tell.
    { key: meeting.id, serial: meeting.id, keepTime: true },
  );
}

/**
 * Makes the listener that tells the PSA of every change of a meeting.
 *
 * @param isConfigured whether there is anybody to tell; otherwise nothing is written
 */
export function makeOutboxListener(tools: ServiceTools, isConfigured: boolean): MeetingListener {
  return async (prisma, _scope, { kind, meeting }) => {
    if (isConfigured) await recordOutgoingEvent(prisma, tools, { type: `teams_meeting.${kind}`, meeting });
  };
}
