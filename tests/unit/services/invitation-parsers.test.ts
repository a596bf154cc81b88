import fc from 'fast-check';
import ICAL from 'ical.js';
import nodeIcal, { type VEvent } from 'node-ical';
import { describe, expect, it } from 'vitest';
import { renderInvitation } from '../../../src/services/invitations/invitation.ts';
import type { Meeting, StoredAttendee } from '../../../src/services/meetings/meeting.ts';
import { storedAttendee, storedMeeting } from './meeting.ts';

/** What a calendar program understands of a file. */
interface Understood {
  method: string;
  uid: string;
  sequence: number;
  stamp: string;
  start: string;
  end: string;
  summary: string;
  location: string;
  status: string;
  url: string | null;
  description: string | null;
  organizer: { name: string; address: string };
  attendees: { name: string; address: string; participation: string; role: string }[];
}

const addressOf = (uri: string) => uri.replace(/^mailto:/i, '');

function byIcalJs(ics: string): Understood {
  const calendar = new ICAL.Component(ICAL.parse(ics));
  const events = calendar.getAllSubcomponents('vevent');
  const event = events[0];
  if (event === undefined || events.length !== 1) throw new Error(`${events.length} events`);
  const text = (name: string) => {
    const value = event.getFirstPropertyValue(name);
    return value === null ? null : String(value);
  };
  const time = (name: string) => {
    const value = event.getFirstPropertyValue(name);
    if (!(value instanceof ICAL.Time) || value.zone !== ICAL.Timezone.utcTimezone)
      throw new Error(`${name} is not UTC`);
    return value.toJSDate().toISOString();
  };
  const personOf = (property: InstanceType<typeof ICAL.Property>) => ({
    name: String(property.getParameter('cn')),
    address: addressOf(String(property.getFirstValue())),
  });
  const organizer = event.getFirstProperty('organizer');
  if (organizer === null) throw new Error('no organizer');
  return {
    method: String(calendar.getFirstPropertyValue('method')),
    uid: text('uid') ?? '',
    sequence: Number(text('sequence')),
    stamp: time('dtstamp'),
    start: time('dtstart'),
    end: time('dtend'),
    summary: text('summary') ?? '',
    location: text('location') ?? '',
    status: text('status') ?? '',
    url: text('url'),
    description: text('description'),
    organizer: personOf(organizer),
    attendees: event.getAllProperties('attendee').map((property) => ({
      ...personOf(property),
      participation: String(property.getParameter('partstat')),
      role: String(property.getParameter('role')),
    })),
  };
}

type NodeIcalValue = string | { val: string; params?: Record<string, string> } | undefined;

/** node-ical leaves quotes around parameters and unwraps a value only where it has no parameters. */
function byNodeIcal(ics: string): Understood {
  const parsed = nodeIcal.sync.parseICS(ics);
  const events = Object.values(parsed).filter((part): part is VEvent => part?.type === 'VEVENT');
  const event = events[0];
  if (event === undefined || events.length !== 1) throw new Error(`${events.length} events`);
  const text = (value: unknown) => {
    const known = value as NodeIcalValue;
    return known === undefined ? null : typeof known === 'string' ? known : known.val;
  };
  const personOf = (value: unknown) => {
    const { val, params = {} } = value as { val: string; params?: Record<string, string> };
    return { name: (params.CN ?? '').replace(/^"|"$/g, ''), address: addressOf(val), params };
  };
  const { params: _, ...organizer } = personOf(event.organizer);
  const attendees =
    event.attendee === undefined ? [] : Array.isArray(event.attendee) ? event.attendee : [event.attendee];
  return {
    method: String(event.method),
    uid: event.uid,
    sequence: Number(event.sequence),
    stamp: event.dtstamp.toISOString(),
    start: event.start.toISOString(),
    end: event.end?.toISOString() ?? '',
    summary: text(event.summary) ?? '',
    location: text(event.location) ?? '',
    status: String(event.status),
    url: text(event.url),
    description: text(event.description),
    organizer,
    attendees: attendees.map((attendee) => {
      const { name, address, params } = personOf(attendee);
      return { name, address, participation: params.PARTSTAT ?? '', role: params.ROLE ?? '' };
    }),
  };
}

const PARSERS = { 'ical.js': byIcalJs, 'node-ical': byNodeIcal };

const fileOf = (meeting: Partial<Meeting>, attendees: Partial<StoredAttendee>[]) =>
  renderInvitation(storedMeeting(meeting), attendees.map(storedAttendee), { timeZone: 'UTC', locale: 'en' }).ics;

describe.each(Object.entries(PARSERS))('as %s reads it, a calendar file', (_name, parse) => {
  const attendees: Partial<StoredAttendee>[] = [
    { emailAddress: 'jane@acme.example', name: 'Jäne, “O’Neill”; & Sons', response: 'ACCEPTED' },
    { emailAddress: 'max@acme.example', name: null, response: 'DECLINED' },
    { emailAddress: 'zoë@münchen.example', name: 'Zoë ☕', response: 'NONE' },
  ];
  const people = [
    { name: 'Jäne, “O’Neill”, & Sons', address: 'jane@acme.example', participation: 'ACCEPTED' },
    { name: 'max@acme.example', address: 'max@acme.example', participation: 'DECLINED' },
    { name: 'Zoë ☕', address: 'zoë@münchen.example', participation: 'NEEDS-ACTION' },
  ].map((person) => ({ ...person, role: 'REQ-PARTICIPANT' }));
  const joinUrl =
    'https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0?context=%7b%22a%22%2c%7d&x=1';
  const subject = `Rückblick; Q1, “Zahlen” \\ 日本語 👩‍👩‍👧 ${'sehr lang und größer '.repeat(10)}Ende`;

  it('invites, with every field as it was', () => {
    const ics = fileOf({ subject, joinUrl, version: 7 }, attendees);
    expect(parse(ics)).toEqual({
      method: 'REQUEST',
      uid: '040000008200E00074C5B7101A82E008',
      sequence: 7,
      stamp: '2026-03-01T08:00:00.000Z',
      start: '2026-03-02T14:00:00.000Z',
      end: '2026-03-02T15:00:00.000Z',
      summary: subject,
      location: 'Microsoft Teams Meeting',
      status: 'CONFIRMED',
      url: joinUrl,
      description: `Join Teams Meeting: ${joinUrl}`,
      organizer: { name: 'Scheduling', address: 'organizer@msp.example' },
      attendees: people,
    });
  });

  it('cancels the same meeting, without a link', () => {
    const ics = fileOf({ subject, joinUrl, version: 8, status: 'CANCELLED' }, attendees);
    expect(parse(ics)).toMatchObject({
      method: 'CANCEL',
      uid: '040000008200E00074C5B7101A82E008',
      sequence: 8,
      summary: subject,
      location: 'Microsoft Teams Meeting',
      status: 'CANCELLED',
      url: null,
      description: null,
      attendees: people,
    });
  });
});

describe('whatever people type', () => {
  const special = fc.constantFrom(
    '\r\n',
    '\r',
    '\n',
    '\0',
    '\t',
    '\u000b',
    '\u0085',
    '\u2028',
    '\u2029',
    '\ufeff',
    '\ud800',
    '\u202f',
    '\u00a0',
    ',',
    ';',
    ':',
    '"',
    '\\',
    '\\n',
    '\\,',
    '^n',
    '^',
    '%',
    '👩‍👩‍👧',
    '🇩🇪',
    'é',
    '日本',
    'ß',
    ' ',
    '  ',
    '\r\nEND:VEVENT\r\n',
    '\r\n ',
    '\nATTENDEE:mailto:evil@x.example',
    '";X=":',
    'BEGIN:VALARM',
  );
  const text = fc
    .array(fc.oneof(special, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })), {
      maxLength: 40,
    })
    .map((parts) => parts.join(''));

  /** How much of a text both parsers must give back: letters, digits, marks and symbols, in their order. */
  const essence = (value: string) =>
    value
      .toWellFormed()
      .replace(/[^\p{L}\p{N}\p{M}\p{S}]/gu, '')
      .replaceAll('^', '');
  /** node-ical takes a backslash that is escaped, before an n, for a line break. */
  const withoutBreaks = (value: string) => value.replace(/\\+[nN]/g, '');

  it('both parsers find one event, its people and its words; every line is folded by octets and ends with CRLF', () => {
    fc.assert(
      fc.property(text, text, text, (subject, organizerDisplayName, name) => {
        const ics = fileOf({ subject, organizerDisplayName }, [{ name }, { emailAddress: 'max@acme.example', name }]);
        expect(ics.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        for (const line of ics.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
        expect(Buffer.from(ics).toString()).toBe(ics);
        for (const [parser, parse] of Object.entries(PARSERS)) {
          const understood = parse(ics);
          const where = `${parser}: ${JSON.stringify({ subject, organizerDisplayName, name })}`;
          expect(essence(withoutBreaks(understood.summary)), where).toBe(essence(withoutBreaks(subject)));
          expect(
            understood.attendees.map(({ address }) => address),
            where,
          ).toEqual(['jane@acme.example', 'max@acme.example']);
          expect(understood.organizer.address, where).toBe('organizer@msp.example');
          if (essence(name) !== '') expect(essence(understood.attendees[1]?.name ?? ''), where).toBe(essence(name));
          if (essence(organizerDisplayName) !== '')
            expect(essence(understood.organizer.name), where).toBe(essence(organizerDisplayName));
          expect(understood.description, where).toBe(`Join Teams Meeting: ${storedMeeting().joinUrl}`);
          expect([understood.method, understood.sequence, understood.status], where).toEqual([
            'REQUEST',
            1,
            'CONFIRMED',
          ]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
