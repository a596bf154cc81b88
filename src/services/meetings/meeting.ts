import type { MeetingAttendee, OnlineMeeting } from '../../generated/prisma/client.ts';
import type { StoredFailure } from '../failures.ts';
import type { Viewer } from '../viewer.ts';

/** A meeting as it is stored. */
export type Meeting = OnlineMeeting;
export type StoredAttendee = MeetingAttendee;

export type MeetingStatus = Meeting['status'] | 'ENDED';

/** Whoever was making it died: nobody is any more, and the next one who asks takes it over. */
function isAbandoned({ status, leasedUntil }: Pick<Meeting, 'status' | 'leasedUntil'>, now: Date): boolean {
  return status === 'PROVISIONING' && (leasedUntil === null || leasedUntil <= now);
}

/** What the clock makes of a stored status: a scheduled meeting ends by itself, and no job has to run for it. */
export function statusAt(meeting: Pick<Meeting, 'status' | 'endsAt' | 'leasedUntil'>, now: Date): MeetingStatus {
  if (isAbandoned(meeting, now)) return 'FAILED';
  return meeting.status === 'SCHEDULED' && meeting.endsAt <= now ? 'ENDED' : meeting.status;
}

export function failureOf(meeting: Meeting, now: Date): StoredFailure | null {
  if (!isAbandoned(meeting, now)) return meeting.failure as StoredFailure | null;
  return {
    code: 'GRAPH_UNAVAILABLE',
    message: 'The server stopped while the meeting was being made.',
    remedy: 'Create the meeting again: what Microsoft may have made already is found and used.',
    occurredAt: (meeting.leasedUntil ?? meeting.updatedAt).toISOString(),
    graphRequestId: null,
  };
}

export function captureFailureOf(meeting: Meeting): StoredFailure | null {
  return meeting.captureFailure as StoredFailure | null;
}

/** A client user sees the meetings of their own client; everybody else sees the tenant's. */
export function visibleMeetings(viewer: Viewer): { clientId?: string } {
  return viewer.kind === 'client' ? { clientId: viewer.clientId } : {};
}
