import { v7 as uuidv7 } from 'uuid';
import type { InvitationMail, OnlineMeeting } from '../../../src/generated/prisma/client.ts';
import { makeInvitationListener } from '../../../src/services/invitations/invitation-listener.ts';
import type { MeetingChange } from '../../../src/services/meetings/meeting-listener.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import type { TestSubgraph } from '../../support/subgraph.ts';
import { type MeetingRow, storeMeeting } from '../access/rows.ts';

export const JANE = { emailAddress: 'jane@acme.example', contactId: 'contact-jane' };
export const TECHNICIAN = { emailAddress: 'tech@msp.example', userId: 'user-tech' };
export const TYPED = { emailAddress: 'typed@elsewhere.example' };

/** Stores a scheduled meeting whose mails were asked for. */
export async function storeInvited(subgraph: TestSubgraph, tenantId: string, over: MeetingRow = {}): Promise<string> {
  const { id } = await storeMeeting(subgraph, tenantId, {
    appointmentId: uuidv7(),
    mailsInvitations: true,
    attendees: [JANE, TECHNICIAN, TYPED],
    iCalUid: '040000008200E00074C5B7101A82E008',
    ...over,
  });
  return id;
}

/** Changes a meeting as an operation does: the row, its attendees and what the listener writes, in one transaction. */
export async function change(
  subgraph: TestSubgraph,
  tenantId: string,
  meetingId: string,
  kind: MeetingChange['kind'],
  {
    attendees,
    isSmtpConfigured = true,
    ...over
  }: Partial<OnlineMeeting> & {
    attendees?: { emailAddress: string; contactId?: string; userId?: string }[];
    isSmtpConfigured?: boolean;
  } = {},
): Promise<void> {
  const db = subgraph.db.forTenant(tenantId);
  const { clock } = subgraph.services;
  const listen = makeInvitationListener({ clock, newId: uuidv7 }, isSmtpConfigured);
  await db.transaction(async (prisma) => {
    await prisma.onlineMeeting.updateMany({
      where: { id: meetingId },
      data: { ...over, updatedAt: clock() } as object,
    });
    if (attendees !== undefined) {
      await prisma.meetingAttendee.deleteMany({ where: { meetingId } });
      await prisma.meetingAttendee.createMany({
        data: attendees.map((attendee, position) => ({
          ...attendee,
          meetingId,
          position,
          kind: attendee.contactId ? 'CONTACT' : attendee.userId ? 'USER' : 'EMAIL',
        })),
      });
    }
    const meeting = await prisma.onlineMeeting.findFirstOrThrow({ where: { id: meetingId } });
    await listen(prisma, { viewer: backgroundViewer(tenantId), db }, { kind, meeting });
  });
}

/** What is stored of a meeting's mails, in the order in which they were written. */
export function storedMails(subgraph: TestSubgraph, tenantId: string, meetingId: string): Promise<InvitationMail[]> {
  return subgraph.db
    .forTenant(tenantId)
    .run((prisma) => prisma.invitationMail.findMany({ where: { meetingId }, orderBy: { id: 'asc' } }));
}
