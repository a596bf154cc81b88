import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { storeInvited } from './world.ts';

const TENANT = 'tenant-a';
let subgraph: TestSubgraph;

beforeAll(async () => {
  subgraph = await startTestSubgraph();
});
afterAll(() => subgraph.close());

async function linkOf(id: string, tenant = TENANT): Promise<string> {
  const token = await subgraph.tokens.token('technician', { tenant_id: tenant });
  const { data, errors } = await subgraph.send<{ teamsMeeting: { invitation: { icsUrl: string } } }>(
    token,
    'query ($id: ID!) { teamsMeeting(id: $id) { invitation { icsUrl } } }',
    { id },
  );
  if (!data) throw new Error(JSON.stringify(errors));
  return reachable(subgraph, data.teamsMeeting.invitation.icsUrl);
}

async function fetchFile(link: string): Promise<{ status: number; type: string | null; body: string }> {
  const response = await fetch(link);
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

describe('the calendar file behind a link', () => {
  it('invites, says so in its type, and is a file', async () => {
    const id = await storeInvited(subgraph, TENANT, { version: 3 });
    const { status, type, body } = await fetchFile(await linkOf(id));
    expect([status, type]).toEqual([200, 'text/calendar; charset=utf-8; method=REQUEST']);
    expect(body).toMatch(/^BEGIN:VCALENDAR\r\n/);
    expect(body).toContain('\r\nMETHOD:REQUEST\r\n');
    expect(body).toContain('\r\nSEQUENCE:3\r\n');
    expect(body.replaceAll('\r\n ', '')).toContain(`https://teams.microsoft.com/l/meetup-join/${id}`);
  });

  it.each(['CANCELLED', 'CANCELLING'] as const)('cancels a meeting that is %s, and has no way in', async (status) => {
    const id = await storeInvited(subgraph, TENANT, { status });
    const { type, body } = await fetchFile(await linkOf(id));
    expect(type).toBe('text/calendar; charset=utf-8; method=CANCEL');
    expect(body).toContain('\r\nMETHOD:CANCEL\r\n');
    expect(body).toContain('\r\nSTATUS:CANCELLED\r\n');
    expect(body).not.toContain('teams.microsoft');
  });

  it('follows the meeting: the same link cancels once the meeting is cancelled', async () => {
    const id = await storeInvited(subgraph, TENANT);
    const link = await linkOf(id);
    expect((await fetchFile(link)).body).toContain('METHOD:REQUEST');
    await subgraph.db
      .forTenant(TENANT)
      .run((prisma) => prisma.onlineMeeting.updateMany({ where: { id }, data: { status: 'CANCELLED', version: 2 } }));
    const { body } = await fetchFile(link);
    expect(body).toContain('METHOD:CANCEL');
    expect(body).toContain('SEQUENCE:2');
  });

  it('says nothing to the link of another tenant, to none, and to one that has expired', async () => {
    const mine = await storeInvited(subgraph, TENANT);
    const theirs = await storeInvited(subgraph, 'tenant-b');
    const [link, other] = [new URL(await linkOf(mine)), new URL(await linkOf(theirs, 'tenant-b'))];
    const refused = { status: 403, type: null, body: '' };
    expect(await fetchFile(`${link.origin}${link.pathname}${other.search}`)).toEqual(refused);
    expect(await fetchFile(`${link.origin}${link.pathname}`)).toEqual(refused);
    expect((await fetchFile(link.href)).status).toBe(200);
    subgraph.advanceClock(16 * 60_000);
    expect(await fetchFile(link.href)).toEqual(refused);
  });
});
