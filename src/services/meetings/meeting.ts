import type { MeetingAttendee, OnlineMeeting } from '../../generated/prisma/client.ts';
import type { StoredFailure } from '../failures.ts';
import type { Viewer } from '../viewer.ts';

/** A meeting as it is stored. */
export type Meeting = OnlineMeeting;
export type StoredAttendee = MeetingAttendee;

export type MeetingStatus = Meeting['status'] | 'ENDED';

/** A scheduled meeting ends by the clock alone: no job has to run for it. */
export function statusAt(meeting: Pick<Meeting, 'status' | 'endsAt'>, now: Date): MeetingStatus {
  return meeting.status === 'SCHEDULED' && meeting.endsAt <= now ? 'ENDED' : meeting.status;
}

export function failureOf(meeting: Meeting): StoredFailure | null {
  return meeting.failure as StoredFailure | null;
}

export function captureFailureOf(meeting: Meeting): StoredFailure | null {
  return meeting.captureFailure as StoredFailure | null;
}

/** A client user sees the meetings of their own client; everybody else sees the tenant's. */
export function visibleMeetings(viewer: Viewer): { clientId?: string } {
  return viewer.kind === 'client' ? { clientId: viewer.clientId } : {};
}
