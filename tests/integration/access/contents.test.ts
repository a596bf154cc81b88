import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { storeMeeting, vttOf } from './rows.ts';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await startTestSubgraph();
});
afterAll(() => subgraph.close());

const technician = (tenant: string) => subgraph.tokens.token('technician', { tenant_id: tenant });

async function ask<Data>(tenant: string, operation: string, variables: Record<string, unknown> = {}): Promise<Data> {
  const { data, errors } = await subgraph.send<Data>(await technician(tenant), operation, variables);
  expect(errors).toEqual([]);
  if (data === null) throw new Error('no data');
  return data;
}

async function codes(tenant: string, operation: string, variables: Record<string, unknown> = {}): Promise<string[]> {
  return (await subgraph.send(await technician(tenant), operation, variables)).errors.map(
    (error) => error.extensions.code,
  );
}

describe('the cues of a transcript', () => {
  const tenant = 'tenant-cues';
  let id: string;
  let emptyId: string;
  const CUES = `query ($id: ID!, $first: Int, $after: String) { _entities(representations: [{ __typename: "MeetingTranscript", id: $id }]) { ... on MeetingTranscript {
    text durationSeconds speakers { name talkSeconds cueCount }
    cues(first: $first, after: $after) { totalCount edges { cursor node { index text speaker } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }`;
  interface Transcript {
    text: string;
    durationSeconds: number | null;
    speakers: { name: string; talkSeconds: number; cueCount: number }[];
    cues: {
      totalCount: number;
      edges: { cursor: string; node: { index: number; text: string } }[];
      pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
    };
  }
  // Representations are a scalar's value, in which a variable stands as any other.
  const read = async (variables: Record<string, unknown>) =>
    (await ask<{ _entities: Transcript[] }>(tenant, CUES, variables))._entities[0];

  beforeAll(async () => {
    const chatty = vttOf(
      Array.from({ length: 3 }, (_, i) => `short ${i}`),
      'Bob',
    );
    const vtt = `${vttOf(['hello'], 'Ann')}\n${chatty.replace('WEBVTT\n\n', '').replaceAll('00:00:0', '00:01:0')}`;
    id = (await storeMeeting(subgraph, tenant, { appointmentId: 'c-1', transcripts: [vtt] })).transcriptIds[0] ?? '';
    emptyId =
      (await storeMeeting(subgraph, tenant, { appointmentId: 'c-2', transcripts: ['WEBVTT\n'] })).transcriptIds[0] ??
      '';
  });

  it.each([1, 2, 3, 4, 5])('come page by page of %i, in the order spoken', async (first) => {
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const cues: Transcript['cues'] | undefined = (await read({ id, first, after }))?.cues;
      expect(cues?.totalCount).toBe(4);
      expect(cues?.pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...(cues?.edges ?? []).map(({ node }) => node.text));
      if (!cues?.pageInfo.hasNextPage) break;
      after = cues.pageInfo.endCursor;
    }
    expect(seen).toEqual(['hello', 'short 0', 'short 1', 'short 2']);
  });

  it('are empty behind the last one', async () => {
    expect((await read({ id, after: '3' }))?.cues).toMatchObject({
      totalCount: 4,
      edges: [],
      pageInfo: { hasNextPage: false, endCursor: null },
    });
  });

  it('give the text by turns, the length, and the speakers, most talkative first', async () => {
    expect(await read({ id })).toMatchObject({
      text: 'Ann: hello\n\nBob: short 0 short 1 short 2',
      durationSeconds: 69,
      speakers: [
        { name: 'Bob', talkSeconds: 9, cueCount: 3 },
        { name: 'Ann', talkSeconds: 3, cueCount: 1 },
      ],
    });
  });

  it('may be none at all', async () => {
    expect(await read({ id: emptyId })).toMatchObject({
      text: '',
      durationSeconds: null,
      speakers: [],
      cues: { totalCount: 0, edges: [], pageInfo: { hasNextPage: false } },
    });
  });

  it.each([
    ['first 0', { first: 0 }],
    ['first 1001', { first: 1001 }],
    ['a cursor that is none', { after: 'x' }],
    ['a negative cursor', { after: '-1' }],
    ['a cursor beyond all numbers', { after: '9'.repeat(40) }],
  ])('are refused with BAD_USER_INPUT for %s', async (_what, variables) => {
    expect(await codes(tenant, CUES, { id, ...variables })).toEqual(['BAD_USER_INPUT']);
  });
});

describe('the invitation of a meeting', () => {
  const tenant = 'tenant-invitation';
  let id: string;
  let cancelledId: string;
  const INVITATION =
    'query ($id: ID!, $timeZone: TimeZone, $locale: String) { teamsMeeting(id: $id) { joinUrl invitation(timeZone: $timeZone, locale: $locale) { subject html text ics icsUrl } } }';
  interface Invited {
    teamsMeeting: {
      joinUrl: string | null;
      invitation: { subject: string; html: string; text: string; ics: string; icsUrl: string };
    };
  }
  const read = async (variables: Record<string, unknown>) =>
    (await ask<Invited>(tenant, INVITATION, { id, ...variables })).teamsMeeting;

  beforeAll(async () => {
    const startsAt = new Date('2026-12-01T22:30:00Z');
    id = (
      await storeMeeting(subgraph, tenant, {
        appointmentId: 'i-1',
        subject: 'Review <b>',
        startsAt,
        attendees: [{ emailAddress: 'jane@acme.example', contactId: 'contact-jane' }],
      })
    ).id;
    cancelledId = (
      await storeMeeting(subgraph, tenant, { appointmentId: 'i-2', status: 'CANCELLED', joinUrl: null, startsAt })
    ).id;
  });

  it.each([
    ['UTC', 'en', /Tuesday, December 1, 2026.*10:30.*11:30.*PM.*Coordinated Universal Time \(UTC\)/s],
    ['Europe/Berlin', 'en', /Tuesday, December 1, 2026.*11:30.*PM.*Wednesday, December 2, 2026.*12:30.*AM/s],
    ['Europe/Berlin', 'de', /Dienstag, 1\. Dezember 2026.*23:30.*Mittwoch, 2\. Dezember 2026.*00:30/s],
    ['Asia/Kolkata', 'en-GB', /Wednesday.*2 December 2026.*04:00.*05:00/s],
    ['America/New_York', 'en-US', /Tuesday, December 1, 2026.*5:30.*6:30.*PM/s],
  ])('writes its times in the zone %s and the language %s', async (timeZone, locale, pattern) => {
    const { text } = (await read({ timeZone, locale })).invitation;
    expect(text).toMatch(pattern);
    expect(text).toContain(`(${timeZone})`);
  });

  it('is in UTC and English when nothing is said, also for an explicit null', async () => {
    const plain = (await read({ timeZone: 'UTC', locale: 'en' })).invitation.text;
    expect((await read({})).invitation.text).toBe(plain);
    expect((await read({ timeZone: null, locale: null })).invitation.text).toBe(plain);
  });

  it('is English where there is no such language', async () => {
    expect((await read({ locale: 'tlh' })).invitation.text).toContain('December');
  });

  it.each([
    ['an unknown zone', { timeZone: 'Mars/Olympus' }],
    ['an offset for a zone', { timeZone: '+02:00' }],
    ['an empty zone', { timeZone: '' }],
    ['a number for a zone', { timeZone: 5 }],
    ['a locale that is none', { locale: 'not a locale' }],
    ['an empty locale', { locale: '' }],
  ])('is refused with BAD_USER_INPUT for %s', async (_what, variables) => {
    expect(await codes(tenant, INVITATION, { id, ...variables })).toEqual(['BAD_USER_INPUT']);
  });

  it('escapes what people typed and has the join link', async () => {
    const { joinUrl, invitation } = await read({});
    expect(invitation.html).toContain('Review &lt;b&gt;');
    expect(invitation.html).not.toContain('<b>');
    expect(invitation.html).toContain(`href="${joinUrl}"`);
    expect(invitation.text).toContain(joinUrl);
  });

  it('has an address that a calendar opens without signing in', async () => {
    const { icsUrl, ics } = (await read({})).invitation;
    const response = await fetch(reachable(subgraph, icsUrl));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/calendar; charset=utf-8; method=REQUEST/);
    expect(response.headers.get('content-disposition')).toContain('invitation.ics');
    const body = await response.text();
    expect(body).toBe(ics);
    expect(body.replaceAll('\r\n ', '')).toContain('METHOD:REQUEST');
    expect(body.replaceAll('\r\n ', '')).toContain('MAILTO:jane@acme.example');
    expect((await fetch(new URL('?', reachable(subgraph, icsUrl)))).status).toBe(403);
  });

  it('cancels once the meeting is cancelled, and has no link then', async () => {
    const { joinUrl, invitation } = await read({ id: cancelledId });
    expect(joinUrl).toBeNull();
    expect(invitation.ics).toContain('METHOD:CANCEL');
    expect(invitation.subject).toMatch(/cancel/i);
    expect(invitation.html).not.toContain('teams.microsoft.com');
    expect((await fetch(reachable(subgraph, invitation.icsUrl))).headers.get('content-type')).toContain(
      'method=CANCEL',
    );
  });
});

describe('suggested attendees', () => {
  const suggest = async (over: object) => {
    const { _entities } = await ask<{ _entities: { suggestedAttendees: unknown[] }[] }>(
      'tenant-suggest',
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Interaction { suggestedAttendees { emailAddress name kind source } } } }',
      { r: [{ __typename: 'Interaction', id: 'int-1', ...over }] },
    );
    return _entities[0]?.suggestedAttendees;
  };
  const contact = (email: string | null) => ({ id: 'contact-1', name: 'Jane', email });
  const client = (email: string | null, location?: string | null) => ({
    id: 'client-1',
    name: 'Acme',
    email,
    defaultLocation: location === undefined ? null : { email: location },
  });
  const jane = { emailAddress: 'jane@acme.example', name: 'Jane', kind: 'CONTACT', source: 'CONTACT' };
  const office = { emailAddress: 'office@acme.example', name: 'Acme', kind: 'EMAIL', source: 'CLIENT_LOCATION' };
  const own = { emailAddress: 'info@acme.example', name: 'Acme', kind: 'EMAIL', source: 'CLIENT' };

  it.each([
    [
      'the contact’s address',
      { contact: contact('jane@acme.example'), client: client('info@acme.example', 'office@acme.example') },
      [jane],
    ],
    ['the contact’s address, trimmed', { contact: contact('  jane@acme.example ') }, [jane]],
    [
      'the contact’s address without a name',
      { contact: { id: 'c', name: null, email: 'jane@acme.example' } },
      [{ ...jane, name: null }],
    ],
    [
      'the address of the client’s default location',
      { contact: null, client: client('info@acme.example', 'office@acme.example') },
      [office],
    ],
    ['the client’s own address without a location', { contact: null, client: client('info@acme.example') }, [own]],
    ['the client’s own address when the location has none', { client: client('info@acme.example', null) }, [own]],
    ['the client’s own address when the location’s is empty', { client: client('info@acme.example', ' ') }, [own]],
    [
      'the client’s own address when the location’s is none',
      { client: client('info@acme.example', 'no address') },
      [own],
    ],
    ['nothing without any address', { contact: null, client: client(null, null) }, []],
    ['nothing for an address that is none', { contact: contact('jane at acme') }, []],
    ['nothing without contact and client', { contact: null, client: null }, []],
    ['nothing when the gateway sent neither', {}, []],
  ])('are %s', async (_what, over, expected) => {
    expect(await suggest(over)).toEqual(expected);
  });
});
