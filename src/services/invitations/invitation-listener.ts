import type { TenantPrisma } from '../../db/database.ts';
import { addJob } from '../../db/job-queue.ts';
import type { Meeting, StoredAttendee } from '../meetings/meeting.ts';
import type { MeetingListener } from '../meetings/meeting-listener.ts';
import type { ServiceTools } from '../scope.ts';
import type { InvitationMethod } from './invitation.ts';

interface Recipient {
  emailAddress: string;
  name: string | null;
}

/** The same mailbox, whatever the case that its address was typed in. */
export const mailboxOf = (emailAddress: string): string => emailAddress.toLowerCase();

/** Whom we invited, by mailbox: those whose latest mail is no cancellation, whether it was sent already or waits. */
async function invitedBefore(prisma: TenantPrisma, meetingId: string): Promise<Map<string, Recipient>> {
  const mails = await prisma.invitationMail.findMany({
    where: { meetingId },
    // Of one revision, the cancellation has the last word.
    orderBy: [{ sequence: 'asc' }, { method: 'desc' }],
    select: { emailAddress: true, name: true, method: true },
  });
  const invited = new Map<string, Recipient>();
  for (const { method, ...recipient } of mails) {
    const mailbox = mailboxOf(recipient.emailAddress);
    if (method === 'CANCEL') invited.delete(mailbox);
    else invited.set(mailbox, recipient);
  }
  return invited;
}

/** Whether we invite of our own accord: nobody gets a second invitation to what Exchange invites to, unless asked. */
function invites({ mailsInvitations, sendsInvites }: Meeting): boolean {
  return mailsInvitations ?? !sendsInvites;
}

const isInvitedByUs = ({ kind }: StoredAttendee) => kind === 'CONTACT' || kind === 'USER';

/**
 * Makes the listener that writes the mails which a change of a meeting calls for, and one job for each.
 *
 * Invited are the client's contacts and the assigned technicians. Whoever was invited is kept up to date while they
 * are attendees, and told when the meeting or their part in it is called off; nobody else is. Where mails are
 * forbidden (`mailsInvitations` false), nothing is written at all.
 */
export function makeInvitationListener(
  tools: Pick<ServiceTools, 'clock' | 'newId'>,
  isSmtpConfigured: boolean,
): MeetingListener {
  async function write(
    prisma: TenantPrisma,
    meeting: Meeting,
    method: InvitationMethod,
    recipients: Recipient[],
  ): Promise<void> {
    if (recipients.length === 0) return;
    const written = await prisma.invitationMail.createManyAndReturn({
      data: recipients.map(({ emailAddress, name }) => ({
        id: tools.newId(),
        meetingId: meeting.id,
        emailAddress,
        name,
        method,
        sequence: meeting.version,
        createdAt: tools.clock(),
      })),
      // What was written for this revision before has its job already.
      skipDuplicates: true,
      select: { id: true },
    });
    for (const { id } of written) await addJob(prisma, 'send_invitation', { mailId: id }, { key: id });
  }

  return async (prisma, _scope, { kind, meeting }) => {
    if (!isSmtpConfigured || kind === 'failed' || meeting.mailsInvitations === false) return;
    const invited = await invitedBefore(prisma, meeting.id);
    if (kind === 'cancelled') {
      await write(prisma, meeting, 'CANCEL', [...invited.values()]);
      return;
    }
    const attendees = await prisma.meetingAttendee.findMany({
      where: { meetingId: meeting.id, isRemoved: false },
      orderBy: { position: 'asc' },
    });
    const present = new Set(attendees.map(({ emailAddress }) => mailboxOf(emailAddress)));
    const removed = [...invited].filter(([mailbox]) => !present.has(mailbox)).map(([, recipient]) => recipient);
    const wanted = attendees.filter(
      (attendee) => invited.has(mailboxOf(attendee.emailAddress)) || (invites(meeting) && isInvitedByUs(attendee)),
    );
    await write(prisma, meeting, 'REQUEST', wanted);
    await write(prisma, meeting, 'CANCEL', removed);
  };
}
