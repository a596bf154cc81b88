import type { MeetingAttendee, OnlineMeeting } from '../../generated/prisma/client.ts';
import type { StoredFailure } from '../failures.ts';
import type { Viewer } from '../viewer.ts';

/** A meeting as it is stored. */
export type Meeting = OnlineMeeting;
export type StoredAttendee = MeetingAttendee;

export type MeetingStatus = Meeting['status'] | 'ENDED';

/** What the clock makes of a stored status: a scheduled meeting ends by itself, and no job has to run for it. */
export function statusAt(meeting: Pick<Meeting, 'status' | 'endsAt'>, now: Date): MeetingStatus {
  return meeting.status === 'SCHEDULED' && meeting.endsAt <= now ? 'ENDED' : meeting.status;
}

/** After so long without a word from Microsoft a reader is told that it is being waited for. */
const SILENCE_MS = 8_000;

/** Why the meeting is not as it is wanted: the stored failure, or that Microsoft has not answered so far. */
export function failureOf(meeting: Meeting, now: Date): StoredFailure | null {
  const stored = meeting.failure as StoredFailure | null;
  const isWaiting = meeting.version > meeting.syncedVersion && meeting.nextAttemptAt !== null;
  if (stored !== null || !isWaiting || now.getTime() - meeting.updatedAt.getTime() < SILENCE_MS) return stored;
  return {
    code: 'GRAPH_UNAVAILABLE',
    message: 'Microsoft has not answered yet.',
    remedy: null,
    occurredAt: meeting.updatedAt.toISOString(),
    graphRequestId: null,
  };
}

/** Whether nobody wants the meeting any more, whatever Microsoft knows of that. */
export function isCancelled({ status }: Pick<Meeting, 'status'>): boolean {
  return status === 'CANCELLING' || status === 'CANCELLED';
}

/**
 * Whether it was imported and nobody here has read its event so far, nor wished it at another time since: people may have
 * changed the event in Outlook, and the row would not know.
 */
export function isUnread({
  operation,
  status,
  graphEventId,
  joinUrl,
}: Pick<Meeting, 'operation' | 'status' | 'graphEventId' | 'joinUrl'>): boolean {
  if (operation !== 'import' || graphEventId === null) return false;
  return status === 'PROVISIONING' || (status === 'FAILED' && joinUrl === null);
}

export function captureFailureOf(meeting: Meeting): StoredFailure | null {
  return meeting.captureFailure as StoredFailure | null;
}

/** Why it does not have the options that it was to start with. */
export function defaultsFailureOf(meeting: Meeting): StoredFailure | null {
  return meeting.defaultsFailure as StoredFailure | null;
}

/** A client user sees the meetings of their own client; everybody else sees the tenant's. */
export function visibleMeetings(viewer: Viewer): { clientId?: string } {
  return viewer.kind === 'client' ? { clientId: viewer.clientId } : {};
}
