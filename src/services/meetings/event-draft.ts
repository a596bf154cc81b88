import type { GraphEventDraft } from '../../graph/types.ts';
import type { Meeting, StoredAttendee } from './meeting.ts';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/**
 * The calendar event that a meeting wants. With invitations off the attendees stay out of it: Exchange always mails
 * the attendees of an event (Microsoft Learn, user-post-events).
 */
export function draftEvent(meeting: Meeting, attendees: StoredAttendee[], sendInvites: boolean): GraphEventDraft {
  const paragraphs = (meeting.description ?? '').split(/\r?\n/).filter((line) => line.trim() !== '');
  return {
    subject: meeting.subject,
    startsAt: meeting.startsAt,
    endsAt: meeting.endsAt,
    bodyHtml: paragraphs.map((line) => `<p>${escapeHtml(line)}</p>`).join(''),
    attendees: sendInvites ? attendees.map(({ emailAddress, name }) => ({ emailAddress, name })) : [],
    transactionId: meeting.transactionId,
  };
}
