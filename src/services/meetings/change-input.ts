import { invalid, type UserError } from '../failures.ts';
import { checkSubject, checkTimes } from './meeting-input.ts';
import type { CancelMeetingInput, RescheduleMeetingInput } from './operations.ts';

const MAX_COMMENT = 2_000;

/** Checks a wish for other times, and for another subject where one is given. */
export function checkReschedule({ startsAt, endsAt, subject }: RescheduleMeetingInput): {
  wish: { startsAt: Date; endsAt: Date; subject: string | null };
  errors: UserError[];
} {
  const errors = checkTimes(startsAt, endsAt);
  const checked = typeof subject === 'string' ? checkSubject(subject) : { subject: null, errors: [] };
  return { wish: { startsAt, endsAt, subject: checked.subject }, errors: [...errors, ...checked.errors] };
}

/** Checks the comment of a cancellation, which Exchange mails to everybody who was invited. */
export function checkCancellation({ comment }: CancelMeetingInput): { comment: string | null; errors: UserError[] } {
  const text = comment?.trim() || null;
  if (text !== null && text.length > MAX_COMMENT) {
    return {
      comment: text,
      errors: [invalid(['input', 'comment'], `The comment is longer than ${MAX_COMMENT} characters.`)],
    };
  }
  if (text?.includes('\0')) {
    return { comment: text, errors: [invalid(['input', 'comment'], 'This holds a NUL character.')] };
  }
  return { comment: text, errors: [] };
}
