import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { HOUR, type MeetingRow, storeMeeting } from './rows.ts';

interface Page {
  totalCount: number;
  edges: { cursor: string; node: { subject: string; status: string } }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

const LIST = `query ($filter: TeamsMeetingFilter, $first: Int, $after: String) { teamsMeetings(filter: $filter, first: $first, after: $after) {
  totalCount edges { cursor node { subject status } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await startTestSubgraph();
});
afterAll(() => subgraph.close());

const technician = (tenant: string, claims: object = {}) =>
  subgraph.tokens.token('technician', { tenant_id: tenant, ...claims });
const fromNow = (hours: number) => new Date(Date.now() + hours * HOUR);

async function page(token: string, variables: Record<string, unknown> = {}): Promise<Page> {
  const { data, errors } = await subgraph.send<{ teamsMeetings: Page }>(token, LIST, variables);
  expect(errors).toEqual([]);
  if (!data) throw new Error('no page');
  return data.teamsMeetings;
}
const subjects = ({ edges }: Page) => edges.map(({ node }) => node.subject);

async function codes(token: string, operation: string, variables: Record<string, unknown>): Promise<string[]> {
  const { errors } = await subgraph.send(token, operation, variables);
  return errors.map((error) => error.extensions.code);
}

describe('the pages of the list of meetings', () => {
  const tenant = 'tenant-pages';
  const START = Date.parse('2037-01-01T00:00:00Z');
  beforeAll(async () => {
    // Stored in another order than the one they begin in; three begin at the same moment.
    for (const i of [4, 0, 9, 2, 7, 1, 8, 3, 6, 5]) {
      const startsAt = new Date(START + Math.min(i, 7) * HOUR);
      await storeMeeting(subgraph, tenant, {
        appointmentId: `a-${i}`,
        subject: `m${i}`,
        startsAt,
        id: `0190a0a0-0000-7000-8000-00000000000${i}`,
      });
    }
  });
  const ALL = Array.from({ length: 10 }, (_, i) => `m${i}`);

  it('are in the order in which the meetings begin', async () => {
    const all = await page(await technician(tenant));
    expect(subjects(all)).toEqual(ALL);
    expect(all.totalCount).toBe(10);
    expect(all.pageInfo).toMatchObject({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: all.edges[0]?.cursor,
      endCursor: all.edges[9]?.cursor,
    });
  });

  it.each([1, 2, 3, 4, 5, 9, 10, 11, 100])('of %i hold every meeting once, and tell of the next one', async (first) => {
    const token = await technician(tenant);
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const next: Page = await page(token, { first, after });
      expect(next.totalCount).toBe(10);
      expect(next.pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...subjects(next));
      expect(next.pageInfo.hasNextPage).toBe(seen.length < 10);
      if (!next.pageInfo.hasNextPage) break;
      after = next.pageInfo.endCursor;
    }
    expect(seen).toEqual(ALL);
  });

  it('go on behind the same meeting after others were added before it and behind it', async () => {
    const token = await technician(tenant);
    const { pageInfo } = await page(token, { first: 4 });
    await storeMeeting(subgraph, tenant, { subject: 'before', interactionId: 'i-1', startsAt: new Date(START - HOUR) });
    await storeMeeting(subgraph, tenant, {
      subject: 'behind',
      interactionId: 'i-2',
      startsAt: new Date(START + 3.5 * HOUR),
    });
    expect(subjects(await page(token, { first: 2, after: pageInfo.endCursor }))).toEqual(['behind', 'm4']);
    await subgraph.database.query(`DELETE FROM online_meetings WHERE tenant_id = $1 AND interaction_id IS NOT NULL`, [
      tenant,
    ]);
  });

  it('go on behind a meeting that was deleted meanwhile', async () => {
    const token = await technician(tenant);
    const { id } = await storeMeeting(subgraph, tenant, {
      subject: 'gone',
      interactionId: 'i-3',
      startsAt: new Date(START + 0.5 * HOUR),
    });
    const { pageInfo } = await page(token, { first: 2 });
    await subgraph.database.query('DELETE FROM online_meetings WHERE id = $1', [id]);
    expect(subjects(await page(token, { first: 1, after: pageInfo.endCursor }))).toEqual(['m1']);
  });

  it('hold 25 when nothing is said, also for an explicit null', async () => {
    for (let i = 0; i < 26; i += 1) await storeMeeting(subgraph, 'tenant-many', { appointmentId: `many-${i}` });
    const token = await technician('tenant-many');
    for (const variables of [{}, { first: null }]) {
      const first = await page(token, variables);
      expect([first.edges.length, first.pageInfo.hasNextPage, first.totalCount]).toEqual([25, true, 26]);
    }
  });

  it('are empty without meetings, and say so', async () => {
    expect(await page(await technician('tenant-nothing'))).toEqual({
      totalCount: 0,
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
  });

  const base64 = (text: string) => Buffer.from(text).toString('base64url');
  it.each([
    ['first 0', { first: 0 }],
    ['first -1', { first: -1 }],
    ['first 101', { first: 101 }],
    ['a cursor of nonsense', { after: 'nonsense' }],
    ['an encoded nonsense', { after: base64('nonsense') }],
    ['a cursor without an id', { after: base64('1700000000000:') }],
    ['a cursor with an id that is none', { after: base64('1700000000000:x') }],
    ['a cursor without a time', { after: base64(`:${uuidv7()}`) }],
    ['a cursor beyond all time', { after: base64(`99999999999999999:${uuidv7()}`) }],
    ['a time that is no number', { after: base64(`NaN:${uuidv7()}`) }],
    ['a time of words', { filter: { startsFrom: 'tomorrow' } }],
    ['a day that does not exist', { filter: { startsFrom: '2026-02-30T00:00:00Z' } }],
    ['an unknown status', { filter: { status: ['OVER'] } }],
    ['an unknown filter', { filter: { owner: 'x' } }],
  ])('are refused with BAD_USER_INPUT for %s', async (_what, variables) => {
    expect(await codes(await technician(tenant), LIST, variables)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('the filters of the list of meetings', () => {
  const tenant = 'tenant-filters';
  const AT = Date.parse('2037-03-01T12:00:00Z');
  const rows: MeetingRow[] = [
    { subject: 'over', startsAt: fromNow(-3), endsAt: fromNow(-2), clientId: 'client-acme', recordings: 1 },
    { subject: 'running', startsAt: fromNow(-1), endsAt: fromNow(1), clientId: 'client-acme' },
    { subject: 'planned', startsAt: new Date(AT), clientId: 'client-initech', recordings: 2 },
    {
      subject: 'later',
      startsAt: new Date(AT + HOUR),
      attendees: [{ emailAddress: 'tech@msp.example', userId: 'user-technician' }],
    },
    {
      subject: 'cancelled',
      startsAt: new Date(AT + 2 * HOUR),
      status: 'CANCELLED',
      joinUrl: null,
      attendees: [{ emailAddress: 'jane@acme.example', contactId: 'contact-jane' }],
      clientId: 'client-acme',
    },
    {
      subject: 'failed',
      startsAt: new Date(AT + 3 * HOUR),
      status: 'FAILED',
      joinUrl: null,
      createdBy: 'user-technician',
    },
    { subject: 'cancelling', startsAt: new Date(AT + 4 * HOUR), status: 'CANCELLING' },
    {
      subject: 'provisioning',
      startsAt: fromNow(-6),
      endsAt: fromNow(-5),
      status: 'PROVISIONING',
      leasedUntil: fromNow(5),
      joinUrl: null,
    },
  ];
  beforeAll(async () => {
    for (const [i, row] of rows.entries()) await storeMeeting(subgraph, tenant, { ...row, appointmentId: `f-${i}` });
  });
  const ALL = ['provisioning', 'over', 'running', 'planned', 'later', 'cancelled', 'failed', 'cancelling'];

  it.each<[object | null, string[]]>([
    [null, ALL],
    [{}, ALL],
    [{ clientId: null, status: null, startsFrom: null, startsBefore: null, hasRecordings: null, mine: null }, ALL],
    [{ status: ['ENDED'] }, ['over']],
    [{ status: ['SCHEDULED'] }, ['running', 'planned', 'later']],
    [{ status: ['SCHEDULED', 'ENDED'] }, ['over', 'running', 'planned', 'later']],
    [{ status: ['CANCELLED'] }, ['cancelled']],
    [{ status: ['CANCELLING'] }, ['cancelling']],
    [{ status: ['FAILED', 'PROVISIONING'] }, ['provisioning', 'failed']],
    [{ status: [] }, []],
    [{ clientId: 'client-acme' }, ['over', 'running', 'cancelled']],
    [{ clientId: 'client-none' }, []],
    [{ clientId: 'client-%' }, []],
    [{ clientId: 'client-acme\u0000' }, []],
    [{ hasRecordings: true }, ['over', 'planned']],
    [{ hasRecordings: false }, ALL.filter((name) => name !== 'over' && name !== 'planned')],
    [{ startsFrom: '2037-03-01T12:00:00Z' }, ['planned', 'later', 'cancelled', 'failed', 'cancelling']],
    [{ startsFrom: '2037-03-01T12:00:00.001Z' }, ['later', 'cancelled', 'failed', 'cancelling']],
    [{ startsFrom: '2037-03-01T14:00:00+02:00', startsBefore: '2037-03-01T15:00:00+02:00' }, ['planned']],
    [{ startsBefore: '2037-03-01T12:00:00Z' }, ['provisioning', 'over', 'running']],
    [{ startsFrom: '2037-03-02T00:00:00Z', startsBefore: '2037-03-01T00:00:00Z' }, []],
    [{ mine: true }, ['later', 'failed']],
    [{ mine: false }, ALL],
    [{ mine: true, status: ['FAILED'] }, ['failed']],
    [{ clientId: 'client-acme', hasRecordings: true, status: ['ENDED'] }, ['over']],
    [{ clientId: 'client-acme', hasRecordings: true, status: ['SCHEDULED'] }, []],
  ])('%j find %j', async (filter, expected) => {
    const found = await page(await technician(tenant), { filter, first: 100 });
    expect(subjects(found)).toEqual(expected);
    expect(found.totalCount).toBe(expected.length);
  });

  it.each([
    ['a contact who attends', { contact_id: 'contact-jane' }, ['cancelled']],
    ['a contact who attends nothing', { contact_id: 'contact-joe' }, []],
    ['a client’s user without a contact', {}, []],
    ['one of another client', { contact_id: 'contact-jane', client_id: 'client-initech' }, []],
  ])('“mine” is for %s', async (_who, claims, expected) => {
    const token = await subgraph.tokens.token('client', { tenant_id: tenant, ...claims });
    expect(subjects(await page(token, { filter: { mine: true } }))).toEqual(expected);
  });

  it('“mine” is what one made, also for a service', async () => {
    const token = await subgraph.tokens.token('service', { tenant_id: tenant, sub: 'user-somebody' });
    const mine = subjects(await page(token, { filter: { mine: true } }));
    expect(mine).toEqual(ALL.filter((name) => name !== 'failed'));
  });

  it('a page goes on within its filter', async () => {
    const token = await technician(tenant);
    const filter = { status: ['SCHEDULED'] };
    const first = await page(token, { filter, first: 2 });
    expect([subjects(first), first.totalCount]).toEqual([['running', 'planned'], 3]);
    expect(subjects(await page(token, { filter, first: 2, after: first.pageInfo.endCursor }))).toEqual(['later']);
  });

  it('tell the status that the clock makes', async () => {
    const found = await page(await technician(tenant), { first: 100 });
    expect(Object.fromEntries(found.edges.map(({ node }) => [node.subject, node.status]))).toEqual({
      provisioning: 'PROVISIONING',
      over: 'ENDED',
      running: 'SCHEDULED',
      planned: 'SCHEDULED',
      later: 'SCHEDULED',
      cancelled: 'CANCELLED',
      failed: 'FAILED',
      cancelling: 'CANCELLING',
    });
  });
});

describe('the meeting of an appointment or an interaction', () => {
  const tenant = 'tenant-entities';
  const ask = async (type: string, id: string) => {
    const { data, errors } = await subgraph.send<{ _entities: { teamsMeeting: { subject: string } | null }[] }>(
      await technician(tenant),
      `query ($id: ID!) { _entities(representations: [{ __typename: "${type}", id: $id }]) { ... on ${type} { teamsMeeting { subject } } } }`,
      { id },
    );
    expect(errors).toEqual([]);
    return data?._entities[0]?.teamsMeeting?.subject ?? null;
  };
  const cancelled = (day: number): MeetingRow => ({
    status: 'CANCELLED',
    joinUrl: null,
    subject: `cancelled ${day}`,
    createdAt: new Date(`2026-10-0${day}T00:00:00Z`),
  });

  it.each([
    ['Appointment', 'appointmentId'],
    ['Interaction', 'interactionId'],
  ] as const)('of %s is the one that is not cancelled, else the latest cancelled one', async (type, subject) => {
    for (const day of [2, 3, 1]) await storeMeeting(subgraph, tenant, { ...cancelled(day), [subject]: 'e-1' });
    expect(await ask(type, 'e-1')).toBe('cancelled 3');
    await storeMeeting(subgraph, tenant, {
      [subject]: 'e-1',
      subject: 'active',
      createdAt: new Date('2026-09-01T00:00:00Z'),
    });
    expect(await ask(type, 'e-1')).toBe('active');
  });

  it.each(['', ' ', 'E-1', 'e-1 ', "e-1' OR '1'='1", 'e_1', '%', '💥', 'x'.repeat(5000), 'e-1\u0000'])(
    'is null for the id %j',
    async (id) => {
      expect(await ask('Appointment', id)).toBeNull();
    },
  );
});
