import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** Event ids of both kinds begin with `AA` and use the base64url alphabet; anything else is malformed to Exchange. */
const EVENT_ID = /^AA[A-Za-z0-9_-]{40,}=*$/;
const MEETING_ID = /^1\*[0-9a-f-]{36}\*0\*\*19:meeting_[A-Za-z0-9_-]+@thread\.v2$/;

/** The default id of an event; it changes when the event moves. */
export function newDefaultEventId(): string {
  return `AAMkA${randomBytes(108).toString('base64url')}AAA=`;
}

/** The immutable id of an event. Source: Outlook immutable identifiers. */
export function newImmutableEventId(): string {
  return `AAkALgAA${randomBytes(72).toString('base64url')}`;
}

export function isEventIdShape(id: string): boolean {
  return EVENT_ID.test(id);
}

export function newChangeKey(): string {
  return `${randomBytes(14).toString('base64')}`;
}

/** Told apart from all others, so that no token of another mailbox or another run is taken. */
export function newDeltaEpoch(): string {
  return randomUUID();
}

export function newICalUId(): string {
  return `040000008200E00074C5B7101A82E00800000000${randomBytes(32).toString('hex').toUpperCase()}`;
}

export function newThreadId(): string {
  return `19:meeting_${Buffer.from(randomUUID()).toString('base64url')}@thread.v2`;
}

/** `MSo…`: base64 of `1*{organizer}*0**{thread}`. */
export function meetingIdOf(organizerId: string, threadId: string): string {
  return Buffer.from(`1*${organizerId}*0**${threadId}`).toString('base64');
}

export function isMeetingIdShape(id: string): boolean {
  return MEETING_ID.test(Buffer.from(id, 'base64').toString('utf8'));
}

/** The classic join link, with Microsoft's lower-case percent escapes. */
export function classicJoinUrl(threadId: string, directoryId: string, organizerId: string): string {
  const context = JSON.stringify({ Tid: directoryId, Oid: organizerId });
  return `https://teams.microsoft.com/l/meetup-join/${escapeLower(threadId)}/0?context=${escapeLower(context)}`;
}

/** The newer join link. */
export function shortJoinUrl(joinMeetingId: string, passcode: string): string {
  return `https://teams.microsoft.com/meet/${joinMeetingId}?p=${passcode}`;
}

export function newJoinMeetingId(): string {
  return `2${digits(12)}`;
}

export function newPasscode(): string {
  const letters = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
  return Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('');
}

export function newConferenceId(): string {
  return digits(9);
}

/** `MSMjMCMj…`: base64 of `1##0##{guid}`. */
export function newRecordingId(): string {
  return Buffer.from(`1##0##${randomUUID()}`).toString('base64');
}

/** `VjIjIzE…=`: base64 of `V2##1{…}##{guid}`, long and padded. */
export function newTranscriptId(organizerId: string, directoryId: string): string {
  return Buffer.from(`V2##1*${organizerId}*${directoryId}*##${randomUUID()}`).toString('base64');
}

function digits(length: number): string {
  return Array.from({ length }, () => randomInt(10)).join('');
}

function escapeLower(text: string): string {
  return encodeURIComponent(text).replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
}
