import type { SentMail } from './control-types.ts';
import type { Attendee, CalendarEvent } from './mailbox.ts';
import type { User, World } from './state.ts';

/** Notes the mails that Exchange sends by itself to these attendees. Source: Microsoft Learn, user-post-events. */
export function mailTo(
  world: World,
  user: User,
  event: CalendarEvent,
  attendees: Attendee[],
  kind: SentMail['kind'],
  comment: string | null = null,
): void {
  for (const attendee of attendees) {
    world.sentMail.push({
      kind,
      directoryId: user.directoryId,
      from: user.mail ?? user.userPrincipalName,
      to: attendee.address,
      subject: event.subject,
      comment,
      at: world.clock.now().toISOString(),
    });
  }
}

/** Attendees in `list` whose address is not in `other`. */
export function missingFrom(list: Attendee[], other: Attendee[]): Attendee[] {
  const addresses = new Set(other.map((attendee) => attendee.address.toLowerCase()));
  return list.filter((attendee) => !addresses.has(attendee.address.toLowerCase()));
}
