import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createMailTransport,
  MailFailedError,
  MailRefusedError,
  type OutgoingMail,
} from '../../../src/services/invitations/mail-transport.ts';
import { type MailServer, startMailServer } from './smtp.ts';

const MAIL: OutgoingMail = {
  id: '01890000-0000-7000-8000-000000000001',
  to: { name: null, address: 'jane@acme.example' },
  replyTo: { name: null, address: 'organizer@msp.example' },
  subject: 'Review',
  text: 'text',
  html: '<p>html</p>',
  calendar: { method: 'REQUEST', content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR' },
};

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function mailServer(): Promise<MailServer> {
  const server = await startMailServer();
  closing.push(() => server.close());
  return server;
}

function transport(url: string, from = 'meetings@msp.example', timeouts: object = {}) {
  const made = createMailTransport({ url, from, stepTimeoutMs: 300, ...timeouts });
  closing.push(async () => made.close());
  return made;
}

/** A server that says what it is told to, and no more. */
async function mumblingServer(say: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    say(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the way to a mail server', () => {
  it('signs in with what the address holds', async () => {
    const server = await mailServer();
    await transport(server.url.replace('//', '//user:p%40ss%3Aword@')).send(MAIL);
    expect(server.mails).toHaveLength(1);
  });

  it('waits for the operator where signing in fails, and repeats no password', async () => {
    const server = await mailServer();
    const error: unknown = await transport(server.url.replace('//', '//user:hunter2@'))
      .send(MAIL)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MailFailedError);
    expect(String(error)).toMatch(/EAUTH/);
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
  });

  it.each([
    ['meetings@msp.example', 'msp.example'],
    ['Meetings, Ltd. <meetings@msp.example>', 'msp.example'],
    ['meetings@münchen.example', 'xn--mnchen-3ya.example'],
  ])('from %s names its mails after %s', async (from, host) => {
    const server = await mailServer();
    await transport(server.url, from).send(MAIL);
    expect(server.mails[0]?.messageId).toBe(`<${MAIL.id}@${host}>`);
  });

  it.each(['jane@acme.example>\r\nRCPT TO:<evil@x.example', 'jane', ''])(
    'takes %j for no recipient, and never asks again',
    async (address) => {
      const server = await mailServer();
      const sent = transport(server.url).send({ ...MAIL, to: { name: null, address } });
      await expect(sent).rejects.toBeInstanceOf(MailRefusedError);
      expect(server.mails).toEqual([]);
    },
  );

  it.each<[string, (socket: Socket) => void]>([
    ['greets nobody', () => {}],
    ['falls silent after its greeting', (socket) => void socket.write('220 hello\r\n')],
    ['hangs up', (socket) => void socket.end()],
    ['speaks something else', (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('does not wait for ever where the server %s', async (_what, say) => {
    await expect(transport(await mumblingServer(say)).send(MAIL)).rejects.toBeInstanceOf(MailFailedError);
  });

  it('breaks off a conversation that goes on for too long, however lively', async () => {
    const url = await mumblingServer((socket) => {
      socket.write('220 hello\r\n');
      const timer = setInterval(() => socket.write('250-still here\r\n'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    const sent = transport(url, undefined, { timeoutMs: 400 }).send(MAIL);
    await expect(sent).rejects.toBeInstanceOf(MailFailedError);
  });

  it('breaks off what it is sending when it is closed', async () => {
    const url = await mumblingServer(() => {});
    const made = transport(url, undefined, { stepTimeoutMs: 20_000 });
    const sent = made.send(MAIL);
    made.close();
    await expect(sent).rejects.toThrow(/EABORT/);
  });

  it('is one error for a server that cannot be found', async () => {
    await expect(transport('smtp://nowhere.invalid').send(MAIL)).rejects.toBeInstanceOf(MailFailedError);
  });
});
