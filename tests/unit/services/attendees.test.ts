import { describe, expect, it } from 'vitest';
import {
  isEmailAddress,
  MAX_ATTENDEES,
  normaliseAttendees,
  suggestAttendees,
} from '../../../src/services/attendees/attendees.ts';

describe('an e-mail address', () => {
  it.each([
    'jane@acme.example',
    "o'neil+tag@acme.example",
    'jane.doe@sub.acme.example',
    'josé@acme.example',
    'a@b',
    `${'x'.repeat(64)}@acme.example`,
  ])('is %s', (text) => {
    expect(isEmailAddress(text)).toBe(true);
  });

  it.each([
    '',
    'jane',
    '@acme.example',
    'jane@',
    'jane@@acme.example',
    'jane doe@acme.example',
    'jane@acme..example',
    'jane@acme.example.',
    'jane@.example',
    'Jane <jane@acme.example>',
    'jane@acme.example,bob@acme.example',
    'jane@acme.example;',
    '"jane"@acme.example',
    'jane@acme.example\r\nBcc: all@acme.example',
    `${'x'.repeat(65)}@acme.example`,
    `jane@${'x'.repeat(250)}`,
  ])('is not %j', (text) => {
    expect(isEmailAddress(text)).toBe(false);
  });
});

describe('the attendees of a meeting', () => {
  const addresses = (list: { emailAddress: string }[]) => list.map((attendee) => attendee.emailAddress);

  it('are trimmed, and told apart by what the PSA knows of them', () => {
    const { attendees, errors } = normaliseAttendees([
      { emailAddress: ' jane@acme.example ', name: ' Jane ', contactId: 'contact-jane' },
      { emailAddress: 'tech@msp.example', userId: 'user-tech' },
      { emailAddress: 'guest@else.example', name: ' ', contactId: '', userId: null },
    ]);
    expect(errors).toEqual([]);
    expect(attendees).toEqual([
      { emailAddress: 'jane@acme.example', name: 'Jane', kind: 'CONTACT', contactId: 'contact-jane', userId: null },
      { emailAddress: 'tech@msp.example', name: null, kind: 'USER', contactId: null, userId: 'user-tech' },
      { emailAddress: 'guest@else.example', name: null, kind: 'EMAIL', contactId: null, userId: null },
    ]);
  });

  it.each([
    ['by hand over contact', [{ contactId: 'c' }, {}], 'EMAIL'],
    ['by hand over user', [{ userId: 'u' }, {}], 'EMAIL'],
    ['contact over user', [{ userId: 'u' }, { contactId: 'c' }], 'CONTACT'],
    ['contact over a later user', [{ contactId: 'c' }, { userId: 'u' }], 'CONTACT'],
    ['the first of two alike', [{ contactId: 'c1' }, { contactId: 'c2' }], 'CONTACT'],
  ])('count once without regard to case: %s', (_, twice, kind) => {
    const inputs = twice.map((ids, index) => ({
      emailAddress: index === 0 ? 'jane@acme.example' : 'JANE@Acme.Example',
      ...ids,
    }));
    const { attendees } = normaliseAttendees([...inputs, { emailAddress: 'last@acme.example' }]);
    expect(attendees).toHaveLength(2);
    expect(attendees[0]).toMatchObject({ kind });
    expect(attendees[1]?.emailAddress).toBe('last@acme.example');
  });

  it('keep the first place of an address that a later entry replaces', () => {
    const { attendees } = normaliseAttendees([
      { emailAddress: 'a@x.example', userId: 'u' },
      { emailAddress: 'b@x.example' },
      { emailAddress: 'A@x.example' },
    ]);
    expect(addresses(attendees)).toEqual(['A@x.example', 'b@x.example']);
  });

  it('are refused one by one, each at its place', () => {
    const { errors } = normaliseAttendees([
      { emailAddress: 'good@x.example' },
      { emailAddress: 'bad' },
      { emailAddress: 'both@x.example', contactId: 'c', userId: 'u' },
    ]);
    expect(errors.map(({ code, path }) => [code, path])).toEqual([
      ['INVALID_INPUT', ['input', 'attendees', '1', 'emailAddress']],
      ['INVALID_INPUT', ['input', 'attendees', '2', 'userId']],
    ]);
  });

  it.each([
    [MAX_ATTENDEES, 0],
    [MAX_ATTENDEES + 1, 1],
  ])('may be %i people: %i errors', (count, errorCount) => {
    const inputs = Array.from({ length: count }, (_, index) => ({ emailAddress: `p${index}@x.example` }));
    expect(normaliseAttendees(inputs).errors).toHaveLength(errorCount);
  });

  it('are counted after duplicates are gone', () => {
    expect(
      normaliseAttendees(
        Array.from({ length: 2 * MAX_ATTENDEES }, (_, index) => ({
          emailAddress: `p${index % MAX_ATTENDEES}@x.example`,
        })),
      ).errors,
    ).toEqual([]);
  });
});

describe('what an attendee picker starts with', () => {
  const client = { name: 'Acme', email: 'office@acme.example', defaultLocation: { email: 'desk@acme.example' } };
  it.each([
    [
      'the contact',
      { contact: { name: 'Jane', email: 'jane@acme.example' }, client },
      ['jane@acme.example', 'Jane', 'CONTACT', 'CONTACT'],
    ],
    ['the default location', { contact: null, client }, ['desk@acme.example', 'Acme', 'EMAIL', 'CLIENT_LOCATION']],
    [
      'the client, without a location',
      { client: { ...client, defaultLocation: null } },
      ['office@acme.example', 'Acme', 'EMAIL', 'CLIENT'],
    ],
    [
      'the client, with a location without mail',
      { client: { ...client, defaultLocation: { email: ' ' } } },
      ['office@acme.example', 'Acme', 'EMAIL', 'CLIENT'],
    ],
  ])('is %s', (_, source, [emailAddress, name, kind, from]) => {
    expect(suggestAttendees(source)).toEqual([{ emailAddress, name, kind, source: from }]);
  });

  it.each([
    ['a contact without mail, whatever the client has', { contact: { name: 'Jane', email: null }, client }],
    ['a malformed address', { client: { email: 'nobody' } }],
    ['nothing', {}],
  ])('is empty for %s', (_, source) => {
    expect(suggestAttendees(source)).toEqual([]);
  });
});
