import type { InvitationMail } from '../../generated/prisma/client.ts';
import type { Meeting, StoredAttendee } from '../meetings/meeting.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { type Invitation, isCalledOff, renderInvitation, renderRemoval } from './invitation.ts';
import { mailboxOf } from './invitation-listener.ts';
import { MailError, MailRefusedError, type MailTransport } from './mail-transport.ts';
import { oneLine } from './one-line.ts';

/** Sends one stored mail; the job of it. A mail that was sent, or that is out of date, is left alone. */
export type SendInvitation = (scope: Scope, mailId: string) => Promise<void>;

interface Loaded {
  mail: InvitationMail;
  meeting: Meeting;
  attendees: StoredAttendee[];
  /** The other mails to the same mailbox about the same meeting. */
  others: InvitationMail[];
}

const SUPERSEDED = 'superseded';
const REFUSED = 'refused';

async function load(scope: Scope, mailId: string): Promise<Loaded | null> {
  return scope.db.run(async (prisma) => {
    const mail = await prisma.invitationMail.findFirst({
      where: { id: mailId },
      include: {
        meeting: { include: { attendees: { where: { isRemoved: false }, orderBy: { position: 'asc' } }, mails: true } },
      },
    });
    if (mail === null) return null;
    const { meeting, ...row } = mail;
    const mailbox = mailboxOf(row.emailAddress);
    return {
      mail: row,
      meeting,
      attendees: meeting.attendees,
      others: meeting.mails.filter((other) => other.id !== row.id && mailboxOf(other.emailAddress) === mailbox),
    };
  });
}

/** Whether nothing of a mail ever reached its recipient, and nothing will. */
const isVoid = ({ lastError, sentAt }: InvitationMail) =>
  lastError !== null && (lastError.startsWith(REFUSED) || (lastError === SUPERSEDED && sentAt !== null));

/**
 * Whether a mail has nothing to tell any more: a later one to the same person says it better, an invitation is to a
 * meeting that was called off or is over, or a cancellation is of what this person never got to see.
 */
function isOutOfDate({ mail, meeting, others }: Loaded, now: Date): boolean {
  const isLater = (other: InvitationMail) =>
    other.sequence > mail.sequence ||
    (other.sequence === mail.sequence && other.method === 'CANCEL' && mail.method === 'REQUEST');
  if (others.some(isLater)) return true;
  if (mail.method === 'REQUEST') return isCalledOff(meeting) || meeting.endsAt <= now;
  return others.every(isVoid);
}

function render({ mail, meeting, attendees }: Loaded): Invitation {
  const options = { timeZone: meeting.timeZone, locale: 'en', sequence: mail.sequence };
  const mailbox = mailboxOf(mail.emailAddress);
  const recipient = attendees.find(({ emailAddress }) => mailboxOf(emailAddress) === mailbox);
  if (mail.method === 'REQUEST' || (isCalledOff(meeting) && recipient !== undefined))
    return renderInvitation(meeting, attendees, options);
  return renderRemoval(
    meeting,
    recipient ?? {
      tenantId: mail.tenantId,
      meetingId: meeting.id,
      emailAddress: mail.emailAddress,
      name: mail.name,
      position: 0,
      kind: 'EMAIL',
      contactId: null,
      userId: null,
      response: 'NONE',
      respondedAt: null,
      isRemoved: false,
    },
    options,
  );
}

/**
 * Makes the job that sends one invitation mail. Its Message-ID comes from the mail's id, so that a mail which was sent
 * twice, because the process died before it could store that, is recognised by the mailbox.
 *
 * @throws from the job, when the mail was not sent for a passing reason: the queue repeats it
 */
export function makeSendInvitation(
  { mail: transport }: { mail: MailTransport | undefined },
  tools: Pick<ServiceTools, 'clock' | 'logger'>,
): SendInvitation {
  return async (scope, mailId) => {
    const loaded = await load(scope, mailId);
    if (loaded === null || loaded.mail.sentAt !== null) return;
    const { mail, meeting } = loaded;
    const began = tools.clock().getTime();
    const store = (data: { sentAt?: Date; lastError: string | null; attempts?: { increment: number } }) =>
      scope.db.run((prisma) => prisma.invitationMail.updateMany({ where: { id: mailId }, data }));
    const log = (level: 'info' | 'warn', outcome: string) =>
      tools.logger[level](
        {
          tenantId: scope.db.tenantId,
          meetingId: meeting.id,
          mailId,
          method: mail.method,
          outcome,
          durationMs: tools.clock().getTime() - began,
        },
        '[TeamsMeetings] operation=invite',
      );

    if (isOutOfDate(loaded, tools.clock())) {
      await store({ sentAt: tools.clock(), lastError: SUPERSEDED });
      log('info', SUPERSEDED);
      return;
    }
    if (transport === undefined) throw new Error('No mail server is configured: set SMTP_URL and SMTP_FROM');
    const { subject, html, text, ics } = render(loaded);
    try {
      await transport.send({
        id: mailId,
        to: { name: oneLine(mail.name ?? '') || null, address: mail.emailAddress },
        replyTo: { name: oneLine(meeting.organizerDisplayName ?? '') || null, address: meeting.organizerUpn },
        subject,
        html,
        text,
        calendar: { method: mail.method === 'CANCEL' ? 'CANCEL' : 'REQUEST', content: ics },
      });
    } catch (error) {
      const isFinal = error instanceof MailRefusedError;
      const outcome = `${isFinal ? REFUSED : 'failed'}: ${error instanceof MailError ? error.reason : 'unknown'}`;
      await store({ attempts: { increment: 1 }, lastError: outcome });
      log('warn', outcome);
      if (!isFinal) throw error;
      return;
    }
    await store({ sentAt: tools.clock(), attempts: { increment: 1 }, lastError: null });
    log('info', 'success');
  };
}
