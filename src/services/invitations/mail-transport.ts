import { domainToASCII } from 'node:url';
import { createTransport } from 'nodemailer';
import type { InvitationMethod } from './invitation.ts';

export interface MailPerson {
  name: string | null;
  address: string;
}

export interface OutgoingMail {
  /** Becomes the Message-ID: the same id is the same mail, however often it is sent. */
  id: string;
  to: MailPerson;
  replyTo: MailPerson;
  subject: string;
  text: string;
  html: string;
  calendar: { method: InvitationMethod; content: string };
}

/** The way to a mail server. */
export interface MailTransport {
  /**
   * Hands one mail over.
   *
   * @throws MailRefusedError when the server will never take this mail
   * @throws MailFailedError when it may take it later; it may also have taken it already, unheard
   */
  send(mail: OutgoingMail): Promise<void>;
  /** Breaks off what is being sent. */
  close(): void;
}

/** What went wrong, without a word of the server's: servers repeat addresses. */
export abstract class MailError extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(`The mail was not sent: ${reason}`);
    this.reason = reason;
  }
}

export class MailRefusedError extends MailError {
  override readonly name = 'MailRefusedError';
}

export class MailFailedError extends MailError {
  override readonly name = 'MailFailedError';
}

export interface MailTransportOptions {
  /** `smtp://` or `smtps://`, with what nodemailer reads from its query. */
  url: string;
  /** The sender: an address, or a name and an address in angle brackets. */
  from: string;
  /** How long one step of the conversation may take; default 10 s. */
  stepTimeoutMs?: number;
  /** How long it may take altogether; default 45 s, which is less than a job may. */
  timeoutMs?: number;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** A password is not said aloud: where one is needed, the server has to offer TLS, unless it is this machine. */
function requiresTls(url: string): boolean {
  const { protocol, username, hostname } = new URL(url);
  return protocol === 'smtp:' && username !== '' && !LOOPBACK.has(hostname);
}

interface SmtpFailure {
  code?: string;
  command?: string;
  responseCode?: number;
}

/**
 * Whether it is this mail that the server will never take: 5xx (RFC 5321, 4.2.1) to its recipient or its content. The
 * sender, signing in (530, 535) and the connection are for the operator to mend, and the mail waits for that.
 */
function isPermanent({ code, command, responseCode }: SmtpFailure): boolean {
  if (responseCode === undefined) return code === 'EENVELOPE' && command === 'API';
  return responseCode >= 500 && responseCode !== 530 && (command === 'RCPT TO' || command === 'DATA');
}

function toMailError(error: unknown): MailError {
  const failure = error as SmtpFailure;
  const reason = [failure.code ?? 'unknown', failure.command, failure.responseCode].filter(Boolean).join(' ');
  return isPermanent(failure) ? new MailRefusedError(reason) : new MailFailedError(reason);
}

const toAddress = ({ name, address }: MailPerson) => ({ name: name ?? '', address });

/** Makes the way to an SMTP server. Each mail has a connection of its own, so that a lost one costs no other mail. */
export function createMailTransport({
  url,
  from,
  stepTimeoutMs = 10_000,
  timeoutMs = 45_000,
}: MailTransportOptions): MailTransport {
  const transporter = createTransport({
    url,
    requireTLS: requiresTls(url),
    dnsTimeout: stepTimeoutMs,
    connectionTimeout: stepTimeoutMs,
    greetingTimeout: stepTimeoutMs,
    socketTimeout: stepTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const host = domainToASCII(from.slice(from.lastIndexOf('@') + 1).replace(/>\s*$/, '')) || 'localhost';
  const closing = new AbortController();
  return {
    async send(mail) {
      try {
        await transporter.sendMail({
          from,
          to: toAddress(mail.to),
          replyTo: toAddress(mail.replyTo),
          subject: mail.subject,
          messageId: `<${mail.id}@${host}>`,
          text: mail.text,
          html: mail.html,
          alternatives: [
            {
              contentType: `text/calendar; charset=utf-8; method=${mail.calendar.method}`,
              content: mail.calendar.content,
              // Base64, as no server on the way may change its line ends.
              contentTransferEncoding: 'base64',
            },
          ],
          // RFC 3834: holiday notices need not answer it.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]),
        });
      } catch (error) {
        throw toMailError(error);
      }
    },
    close() {
      closing.abort();
      transporter.close();
    },
  };
}
