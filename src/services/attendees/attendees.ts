import { invalid, type UserError } from '../failures.ts';

export type AttendeeKind = 'CONTACT' | 'USER' | 'EMAIL';

export interface AttendeeInput {
  emailAddress: string;
  name?: string | null;
  contactId?: string | null;
  userId?: string | null;
}

export interface Attendee {
  emailAddress: string;
  name: string | null;
  kind: AttendeeKind;
  contactId: string | null;
  userId: string | null;
}

/** Exchange takes no more attendees in one event (Microsoft Learn, resource type event). */
export const MAX_ATTENDEES = 500;

/** Who wins when one address is chosen twice: typed by hand over contact over user, as in the PSA's picker. */
const PRECEDENCE: AttendeeKind[] = ['EMAIL', 'CONTACT', 'USER'];

const EMAIL =
  /^[^\s\p{Cc}\p{Cs}@<>(),;:"[\]\\]+@[^\s\p{Cc}\p{Cs}@<>(),;:"[\]\\.]+(\.[^\s\p{Cc}\p{Cs}@<>(),;:"[\]\\.]+)*$/u;

/** Whether Exchange would take the text as an SMTP address: a conservative check, not RFC 5322 in full. */
export function isEmailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  return text.length <= 254 && at <= 64 && EMAIL.test(text);
}

function kindOf(input: AttendeeInput): AttendeeKind {
  if (input.contactId) return 'CONTACT';
  return input.userId ? 'USER' : 'EMAIL';
}

/**
 * Trims, validates and deduplicates attendees by address without regard to case; the first place of an address is
 * kept. Returns either the list or every error, each with its path.
 */
export function normaliseAttendees(inputs: readonly AttendeeInput[]): { attendees: Attendee[]; errors: UserError[] } {
  const errors: UserError[] = [];
  const byAddress = new Map<string, Attendee>();
  inputs.forEach((input, index) => {
    const emailAddress = input.emailAddress.trim();
    const path = ['input', 'attendees', String(index)];
    if (!isEmailAddress(emailAddress)) {
      errors.push(invalid([...path, 'emailAddress'], `“${emailAddress.slice(0, 80)}” is not an e-mail address.`));
      return;
    }
    if (`${input.contactId}${input.userId}`.includes('\0')) {
      errors.push(invalid(path, 'An id holds a NUL character.'));
      return;
    }
    if (input.contactId && input.userId) {
      errors.push(invalid([...path, 'userId'], 'An attendee is either a contact or a user, not both.'));
      return;
    }
    const attendee: Attendee = {
      emailAddress,
      // Control characters would end up in mail headers and calendar files, and Postgres stores no NUL.
      name:
        input.name
          ?.replace(/\p{Cc}+/gu, ' ')
          .trim()
          .slice(0, 256) || null,
      kind: kindOf(input),
      contactId: input.contactId || null,
      userId: input.userId || null,
    };
    const key = emailAddress.toLowerCase();
    const earlier = byAddress.get(key);
    if (earlier === undefined || PRECEDENCE.indexOf(attendee.kind) < PRECEDENCE.indexOf(earlier.kind)) {
      byAddress.set(key, attendee);
    }
  });
  const attendees = [...byAddress.values()];
  if (attendees.length > MAX_ATTENDEES) {
    errors.push(
      invalid(
        ['input', 'attendees'],
        `${attendees.length} attendees are too many: Exchange takes at most ${MAX_ATTENDEES}.`,
        'Invite a distribution list instead.',
      ),
    );
  }
  return { attendees, errors };
}

export interface SuggestionSource {
  contact?: { name?: string | null; email?: string | null } | null;
  client?: { name?: string | null; email?: string | null; defaultLocation?: { email?: string | null } | null } | null;
}

export interface SuggestedAttendee {
  emailAddress: string;
  name: string | null;
  kind: AttendeeKind;
  source: 'CONTACT' | 'CLIENT_LOCATION' | 'CLIENT';
}

/**
 * What the attendee picker starts with: the linked contact's address. A contact without one suggests nothing; only
 * without a contact does the client's default location speak, else the client itself.
 */
export function suggestAttendees({ contact, client }: SuggestionSource): SuggestedAttendee[] {
  const suggest = (email: string | null | undefined, rest: Omit<SuggestedAttendee, 'emailAddress'>) => {
    const emailAddress = email?.trim() ?? '';
    return isEmailAddress(emailAddress) ? [{ emailAddress, ...rest }] : [];
  };
  if (contact) return suggest(contact.email, { name: contact.name ?? null, kind: 'CONTACT', source: 'CONTACT' });
  const name = client?.name ?? null;
  const location = suggest(client?.defaultLocation?.email, { name, kind: 'EMAIL', source: 'CLIENT_LOCATION' });
  return location.length > 0 ? location : suggest(client?.email, { name, kind: 'EMAIL', source: 'CLIENT' });
}
