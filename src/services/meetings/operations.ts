import type { AttendeeInput } from '../attendees/attendees.ts';
import type { UserError } from '../failures.ts';
import type { Scope } from '../scope.ts';
import type { Meeting } from './meeting.ts';
import type { CreateMeetingInput } from './meeting-input.ts';

/** The meeting as it stands after the operation, and what hindered it. */
export interface MeetingResult {
  meeting: Meeting | null;
  userErrors: UserError[];
}

export interface RescheduleMeetingInput {
  meetingId: string;
  startsAt: Date;
  endsAt: Date;
  subject?: string | null;
  sendInvitations?: boolean | null;
}

export interface UpdateAttendeesInput {
  meetingId: string;
  attendees: readonly AttendeeInput[];
}

export interface CancelMeetingInput {
  meetingId: string;
  comment?: string | null;
  sendInvitations?: boolean | null;
}

/**
 * The operations on a meeting. Each writes what is wanted, with the job that brings it about, before Microsoft is
 * asked; then it tries at once and answers with what came of it within eight seconds. What Microsoft hinders for a
 * while is no error: the meeting says when it is tried again.
 */
export interface MeetingOperations {
  create(scope: Scope, input: CreateMeetingInput): Promise<MeetingResult>;
  reschedule(scope: Scope, input: RescheduleMeetingInput): Promise<MeetingResult>;
  updateAttendees(scope: Scope, input: UpdateAttendeesInput): Promise<MeetingResult>;
  cancel(scope: Scope, input: CancelMeetingInput): Promise<MeetingResult>;
  /** Tries again now what failed; nothing happens to a meeting that is well. */
  retry(scope: Scope, input: { meetingId: string }): Promise<MeetingResult>;
}
