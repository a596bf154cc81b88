import { describe, expect, it } from 'vitest';
import { renderInvitation, renderRemoval } from '../../../src/services/invitations/invitation.ts';
import { compileTemplate } from '../../../src/services/invitations/mail-template.ts';
import { INVITATION_LANGUAGES, wordsFor } from '../../../src/services/invitations/words.ts';
import type { Meeting, StoredAttendee } from '../../../src/services/meetings/meeting.ts';
import { storedAttendee, storedMeeting } from './meeting.ts';

const render = (
  meeting: Partial<Meeting> = {},
  attendees: Partial<StoredAttendee>[] = [{}],
  zone = 'UTC',
  locale = 'en',
) => renderInvitation(storedMeeting(meeting), attendees.map(storedAttendee), { timeZone: zone, locale });

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

  it('keeps its UID over the meeting’s life, while the revision rises', () => {
    const files = [1, 2, 3].map(
      (version) => render({ version, status: version === 3 ? 'CANCELLED' : 'SCHEDULED' }).ics,
    );
    expect(new Set(files.map((ics) => lineOf(ics, 'UID'))).size).toBe(1);
    expect(files.map((ics) => lineOf(ics, 'SEQUENCE'))).toEqual(['SEQUENCE:1', 'SEQUENCE:2', 'SEQUENCE:3']);
  });

  it('tells where the meeting is, and the way in', () => {
    const { ics } = render({ joinUrl: 'https://teams.microsoft.com/meet/1?p=2' });
    expect(lineOf(ics, 'LOCATION')).toBe('LOCATION:Microsoft Teams Meeting');
    expect(lineOf(ics, 'URL')).toBe('URL;VALUE=URI:https://teams.microsoft.com/meet/1?p=2');
    expect(lineOf(ics, 'DESCRIPTION')).toBe('DESCRIPTION:Join Teams Meeting: https://teams.microsoft.com/meet/1?p=2');
    expect(lineOf(ics, 'DTSTAMP')).toBe('DTSTAMP:20260301T080000Z');
  });

  it.each(['CANCELLED', 'CANCELLING'] as const)('takes a meeting that is %s out of the calendar', (status) => {
    const { ics } = render({ status });
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

describe('the calendar file of somebody who is no longer invited', () => {
  const { ics, text, html, subject } = renderRemoval(storedMeeting({ version: 4 }), storedAttendee(), {
    timeZone: 'UTC',
    locale: 'en',
    sequence: 3,
  });

  it('names nobody else, and does not say that the meeting itself is cancelled', () => {
    const lines = contentLines(ics);
    expect(lineOf(ics, 'METHOD')).toBe('METHOD:CANCEL');
    expect(lineOf(ics, 'SEQUENCE')).toBe('SEQUENCE:3');
    expect(lineOf(ics, 'STATUS')).toBeUndefined();
    expect(lines.filter((line) => line.startsWith('ATTENDEE'))).toHaveLength(1);
  });

  it('says so in the mail, without the join link', () => {
    expect(subject).toBe('Cancelled: Quarterly review');
    expect(text).toContain('You are no longer invited to this meeting.');
    expect(html + text + ics).not.toContain('teams.microsoft.com');
  });
});

describe('the mail', () => {
  it('has a join button that Outlook fills and pads too, and the link as text', () => {
    const { html, text, subject } = render();
    expect(subject).toBe('Quarterly review');
    expect(html).toMatch(/<td[^>]*bgcolor="#4f52b2"[^>]*mso-padding-alt:14px 28px[^>]*>\s*<a href="https:\/\/teams/);
    expect(html).toMatch(/>\s*Join Teams Meeting\s*<\/a>/);
    expect(html).toContain('&amp;x=1"');
    expect(text).toContain('Join Teams Meeting: https://teams.microsoft.com/l/meetup-join/');
  });

  it('loads nothing from elsewhere, and leaves no place of the template unfilled', () => {
    const { html } = render({ description: 'Agenda' });
    expect(html).not.toMatch(/<img|<link|<script|@import|url\(|\{\{/);
  });

  it.each([
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    ['"><script>alert(1)</script>', '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'],
    ["Tom & Jerry's", 'Tom &amp; Jerry&#39;s'],
    ['{{joinUrl}} $& $1 {{#notice}}', '{{joinUrl}} $&amp; $1 {{#notice}}'],
  ])('shows the hostile subject %s as text', (subject, shown) => {
    const { html } = render({ subject, description: subject, organizerDisplayName: subject });
    expect(html).toContain(`>${shown}</h1>`);
    // Title, label, heading, organizer and description.
    expect(html.split(shown)).toHaveLength(6);
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<img');
  });

  it('has one line for a subject, whatever was typed', () => {
    const { subject } = render({ subject: 'Review\r\nBcc: evil@x.example\u2028\u0000\ud800 end' });
    expect(subject).toBe('Review Bcc: evil@x.example \ufffd end');
  });

  it('keeps the lines of the description', () => {
    const { html, text } = render({ description: 'Agenda:\r\n1. <Backup>\n2. Firewall' });
    expect(html).toContain('Agenda:<br>1. &lt;Backup&gt;<br>2. Firewall');
    expect(text).toContain('2. Firewall');
  });

  it.each(['CANCELLED', 'CANCELLING'] as const)('of a meeting that is %s has no way in anywhere', (status) => {
    const { html, text, ics, subject } = render({ status });
    expect(subject).toBe('Cancelled: Quarterly review');
    expect(html).toContain('This meeting was cancelled.');
    expect(html).not.toContain('<a ');
    expect(text).toContain('This meeting was cancelled.');
    expect(html + text + ics).not.toContain('teams.microsoft.com');
  });

  it('promises the join link that is not there yet', () => {
    const { html, text } = render({ joinUrl: null });
    expect(text).toContain('The join link follows.');
    expect(html).toContain('The join link follows.');
    expect(html).not.toContain('<a ');
  });
});

describe('zones and languages', () => {
  it.each([
    ['UTC', 'en', /Monday, March 2, 2026.*2:00.*3:00.*PM\nTime zone: Coordinated Universal Time \(UTC\)/u],
    ['Europe/Berlin', 'de', /Montag, 2\. März 2026.*15:00.*16:00.*Mitteleuropäische Normalzeit \(Europe\/Berlin\)/su],
    ['Europe/Paris', 'fr', /lundi 2 mars 2026.*15:00.*16:00.*heure normale d’Europe centrale \(Europe\/Paris\)/su],
    ['Europe/Madrid', 'es', /lunes, 2 de marzo de 2026.*15:00.*hora estándar de Europa central \(Europe\/Madrid\)/su],
    ['Europe/Amsterdam', 'nl', /maandag 2 maart 2026.*15:00.*Midden-Europese standaardtijd \(Europe\/Amsterdam\)/su],
    ['Asia/Tokyo', 'en-GB', /Monday,? 2 March 2026.*23:00.*Japan Standard Time \(Asia\/Tokyo\)/su],
  ])('writes the times of %s in %s', (zone, locale, expected) => {
    const { text, html } = render({}, [], zone, locale);
    expect(text).toMatch(expected);
    expect(html).toContain(`(${zone})`);
  });

  it('names summer time in summer', () => {
    const summer = { startsAt: new Date('2026-07-01T08:00:00Z'), endsAt: new Date('2026-07-01T09:00:00Z') };
    expect(render(summer, [], 'Europe/Berlin', 'de').text).toContain('Mitteleuropäische Sommerzeit (Europe/Berlin)');
  });

  it.each([
    ['en', 'Join Teams Meeting', 'Cancelled: '],
    ['de', 'An Teams-Besprechung teilnehmen', 'Abgesagt: '],
    ['fr', 'Rejoindre la réunion Teams', 'Annulé : '],
    ['es', 'Unirse a la reunión de Teams', 'Cancelada: '],
    ['nl', 'Deelnemen aan Teams-vergadering', 'Geannuleerd: '],
  ])('speaks %s', (locale, join, prefix) => {
    const { html, text } = render({}, [{}], 'UTC', locale);
    expect(html).toContain(`<html lang="${locale}"`);
    expect(html).toContain(join);
    expect(text).toContain(join);
    expect(render({ status: 'CANCELLED' }, [{}], 'UTC', locale).subject).toBe(`${prefix}Quarterly review`);
  });

  it.each([
    ['de-AT', 'de'],
    ['DE-ch', 'de'],
    ['de-Latn-LI-u-nu-latn', 'de'],
    ['nl-BE', 'nl'],
    ['es-419', 'es'],
    ['fr-CA', 'fr'],
    ['ja', 'en'],
    ['tlh', 'en'],
    ['und', 'en'],
    ['gsw', 'en'],
  ])('takes the words of %s from %s', (locale, language) => {
    expect(wordsFor(locale).language).toBe(language);
    expect(render({}, [{}], 'UTC', locale).html).toContain(`<html lang="${language}"`);
  });

  it('writes dates in a language that it has no words for', () => {
    const { text } = render({}, [{}], 'Asia/Tokyo', 'ja');
    expect(text).toContain('月曜日');
    expect(text).toContain('日本標準時 (Asia/Tokyo)');
    expect(text).toContain('Join Teams Meeting');
  });

  it('has a word for everything in every language', () => {
    const names = Object.keys(wordsFor('en').words);
    for (const language of INVITATION_LANGUAGES) {
      const { words } = wordsFor(language);
      expect(Object.keys(words)).toEqual(names);
      expect(Object.values(words)).not.toContain('');
    }
  });
});

describe('a template', () => {
  it.each([
    ['names what it is not given', '{{other}}'],
    ['leaves a section open', 'a {{#name}} b'],
    ['closes what is not open', 'a {{/name}} b'],
  ])('that %s is refused before anything is sent', (_, source) => {
    expect(() => compileTemplate(source, ['name'])).toThrow(/template/);
  });

  it('has sections in sections', () => {
    const fill = compileTemplate('{{#a}}A{{#b}}{{b}}{{/b}}{{/a}}.', ['a', 'b']);
    expect([fill({ a: '1', b: '<' }), fill({ a: '1', b: '' }), fill({ a: '', b: '1' })]).toEqual(['A&lt;.', 'A.', '.']);
  });
});
