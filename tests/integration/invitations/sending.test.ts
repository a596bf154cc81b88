import ICAL from 'ical.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMailTransport, type MailTransport } from '../../../src/services/invitations/mail-transport.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import type { MeetingRow } from '../access/rows.ts';
import { calendarOf, type MailServer, type ReceivedMail, startMailServer } from './smtp.ts';
import { change, JANE, storedMails, storeInvited, TECHNICIAN } from './world.ts';

const TENANT = 'tenant-mail';
const FROM = 'Meetings <meetings@msp.example>';
let subgraph: TestSubgraph;
let server: MailServer;
let mail: MailTransport;

beforeAll(async () => {
  server = await startMailServer();
  mail = createMailTransport({ url: server.url, from: FROM });
  subgraph = await startTestSubgraph({ mail });
});
afterAll(async () => {
  await subgraph.close();
  mail.close();
  await server.close();
});
beforeEach(() => {
  server.mails.length = 0;
  server.answers.clear();
  server.answerToData = null;
  subgraph.logs.length = 0;
});
// What one test leaves in the queue is not the next one's.
afterEach(() => subgraph.database.query('DELETE FROM graphile_worker._private_jobs'));

const store = (over: MeetingRow = {}) => storeInvited(subgraph, TENANT, { attendees: [JANE], ...over });
const mailsOf = (id: string) => storedMails(subgraph, TENANT, id);
const send = (mailId: string) =>
  subgraph.services.sendInvitation({ viewer: backgroundViewer(TENANT), db: subgraph.db.forTenant(TENANT) }, mailId);

function answerToData(code: number | null): void {
  server.answerToData = code;
}

function only(mails: ReceivedMail[]): ReceivedMail {
  const [first] = mails;
  if (first === undefined || mails.length !== 1) throw new Error(`${mails.length} mails`);
  return first;
}

/** One property of the calendar file in a mail. */
function property(received: ReceivedMail, name: string): string | null {
  const calendar = new ICAL.Component(ICAL.parse(calendarOf(received)));
  const value =
    calendar.getFirstPropertyValue(name) ?? calendar.getFirstSubcomponent('vevent')?.getFirstPropertyValue(name);
  return value === null || value === undefined ? null : String(value);
}

/** A meeting whose invitation has arrived. */
async function invited(over: MeetingRow = {}): Promise<string> {
  const id = await store(over);
  await change(subgraph, TENANT, id, 'scheduled');
  await subgraph.runJobs();
  server.mails.length = 0;
  return id;
}

describe('an invitation', () => {
  it('arrives at the client’s contact and the technician as a mail that calendars understand', async () => {
    const id = await store({
      attendees: [{ ...JANE }, TECHNICIAN],
      subject: 'Überblick & Pläne ☕',
      description: 'Agenda',
      timeZone: 'Europe/Berlin',
      organizerDisplayName: 'Scheduling, ACME',
    });
    await change(subgraph, TENANT, id, 'scheduled');
    await subgraph.runJobs();
    expect(server.mails.flatMap(({ envelope }) => envelope.to).sort()).toEqual([
      'jane@acme.example',
      'tech@msp.example',
    ]);
    const received = server.mails.find(({ envelope }) => envelope.to.includes('jane@acme.example'));
    const row = (await mailsOf(id)).find(({ emailAddress }) => emailAddress === 'jane@acme.example');
    if (received === undefined || row === undefined) throw new Error('no mail');
    expect(received).toMatchObject({
      subject: 'Überblick & Pläne ☕',
      messageId: `<${row.id}@msp.example>`,
      envelope: { from: 'meetings@msp.example' },
      from: { value: [{ name: 'Meetings', address: 'meetings@msp.example' }] },
      replyTo: { value: [{ name: 'Scheduling, ACME', address: 'scheduling@acme.example' }] },
    });
    expect(received.headers.get('content-type')).toMatchObject({ value: 'multipart/alternative' });
    expect(received.headers.get('auto-submitted')).toBe('auto-generated');
    expect(received.raw.match(/^Content-Type: (text\/[a-z]+)[^\r\n]*/gim)).toEqual([
      expect.stringContaining('text/plain'),
      expect.stringContaining('text/html'),
      expect.stringMatching(/text\/calendar; charset=utf-8; method=REQUEST/),
    ]);
    expect(received.text).toContain('Central European Standard Time (Europe/Berlin)');
    expect(received.text).toContain(`Join Teams Meeting: https://teams.microsoft.com/l/meetup-join/${id}`);
    expect(received.html).toContain(`href="https://teams.microsoft.com/l/meetup-join/${id}"`);
    expect(received.html).toContain('Agenda');
    expect(property(received, 'method')).toBe('REQUEST');
    expect(property(received, 'uid')).toBe('040000008200E00074C5B7101A82E008');
    expect(property(received, 'sequence')).toBe('1');
    expect(property(received, 'summary')).toBe('Überblick & Pläne ☕');
    expect(received.raw).toMatch(/method=REQUEST\r\nContent-Transfer-Encoding: base64/);
    expect(calendarOf(received).replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(row).toMatchObject({ attempts: 1, lastError: null, sentAt: expect.any(Date) });
  });

  it('is sent once, although its job runs twice', async () => {
    const id = await invited();
    const [row] = await mailsOf(id);
    await send(row?.id ?? '');
    await send(row?.id ?? '');
    expect(server.mails).toEqual([]);
    expect((await mailsOf(id))[0]?.attempts).toBe(1);
  });

  it('that went out before a crash could be noted is the same mail when it goes out again', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    await subgraph.runJobs();
    const [row] = await mailsOf(id);
    await subgraph.db
      .forTenant(TENANT)
      .run((prisma) => prisma.invitationMail.updateMany({ where: { meetingId: id }, data: { sentAt: null } }));
    await send(row?.id ?? '');
    expect(server.mails.map(({ messageId }) => messageId)).toEqual(Array(2).fill(`<${row?.id}@msp.example>`));
  });

  it('is forgotten with its meeting', async () => {
    await send('01890000-0000-7000-8000-00000000dead');
    expect(server.mails).toEqual([]);
  });

  it('is another tenant’s business to nobody', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    const [row] = await mailsOf(id);
    const other = { viewer: backgroundViewer('tenant-other'), db: subgraph.db.forTenant('tenant-other') };
    await subgraph.services.sendInvitation(other, row?.id ?? '');
    expect(server.mails).toEqual([]);
    expect((await mailsOf(id))[0]).toMatchObject({ sentAt: null, attempts: 0 });
  });

  it('of a new time rises in its sequence under the same UID', async () => {
    const id = await invited();
    await change(subgraph, TENANT, id, 'updated', { version: 2, startsAt: new Date('2036-12-01T09:00:00Z') });
    await subgraph.runJobs();
    const received = only(server.mails);
    expect(property(received, 'method')).toBe('REQUEST');
    expect(property(received, 'sequence')).toBe('2');
    expect(property(received, 'uid')).toBe('040000008200E00074C5B7101A82E008');
    expect(property(received, 'dtstart')).toBe('2036-12-01T09:00:00Z');
  });

  it('that is out of date when its turn comes is not sent: the later one is', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    await change(subgraph, TENANT, id, 'updated', { version: 2 });
    await subgraph.runJobs();
    expect(property(only(server.mails), 'sequence')).toBe('2');
    expect(await mailsOf(id)).toMatchObject([
      { sequence: 1, attempts: 0, lastError: 'superseded', sentAt: expect.any(Date) },
      { sequence: 2, attempts: 1, lastError: null, sentAt: expect.any(Date) },
    ]);
  });

  it.each(['CANCELLED', 'CANCELLING'] as const)('to a meeting that is %s by then is not sent', async (status) => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    await change(subgraph, TENANT, id, 'failed', { status });
    await subgraph.runJobs();
    expect(server.mails).toEqual([]);
    expect(await mailsOf(id)).toMatchObject([{ lastError: 'superseded' }]);
  });
});

describe('an invitation that waited until its meeting was over', () => {
  it('is not sent', async () => {
    const id = await store({ startsAt: new Date(Date.now() - 7_200_000), endsAt: new Date(Date.now() - 3_600_000) });
    await change(subgraph, TENANT, id, 'scheduled');
    await subgraph.runJobs();
    expect(server.mails).toEqual([]);
    expect(await mailsOf(id)).toMatchObject([{ lastError: 'superseded' }]);
  });
});

describe('a cancellation', () => {
  it('takes the meeting out of the calendar and has no way in anywhere', async () => {
    const id = await invited();
    await change(subgraph, TENANT, id, 'cancelled', { version: 2, status: 'CANCELLED' });
    await subgraph.runJobs();
    const received = only(server.mails);
    expect(received.subject).toMatch(/^Cancelled: /);
    expect(received.raw).toMatch(/text\/calendar; charset=utf-8; method=CANCEL/);
    expect(property(received, 'method')).toBe('CANCEL');
    expect(property(received, 'status')).toBe('CANCELLED');
    expect(property(received, 'sequence')).toBe('2');
    expect(property(received, 'uid')).toBe('040000008200E00074C5B7101A82E008');
    expect(property(received, 'url')).toBeNull();
    for (const part of [received.text, received.html || '', calendarOf(received)])
      expect(part).not.toContain('teams.microsoft.com');
  });

  it('goes to a person who was removed, and names nobody else; the others get the new revision', async () => {
    const id = await invited({ attendees: [JANE, TECHNICIAN] });
    await change(subgraph, TENANT, id, 'updated', { version: 2, attendees: [JANE] });
    await subgraph.runJobs();
    const to = (address: string) => only(server.mails.filter(({ envelope }) => envelope.to.includes(address)));
    expect(server.mails).toHaveLength(2);
    expect(property(to('jane@acme.example'), 'method')).toBe('REQUEST');
    expect(calendarOf(to('jane@acme.example'))).not.toContain('tech@msp.example');
    const uninvited = to('tech@msp.example');
    expect(property(uninvited, 'method')).toBe('CANCEL');
    expect(property(uninvited, 'status')).toBeNull();
    expect(uninvited.text).toContain('You are no longer invited');
    expect(uninvited.raw + uninvited.html + calendarOf(uninvited)).not.toMatch(/teams\.microsoft|jane@acme/);
  });

  it('of an invitation that never left says nothing to anybody', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    await change(subgraph, TENANT, id, 'failed', { status: 'CANCELLING', version: 2 });
    await subgraph.runJobs();
    await change(subgraph, TENANT, id, 'cancelled', { status: 'CANCELLED' });
    await subgraph.runJobs();
    expect(server.mails).toEqual([]);
    expect(await mailsOf(id)).toMatchObject([
      { lastError: 'superseded' },
      { method: 'CANCEL', lastError: 'superseded' },
    ]);
  });

  it('of a removal is not sent after the person was invited again', async () => {
    const id = await invited();
    await change(subgraph, TENANT, id, 'updated', { version: 2, attendees: [] });
    await change(subgraph, TENANT, id, 'updated', { version: 3, attendees: [JANE] });
    await subgraph.runJobs();
    expect(property(only(server.mails), 'method')).toBe('REQUEST');
    expect(property(only(server.mails), 'sequence')).toBe('3');
  });
});

describe('a mail server', () => {
  it('that is down gets the mail when it is up again, once', async () => {
    const { port } = new URL(server.url);
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    await server.close();
    await subgraph.runJobs();
    expect(await mailsOf(id)).toMatchObject([
      { sentAt: null, attempts: 1, lastError: expect.stringMatching(/ESOCKET|ECONNECTION/) },
    ]);
    server = await startMailServer(Number(port));
    await subgraph.runJobs({ early: true });
    await subgraph.runJobs({ early: true });
    expect(only(server.mails).envelope.to).toEqual(['jane@acme.example']);
    expect(await mailsOf(id)).toMatchObject([{ sentAt: expect.any(Date), attempts: 2, lastError: null }]);
  });

  it.each([
    ['for a while (451)', () => server.answers.set('jane@acme.example', 451), () => server.answers.clear()],
    ['the text for a while (452)', () => answerToData(452), () => answerToData(null)],
  ])('that refuses %s is asked again', async (_what, refuse, accept) => {
    const id = await store();
    refuse();
    await change(subgraph, TENANT, id, 'scheduled');
    await subgraph.runJobs();
    expect(await mailsOf(id)).toMatchObject([{ sentAt: null, attempts: 1 }]);
    accept();
    await subgraph.runJobs({ early: true });
    expect(server.mails).toHaveLength(1);
    expect(await mailsOf(id)).toMatchObject([{ sentAt: expect.any(Date), attempts: 2, lastError: null }]);
  });

  it.each([
    ['the recipient', () => server.answers.set('jane@acme.example', 550), 'refused: EENVELOPE RCPT TO 550'],
    ['the mail', () => answerToData(554), 'refused: EMESSAGE DATA 554'],
  ])(
    'that refuses %s for good is not asked again, and neither is it told of the end',
    async (_what, refuse, reason) => {
      const id = await store();
      refuse();
      await change(subgraph, TENANT, id, 'scheduled');
      await subgraph.runJobs();
      await subgraph.runJobs({ early: true });
      expect(await mailsOf(id)).toMatchObject([{ sentAt: null, attempts: 1, lastError: reason }]);
      const warnings = subgraph.logs.filter(
        ({ msg, level }) => msg === '[TeamsMeetings] operation=invite' && level === 40,
      );
      expect(warnings).toMatchObject([{ tenantId: TENANT, meetingId: id, outcome: reason }]);

      const before = server.connections();
      await change(subgraph, TENANT, id, 'cancelled', { version: 2, status: 'CANCELLED' });
      await subgraph.runJobs();
      expect(server.connections()).toBe(before);
    },
  );

  it('hears of each mail in a conversation of its own, so that one refusal hinders no other', async () => {
    server.answers.set('jane@acme.example', 550);
    const id = await store({ attendees: [JANE, TECHNICIAN] });
    await change(subgraph, TENANT, id, 'scheduled');
    await subgraph.runJobs();
    expect(only(server.mails).envelope.to).toEqual(['tech@msp.example']);
  });
});

describe('hostile text', () => {
  it('puts no header, no recipient and no mark-up into a mail', async () => {
    const injected = '\r\nBcc: evil@x.example\r\nX-Evil: 1\r\n\r\n<script>alert(1)</script>';
    const id = await store({
      subject: `Review${injected}`,
      description: `Agenda${injected}`,
      organizerDisplayName: `Boss" <evil@x.example>${injected}`,
      attendees: [],
    });
    await subgraph.db.forTenant(TENANT).run((prisma) =>
      prisma.meetingAttendee.create({
        data: { ...JANE, meetingId: id, position: 0, kind: 'CONTACT', name: `Jane" <evil@x.example>,${injected}` },
      }),
    );
    await change(subgraph, TENANT, id, 'scheduled');
    await subgraph.runJobs();
    const received = only(server.mails);
    expect(received.envelope.to).toEqual(['jane@acme.example']);
    const addresses = [received.to, received.replyTo]
      .flat()
      .flatMap((list) => list?.value.map(({ address }) => address));
    expect(addresses).toEqual(['jane@acme.example', 'scheduling@acme.example']);
    expect(received.bcc).toBeUndefined();
    expect(received.headers.has('x-evil')).toBe(false);
    expect(received.subject).toBe('Review Bcc: evil@x.example X-Evil: 1 <script>alert(1)</script>');
    expect(received.html).not.toContain('<script');
    expect(property(received, 'attendee')).toBe('MAILTO:jane@acme.example');
  });
});

describe('the log', () => {
  it('tells of each mail, and never of an address, a link or what it says', async () => {
    server.answers.set('tech@msp.example', 451);
    const id = await store({ subject: 'Confidential-7', attendees: [JANE, TECHNICIAN] });
    await change(subgraph, TENANT, id, 'scheduled');
    await subgraph.runJobs();
    const lines = subgraph.logs.filter(({ msg }) => msg === '[TeamsMeetings] operation=invite');
    expect(lines.map(({ outcome }) => outcome).sort()).toEqual(['failed: EENVELOPE RCPT TO 451', 'success']);
    for (const line of lines) expect(line).toMatchObject({ tenantId: TENANT, meetingId: id, method: 'REQUEST' });
    expect(JSON.stringify(subgraph.logs)).not.toMatch(/acme\.example|msp\.example|teams\.microsoft|Confidential/);
  });
});

describe('without a mail server', () => {
  it('a mail that waits is kept until there is one', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    const [row] = await mailsOf(id);
    const without = await startTestSubgraph();
    try {
      await expect(
        without.services.sendInvitation(
          { viewer: backgroundViewer(TENANT), db: subgraph.db.forTenant(TENANT) },
          row?.id ?? '',
        ),
      ).rejects.toThrow(/SMTP_URL/);
    } finally {
      await without.close();
    }
    expect((await mailsOf(id))[0]?.sentAt).toBeNull();
  });
});
