import { createHash } from 'node:crypto';
import { type Attendee, type AttendeeInput, normaliseAttendees } from '../attendees/attendees.ts';
import { invalid, type UserError } from '../failures.ts';

export interface CreateMeetingInput {
  appointmentId?: string | null;
  interactionId?: string | null;
  subject: string;
  startsAt: Date;
  endsAt: Date;
  timeZone?: string | null;
  description?: string | null;
  clientId?: string | null;
  contactId?: string | null;
  attendees?: readonly AttendeeInput[] | null;
  idempotencyKey?: string | null;
  sendInvitations?: boolean | null;
}

/** A wanted meeting that has been checked. Exactly one of the two ids is set. */
export interface MeetingIntent {
  appointmentId: string | null;
  interactionId: string | null;
  subject: string;
  startsAt: Date;
  endsAt: Date;
  timeZone: string;
  description: string | null;
  clientId: string | null;
  contactId: string | null;
  attendees: Attendee[];
  idempotencyKey: string | null;
  sendInvitations: boolean | null;
}

const MAX_SUBJECT = 255;
const MAX_DESCRIPTION = 20_000;
const MAX_ID = 255;

/** Whether the text is a time zone of the IANA database that this runtime knows. */
export function isTimeZone(text: string): boolean {
  // Fixed offsets such as +02:00 are accepted by Intl but are no zones: they know no daylight saving.
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

const at = (field: string) => ['input', field];

/** Control characters would end up in mail headers and calendar files. */
export function checkSubject(text: string): { subject: string; errors: UserError[] } {
  const subject = text.replace(/\p{Cc}+/gu, ' ').trim();
  const errors: UserError[] = [];
  if (subject === '') errors.push(invalid(at('subject'), 'The subject is empty.'));
  if (subject.length > MAX_SUBJECT)
    errors.push(invalid(at('subject'), `The subject is longer than ${MAX_SUBJECT} characters.`));
  return { subject, errors };
}

export function checkTimes(startsAt: Date, endsAt: Date): UserError[] {
  return endsAt <= startsAt ? [invalid(at('endsAt'), 'The meeting ends before it starts.')] : [];
}

/** Checks everything that can be checked without Microsoft and returns every error at once, each with its path. */
export function checkMeetingInput(input: CreateMeetingInput): { intent: MeetingIntent; errors: UserError[] } {
  const { attendees, errors } = normaliseAttendees(input.attendees ?? []);
  const appointmentId = input.appointmentId || null;
  const interactionId = input.interactionId || null;
  if ((appointmentId === null) === (interactionId === null)) {
    errors.push(invalid(at('appointmentId'), 'Give exactly one of appointmentId and interactionId.'));
  }
  for (const field of ['appointmentId', 'interactionId', 'clientId', 'contactId', 'idempotencyKey'] as const) {
    if ((input[field]?.length ?? 0) > MAX_ID)
      errors.push(invalid(at(field), `This is longer than ${MAX_ID} characters.`));
  }
  for (const [field, text] of Object.entries(input)) {
    if (typeof text === 'string' && field !== 'subject' && text.includes('\0'))
      errors.push(invalid(at(field), 'This holds a NUL character.'));
  }
  const { subject, errors: subjectErrors } = checkSubject(input.subject);
  errors.push(...subjectErrors);
  if ((input.description?.length ?? 0) > MAX_DESCRIPTION) {
    errors.push(invalid(at('description'), `The description is longer than ${MAX_DESCRIPTION} characters.`));
  }
  errors.push(...checkTimes(input.startsAt, input.endsAt));
  const timeZone = input.timeZone || 'UTC';
  if (!isTimeZone(timeZone)) {
    errors.push(
      invalid(
        at('timeZone'),
        `“${timeZone.slice(0, 80)}” is not a time zone.`,
        'Use a name of the IANA database, such as Europe/Berlin.',
      ),
    );
  }
  return {
    errors,
    intent: {
      appointmentId,
      interactionId,
      subject,
      startsAt: input.startsAt,
      endsAt: input.endsAt,
      timeZone,
      description: input.description?.trim() || null,
      clientId: input.clientId || null,
      contactId: input.contactId || null,
      attendees,
      idempotencyKey: input.idempotencyKey || null,
      sendInvitations: input.sendInvitations ?? null,
    },
  };
}

/** The same wish has the same hash, so that a repeated idempotency key can be told from a reused one. */
export function hashIntent(intent: MeetingIntent): string {
  const { idempotencyKey: _key, ...wish } = intent;
  return createHash('sha256').update(JSON.stringify(wish)).digest('base64url');
}
