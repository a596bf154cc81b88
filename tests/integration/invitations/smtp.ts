import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail extends ParsedMail {
  /** As it came over the wire. */
  raw: string;
  envelope: { from: string; to: string[] };
}

/** A real SMTP server that keeps what it is sent. */
export interface MailServer {
  url: string;
  mails: ReceivedMail[];
  /** How often somebody connected. */
  connections(): number;
  /** What each recipient's mailbox answers, instead of taking the mail. */
  answers: Map<string, number>;
  /** What the server answers to the whole text of a mail, instead of taking it. */
  answerToData: number | null;
  close(): Promise<void>;
}

function refusal(responseCode: number): Error {
  return Object.assign(new Error('not this one'), { responseCode });
}

/** Starts one on a port, or on any. */
export async function startMailServer(port = 0): Promise<MailServer> {
  let connections = 0;
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    onAuth: ({ username, password }, _session, callback) =>
      username === 'user' && password === 'p@ss:word' ? callback(null, { user: username }) : callback(refusal(535)),
    onConnect: (_session, callback) => {
      connections += 1;
      callback();
    },
    onRcptTo: ({ address }, _session, callback) => {
      const code = state.answers.get(address);
      callback(code === undefined ? null : refusal(code));
    },
    onData: (stream, { envelope }, callback) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        if (state.answerToData !== null) return callback(refusal(state.answerToData));
        const raw = Buffer.concat(chunks);
        const { mailFrom, rcptTo } = envelope;
        state.mails.push({
          ...(await simpleParser(raw)),
          raw: raw.toString(),
          envelope: { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) },
        });
        callback();
      })();
    },
  });
  server.on('error', () => {});
  const listener = server.listen(port, '127.0.0.1');
  if (!listener.listening) await once(listener, 'listening');
  const state: MailServer = {
    url: `smtp://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    mails: [],
    connections: () => connections,
    answers: new Map(),
    answerToData: null,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
  return state;
}

/** The calendar file in a mail. */
export function calendarOf(mail: ReceivedMail): string {
  const part = mail.attachments.find(({ contentType }) => contentType === 'text/calendar');
  return part?.content.toString() ?? '';
}
