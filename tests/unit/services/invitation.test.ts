import { describe, expect, it } from 'vitest';
import { renderInvitation } from '../../../src/services/invitations/invitation.ts';
import type { Meeting, StoredAttendee } from '../../../src/services/meetings/meeting.ts';
import { storedAttendee, storedMeeting } from './meeting.ts';

const render = (
  meeting: Partial<Meeting> = {},
  attendees: Partial<StoredAttendee>[] = [{}],
  zone = 'UTC',
  locale = 'en',
) => renderInvitation(storedMeeting(meeting), attendees.map(storedAttendee), zone, locale);

/** The content lines of a calendar file, with folded ones joined again (RFC 5545, 3.1). */
const contentLines = (ics: string) => ics.replace(/\r\n[ \t]/g, '').split('\r\n');
const lineOf = (ics: string, name: string) => contentLines(ics).find((line) => line.startsWith(name));

describe('the calendar file', () => {
  const HOSTILE: Partial<Meeting> = {
    subject: `Ünïcödé ☕ ${'long '.repeat(40)}`,
    joinUrl: `https://teams.microsoft.com/l/meetup-join/${'x'.repeat(300)}`,
  };

  it('ends every line with CRLF and none alone with CR or LF', () => {
    expect(render(HOSTILE).ics.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  it('folds its lines so that none has more than 75 octets', () => {
    const tooLong = render(HOSTILE, [{ name: `Zoë ${'é'.repeat(120)}` }])
      .ics.split('\r\n')
      .filter((line) => Buffer.byteLength(line) > 75);
    expect(tooLong).toEqual([]);
  });

  it('asks for a meeting, under Exchange’s own UID, in UTC, with its revision', () => {
    const { ics } = render({ version: 3 });
    expect(lineOf(ics, 'METHOD')).toBe('METHOD:REQUEST');
    expect(lineOf(ics, 'UID')).toBe('UID:040000008200E00074C5B7101A82E008');
    expect(lineOf(ics, 'SEQUENCE')).toBe('SEQUENCE:3');
    expect(lineOf(ics, 'DTSTART')).toBe('DTSTART:20260302T140000Z');
    expect(lineOf(ics, 'DTEND')).toBe('DTEND:20260302T150000Z');
    expect(lineOf(ics, 'STATUS')).toBe('STATUS:CONFIRMED');
    expect(lineOf(ics, 'ORGANIZER')).toMatch(/CN="?Scheduling"?.*mailto:organizer@msp\.example/i);
    expect(lineOf(ics, 'ATTENDEE')).toMatch(/PARTSTAT=NEEDS-ACTION.*mailto:jane@acme\.example/i);
  });

  it('has a UID of its own, always the same one, where Exchange gave none', () => {
    const uid = () => lineOf(render({ iCalUid: null }).ics, 'UID');
    expect(uid()).toBe('UID:01890000-0000-7000-8000-000000000001@teams-meetings');
    expect(uid()).toBe(uid());
  });

  it('takes a cancelled meeting out of the calendar', () => {
    const { ics } = render({ status: 'CANCELLED', joinUrl: null });
    expect(lineOf(ics, 'METHOD')).toBe('METHOD:CANCEL');
    expect(lineOf(ics, 'STATUS')).toBe('STATUS:CANCELLED');
    expect(lineOf(ics, 'UID')).toBe('UID:040000008200E00074C5B7101A82E008');
    expect(ics).not.toContain('meetup-join');
  });

  it.each([
    ['NONE', 'NEEDS-ACTION'],
    ['TENTATIVE', 'TENTATIVE'],
    ['ACCEPTED', 'ACCEPTED'],
    ['DECLINED', 'DECLINED'],
  ] as const)('tells the answer %s as %s', (response, participation) => {
    expect(lineOf(render({}, [{ response }]).ics, 'ATTENDEE')).toContain(`PARTSTAT=${participation}`);
  });

  it.each<[string, Partial<Meeting>, Partial<StoredAttendee>]>([
    ['subject', { subject: 'Review\r\nATTENDEE:mailto:evil@x.example\r\nBEGIN:VALARM' }, {}],
    ['organizer’s name', { organizerDisplayName: 'Boss\r\nATTENDEE:mailto:evil@x.example\r\nBEGIN:VALARM' }, {}],
    ['attendee’s name', {}, { name: 'Jane"\r\nATTENDEE:mailto:evil@x.example\r\nBEGIN:VALARM' }],
    ['attendee’s name, by a bare LF', {}, { name: 'Jane\nATTENDEE:mailto:evil@x.example\nBEGIN:VALARM' }],
    ['attendee’s name, by a parameter', {}, { name: 'Jane";PARTSTAT=ACCEPTED:mailto:evil@x.example' }],
  ])('takes no line or parameter of its own from a hostile %s', (_, meeting, attendee) => {
    const lines = contentLines(render(meeting, [attendee]).ics);
    expect(lines.filter((line) => line.startsWith('ATTENDEE'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('BEGIN:'))).toEqual(['BEGIN:VCALENDAR', 'BEGIN:VEVENT']);
    expect(lines.find((line) => line.startsWith('ATTENDEE'))).toMatch(/mailto:jane@acme\.example$/i);
    expect(lines.join('\n')).not.toMatch(/\r|\n(BEGIN:VALARM|ATTENDEE:mailto:evil)/);
  });
});

describe('the mail', () => {
  it('has a join button, and the same in plain text', () => {
    const { html, text, subject } = render();
    expect(subject).toBe('Quarterly review');
    expect(html).toContain('>Join Teams Meeting</a>');
    expect(html).toContain('&amp;x=1"');
    expect(text).toContain('Join Teams Meeting: https://teams.microsoft.com/l/meetup-join/');
  });

  it.each([
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    ['"><script>alert(1)</script>', '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'],
    ["Tom & Jerry's", 'Tom &amp; Jerry&#39;s'],
  ])('shows the hostile subject %s as text', (subject, shown) => {
    const { html } = render({ subject });
    expect(html).toContain(`<h1>${shown}</h1>`);
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<img');
  });

  it('says that a cancelled meeting is cancelled, and has no button', () => {
    const { html, text } = render({ status: 'CANCELLED', joinUrl: null });
    expect(html).toContain('This meeting was cancelled.');
    expect(html).not.toContain('<a ');
    expect(text).toContain('This meeting was cancelled.');
  });

  it('promises the join link that is not there yet', () => {
    expect(render({ joinUrl: null }).text).toContain('The join link follows.');
  });

  it.each([
    ['UTC', 'en', /Monday, March 2, 2026.*2:00.*3:00.*PM.*\(UTC\)/u],
    ['Europe/Berlin', 'de', /Montag, 2\. März 2026.*15:00.*16:00.*\(Europe\/Berlin\)/u],
    ['Asia/Tokyo', 'en-GB', /Monday,? 2 March 2026.*23:00.*\(Asia\/Tokyo\)/u],
  ])('writes the times of %s in %s', (zone, locale, expected) => {
    expect(render({}, [], zone, locale).text).toMatch(expected);
  });
});
