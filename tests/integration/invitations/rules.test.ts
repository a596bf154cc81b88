import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeInvitationListener } from '../../../src/services/invitations/invitation-listener.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import type { MeetingRow } from '../access/rows.ts';
import { change, JANE, storedMails, storeInvited, TECHNICIAN, TYPED } from './world.ts';

const TENANT = 'tenant-rules';
let subgraph: TestSubgraph;

beforeAll(async () => {
  subgraph = await startTestSubgraph();
});
afterAll(() => subgraph.close());

const store = (over: MeetingRow = {}) => storeInvited(subgraph, TENANT, over);

/** `REQUEST 1 jane@acme.example` and so on. */
const written = async (id: string) =>
  (await storedMails(subgraph, TENANT, id))
    .map(({ method, sequence, emailAddress }) => `${method} ${sequence} ${emailAddress}`)
    .sort();

const jobs = async () =>
  (
    await subgraph.database.query(
      "SELECT 1 FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id WHERE t.identifier = 'send_invitation'",
    )
  ).length;

describe('one invitation, not two', () => {
  const both = ['REQUEST 1 jane@acme.example', 'REQUEST 1 tech@msp.example'];
  it.each([
    { asked: null, exchangeInvites: true, mails: [] },
    { asked: null, exchangeInvites: false, mails: both },
    { asked: true, exchangeInvites: true, mails: both },
    { asked: true, exchangeInvites: false, mails: both },
    { asked: false, exchangeInvites: true, mails: [] },
    { asked: false, exchangeInvites: false, mails: [] },
  ])('asked for: $asked, Exchange invites: $exchangeInvites → $mails', async ({ asked, exchangeInvites, mails }) => {
    const id = await store({ mailsInvitations: asked, sendsInvites: exchangeInvites });
    const before = await jobs();
    await change(subgraph, TENANT, id, 'scheduled');
    expect(await written(id)).toEqual(mails);
    expect((await jobs()) - before).toBe(mails.length);
  });
});

describe('the mails of a change', () => {
  it('are none where no mail server is configured, and none of a failure', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled', { isSmtpConfigured: false });
    await change(subgraph, TENANT, id, 'failed');
    expect(await written(id)).toEqual([]);
  });

  it('are written once, however often the change is told', async () => {
    const id = await store();
    const before = await jobs();
    for (const kind of ['scheduled', 'scheduled', 'updated'] as const) await change(subgraph, TENANT, id, kind);
    expect(await written(id)).toHaveLength(2);
    expect((await jobs()) - before).toBe(2);
  });

  it('are there exactly if the change is: a transaction that fails leaves neither mail nor job', async () => {
    const id = await store();
    const before = await jobs();
    const failing = subgraph.db.forTenant(TENANT).transaction(async (prisma) => {
      const meeting = await prisma.onlineMeeting.findFirstOrThrow({ where: { id } });
      const scope = { viewer: backgroundViewer(TENANT), db: subgraph.db.forTenant(TENANT) };
      const listen = makeInvitationListener({ clock: () => new Date(), newId: randomUUID }, true);
      await listen(prisma, scope, { kind: 'scheduled', meeting });
      throw new Error('afterwards');
    });
    await expect(failing).rejects.toThrow('afterwards');
    expect(await written(id)).toEqual([]);
    expect(await jobs()).toBe(before);
  });

  it('tell a new revision to all, uninvite who was removed, and invite who was added', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    const max = { emailAddress: 'max@acme.example', contactId: 'contact-max' };
    await change(subgraph, TENANT, id, 'updated', { version: 2, attendees: [JANE, max, TYPED] });
    expect((await written(id)).filter((mail) => mail.includes(' 2 '))).toEqual([
      'CANCEL 2 tech@msp.example',
      'REQUEST 2 jane@acme.example',
      'REQUEST 2 max@acme.example',
    ]);
    // Once uninvited, they hear no more; and may be invited again.
    await change(subgraph, TENANT, id, 'updated', { version: 3 });
    expect((await written(id)).filter((mail) => mail.includes(' 3 '))).toEqual([
      'REQUEST 3 jane@acme.example',
      'REQUEST 3 max@acme.example',
    ]);
    await change(subgraph, TENANT, id, 'updated', { version: 4, attendees: [TECHNICIAN] });
    expect((await written(id)).filter((mail) => mail.includes(' 4 '))).toEqual([
      'CANCEL 4 jane@acme.example',
      'CANCEL 4 max@acme.example',
      'REQUEST 4 tech@msp.example',
    ]);
    await change(subgraph, TENANT, id, 'cancelled', { version: 5, status: 'CANCELLED' });
    expect((await written(id)).filter((mail) => mail.includes(' 5 '))).toEqual(['CANCEL 5 tech@msp.example']);
  });

  it('keep a person up to date who was invited and is now an address typed by hand, in another case', async () => {
    const id = await store({ attendees: [JANE] });
    await change(subgraph, TENANT, id, 'scheduled');
    await change(subgraph, TENANT, id, 'updated', { version: 2, attendees: [{ emailAddress: 'JANE@acme.example' }] });
    expect(await written(id)).toEqual(['REQUEST 1 jane@acme.example', 'REQUEST 2 JANE@acme.example']);
  });

  it('of a cancellation go only to those who were invited', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'cancelled', { version: 2, status: 'CANCELLED' });
    expect(await written(id)).toEqual([]);
  });

  it('of a cancellation go to the invited also where Exchange tells the others', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    await change(subgraph, TENANT, id, 'cancelled', { version: 2, status: 'CANCELLED', mailsInvitations: null });
    expect((await written(id)).filter((mail) => mail.startsWith('CANCEL'))).toEqual([
      'CANCEL 2 jane@acme.example',
      'CANCEL 2 tech@msp.example',
    ]);
  });

  it('are none once they are forbidden', async () => {
    const id = await store();
    await change(subgraph, TENANT, id, 'scheduled');
    await change(subgraph, TENANT, id, 'cancelled', { version: 2, status: 'CANCELLED', mailsInvitations: false });
    expect(await written(id)).toHaveLength(2);
  });
});
