import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeMicrosoft, graphError, json, serviceFor, startFakeMicrosoft } from './fake-microsoft.ts';

const TENANT_PROPERTY = 'String {09369d99-5548-4068-bc65-272d36fb2304} Name TenantId';
const SUBJECT_PROPERTY = 'String {09369d99-5548-4068-bc65-272d36fb2304} Name Subject';
const MEETING_PROPERTY = 'String {09369d99-5548-4068-bc65-272d36fb2304} Name MeetingId';
const MARKERS = { tenantId: "tenant-O'Neil", meetingId: 'meeting-1' };
const RANGE = { startsFrom: new Date('2026-12-01T00:00:00Z'), startsBefore: new Date('2026-12-02T00:00:00Z') };

interface Stored {
  id?: string;
  tenantId?: string;
  meetingId?: string;
  startsAt?: string;
}

/** An event as Graph expands it. */
function wire({ id = 'AAMk1', tenantId, meetingId, startsAt = '2026-12-01T09:00:00.0000000' }: Stored) {
  const properties = [
    ...(tenantId === undefined ? [] : [{ id: TENANT_PROPERTY, value: tenantId }]),
    // Exchange may write the GUID in another case than it was given.
    ...(meetingId === undefined ? [] : [{ id: MEETING_PROPERTY.toUpperCase(), value: meetingId }]),
  ];
  return {
    '@odata.etag': 'W/"1"',
    id,
    transactionId: 'transaction-1',
    subject: 'Review',
    start: { dateTime: startsAt, timeZone: 'UTC' },
    end: { dateTime: startsAt, timeZone: 'UTC' },
    ...(properties.length === 0 ? {} : { singleValueExtendedProperties: properties }),
  };
}

let fake: FakeMicrosoft;
beforeEach(async () => {
  fake = await startFakeMicrosoft();
});
afterEach(() => fake.close());

function queryOf(index: number): URLSearchParams {
  return new URL(fake.graphRequests[index]?.url ?? '', fake.url).searchParams;
}

describe('create', () => {
  const DRAFT = {
    subject: 'Review',
    startsAt: new Date('2026-12-01T09:00:00Z'),
    endsAt: new Date('2026-12-01T10:00:00Z'),
    bodyHtml: '',
    attendees: [],
    transactionId: 'transaction-1',
  };

  it('writes the markers into the event, and reads etag and transaction id', async () => {
    fake.answerGraph(json(201, wire({})));
    const event = await serviceFor(fake).client.events.create('u1', { ...DRAFT, markers: MARKERS });
    expect(JSON.parse(fake.graphRequests[0]?.body ?? '').singleValueExtendedProperties).toEqual([
      { id: TENANT_PROPERTY, value: MARKERS.tenantId },
      { id: MEETING_PROPERTY, value: MARKERS.meetingId },
    ]);
    expect(event).toMatchObject({ etag: 'W/"1"', transactionId: 'transaction-1' });
    expect(event).not.toHaveProperty('markers');
  });

  it('writes none where none are given', async () => {
    fake.answerGraph(json(201, wire({})));
    await serviceFor(fake).client.events.create('u1', DRAFT);
    expect(JSON.parse(fake.graphRequests[0]?.body ?? '')).not.toHaveProperty('singleValueExtendedProperties');
  });
});

describe('findByMeeting', () => {
  it('asks by the marker, with both markers expanded', async () => {
    fake.answerGraph(json(200, { value: [wire(MARKERS)] }));
    const found = await serviceFor(fake).client.events.findByMeeting('u1', { ...MARKERS });
    expect(found).toMatchObject([{ id: 'AAMk1', etag: 'W/"1"', transactionId: 'transaction-1' }]);
    expect(queryOf(0).get('$filter')).toBe(
      `singleValueExtendedProperties/Any(ep: ep/id eq '${MEETING_PROPERTY}' and ep/value eq 'meeting-1')`,
    );
    expect(queryOf(0).get('$expand')).toBe(
      `singleValueExtendedProperties($filter=id eq '${TENANT_PROPERTY}' or id eq '${MEETING_PROPERTY}' or id eq '${SUBJECT_PROPERTY}')`,
    );
    expect(queryOf(0).get('$select')?.split(',')).toEqual(expect.arrayContaining(['id', 'transactionId', 'start']));
    expect(fake.graphRequests[0]?.headers.prefer).toBe('outlook.timezone="UTC", IdType="ImmutableId"');
  });

  it('leaves out other tenants, and values that are equal only without regard to case', async () => {
    fake.answerGraph(
      json(200, {
        value: [
          wire({ ...MARKERS, id: 'other-tenant', tenantId: 'tenant-2' }),
          wire({ ...MARKERS, id: 'other-case', meetingId: 'MEETING-1' }),
          wire({ id: 'no-tenant', meetingId: 'meeting-1' }),
          wire({ id: 'nothing' }),
          wire({ ...MARKERS, id: 'ours' }),
        ],
      }),
    );
    const found = await serviceFor(fake).client.events.findByMeeting('u1', MARKERS);
    expect(found.map((event) => event.id)).toEqual(['ours']);
  });

  it('reads all pages', async () => {
    fake.answerGraph(
      json(200, { value: [], '@odata.nextLink': `${fake.url}/v1.0/users/u1/events?$skiptoken=1` }),
      json(200, { value: [wire(MARKERS)] }),
    );
    expect(await serviceFor(fake).client.events.findByMeeting('u1', MARKERS)).toHaveLength(1);
  });

  it('doubles the quotation marks of a value', async () => {
    fake.answerGraph(json(200, { value: [] }));
    expect(
      await serviceFor(fake).client.events.findByMeeting('u1', { tenantId: 't', meetingId: "m' or 1 eq '1" }),
    ).toEqual([]);
    expect(queryOf(0).get('$filter')).toContain("ep/value eq 'm'' or 1 eq ''1')");
  });

  it('needs more than Calendars.ReadBasic', async () => {
    const claims = Buffer.from(JSON.stringify({ roles: ['Calendars.ReadBasic'] })).toString('base64url');
    fake.answerTokens(json(200, { token_type: 'Bearer', expires_in: 3599, access_token: `h.${claims}.s` }));
    fake.answerGraph(graphError(403, 'ErrorAccessDenied'));
    await expect(serviceFor(fake).client.events.findByMeeting('u1', MARKERS)).rejects.toMatchObject({
      kind: 'ROLE_MISSING',
    });
  });
});

describe('listMarked', () => {
  const ours = { tenantId: 'tenant-1' };

  it('asks by marker and time at once', async () => {
    fake.answerGraph(json(200, { value: [wire({ ...ours, meetingId: 'meeting-1' }), wire({ ...ours, id: 'AAMk2' })] }));
    const marked = await serviceFor(fake).client.events.listMarked('u1', 'tenant-1', RANGE);
    expect(marked.map(({ event, meetingId }) => [event.id, meetingId])).toEqual([
      ['AAMk1', 'meeting-1'],
      ['AAMk2', null],
    ]);
    expect(queryOf(0).get('$filter')).toBe(
      `singleValueExtendedProperties/Any(ep: ep/id eq '${TENANT_PROPERTY}' and ep/value eq 'tenant-1') ` +
        "and start/dateTime ge '2026-12-01T00:00:00.000Z' and start/dateTime lt '2026-12-02T00:00:00.000Z'",
    );
  });

  it('filters by the marker alone where both are refused, and cuts the range itself', async () => {
    const at = (id: string, startsAt: string) => wire({ ...ours, id, startsAt });
    fake.answerGraph(
      graphError(400, 'ErrorInvalidUrlQueryFilter', 'The query filter contains one or more invalid nodes.'),
      json(200, {
        value: [
          at('before', '2026-11-30T23:59:59.9999999'),
          at('first', '2026-12-01T00:00:00.0000000'),
          at('last', '2026-12-01T23:59:59.0000000'),
          at('after', '2026-12-02T00:00:00.0000000'),
          wire({ id: 'foreign', tenantId: 'tenant-2' }),
        ],
      }),
    );
    const marked = await serviceFor(fake).client.events.listMarked('u1', 'tenant-1', RANGE);
    expect(marked.map(({ event }) => event.id)).toEqual(['first', 'last']);
    expect(queryOf(1).get('$filter')).not.toContain('dateTime');
  });

  it('does not take another failure for a refusal of the filter', async () => {
    fake.answerGraph(graphError(404, 'ErrorInvalidUser'));
    await expect(serviceFor(fake).client.events.listMarked('u1', 'tenant-1', RANGE)).rejects.toMatchObject({
      kind: 'USER_NOT_FOUND',
    });
    expect(fake.graphRequests).toHaveLength(1);
  });
});
