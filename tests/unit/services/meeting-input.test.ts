import { describe, expect, it } from 'vitest';
import {
  type CreateMeetingInput,
  checkMeetingInput,
  hashIntent,
  isTimeZone,
} from '../../../src/services/meetings/meeting-input.ts';

const GOOD: CreateMeetingInput = {
  appointmentId: 'appointment-1',
  subject: 'Review',
  startsAt: new Date('2026-03-02T14:00:00Z'),
  endsAt: new Date('2026-03-02T15:00:00Z'),
};
const check = (over: Partial<CreateMeetingInput>) => checkMeetingInput({ ...GOOD, ...over });
const paths = (over: Partial<CreateMeetingInput>) => check(over).errors.map((error) => error.path?.join('.'));

describe('a time zone', () => {
  it.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Asia/Kathmandu', 'Etc/GMT+5', 'europe/berlin'])(
    'is %s',
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );

  it.each([
    '',
    ' ',
    '+02:00',
    '-05:00',
    'Mars/Olympus',
    'W. Europe Standard Time',
    'Europe/Berlin\r\nX: y',
    '../etc/passwd',
  ])('is not %j', (name) => {
    expect(isTimeZone(name)).toBe(false);
  });
});

describe('the input of a meeting', () => {
  it('is taken as it is, with UTC and nobody invited', () => {
    expect(check({})).toEqual({
      errors: [],
      intent: {
        ...GOOD,
        interactionId: null,
        timeZone: 'UTC',
        description: null,
        clientId: null,
        contactId: null,
        attendees: [],
        idempotencyKey: null,
        sendInvitations: null,
      },
    });
  });

  it.each<[string, Partial<CreateMeetingInput>, string[]]>([
    ['both an appointment and an interaction', { interactionId: 'interaction-1' }, ['input.appointmentId']],
    ['neither', { appointmentId: null }, ['input.appointmentId']],
    ['an empty appointment id', { appointmentId: '' }, ['input.appointmentId']],
    ['an end before the start', { endsAt: new Date('2026-03-02T13:00:00Z') }, ['input.endsAt']],
    ['an end at the start', { endsAt: GOOD.startsAt }, ['input.endsAt']],
    ['an unknown time zone', { timeZone: 'Mars/Olympus' }, ['input.timeZone']],
    ['an empty subject', { subject: '' }, ['input.subject']],
    ['a NUL in the description', { description: 'a\u0000b' }, ['input.description']],
    ['a NUL in an id', { clientId: 'a\u0000b' }, ['input.clientId']],
    ['a NUL in the idempotency key', { idempotencyKey: 'a\u0000b' }, ['input.idempotencyKey']],
    ['a subject of spaces and control characters', { subject: ' \r\n\t\u0000 ' }, ['input.subject']],
    ['a subject of 256 characters', { subject: 'x'.repeat(256) }, ['input.subject']],
    ['a description of 20001 characters', { description: 'x'.repeat(20_001) }, ['input.description']],
    [
      'ids that are too long',
      { clientId: 'x'.repeat(256), idempotencyKey: 'x'.repeat(256) },
      ['input.clientId', 'input.idempotencyKey'],
    ],
    [
      'everything at once',
      { appointmentId: null, subject: '', endsAt: new Date(0), timeZone: '?', attendees: [{ emailAddress: 'x' }] },
      ['input.attendees.0.emailAddress', 'input.appointmentId', 'input.subject', 'input.endsAt', 'input.timeZone'],
    ],
  ])('is refused with %s', (_, over, expected) => {
    expect(paths(over)).toEqual(expected);
    expect(check(over).errors.every((error) => error.code === 'INVALID_INPUT')).toBe(true);
  });

  it.each([
    ['a subject of 255 characters', { subject: 'x'.repeat(255) }],
    ['a description of 20000 characters', { description: 'x'.repeat(20_000) }],
    ['an empty time zone, as UTC', { timeZone: '' }],
  ])('is taken with %s', (_, over) => {
    expect(check(over).errors).toEqual([]);
  });

  it('takes control characters out of the subject, which stands in mail headers and calendar files', () => {
    expect(check({ subject: ' Review\r\nBcc: all@acme.example\u0007\u0085 now ' }).intent.subject).toBe(
      'Review Bcc: all@acme.example  now',
    );
  });
});

describe('the hash of a wish', () => {
  const hash = (over: Partial<CreateMeetingInput>) => hashIntent(check(over).intent);

  it('is the same for the same wish, whatever its idempotency key', () => {
    expect(hash({ idempotencyKey: 'one' })).toBe(hash({ idempotencyKey: 'two' }));
    expect(hash({ subject: ' Review ', attendees: [] })).toBe(hash({}));
  });

  it.each<Partial<CreateMeetingInput>>([
    { subject: 'Other' },
    { startsAt: new Date('2026-03-02T14:00:01Z') },
    { timeZone: 'Europe/Berlin' },
    { appointmentId: 'appointment-2' },
    { attendees: [{ emailAddress: 'jane@acme.example' }] },
    { clientId: 'client' },
    { description: 'Bring cake' },
  ])('differs with %j', (over) => {
    expect(hash(over)).not.toBe(hash({}));
  });
});
