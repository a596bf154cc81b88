import type { StoredFailure } from '../failures.ts';
import { captureFailureOf, type Meeting } from '../meetings/meeting.ts';
import { firstLookAt } from './capture-rules.ts';

export interface ArtifactCapture {
  state: Meeting['captureState'] | 'NOT_DUE';
  attempts: number;
  lastAttemptAt: Date | null;
  /** Null: nothing is planned. */
  nextAttemptAt: Date | null;
  failure: StoredFailure | null;
}

const NOT_CALENDAR_BACKED = {
  code: 'MEETING_NOT_CALENDAR_BACKED',
  message: 'Microsoft keeps no recordings or transcripts that apps can read for a meeting without a calendar event.',
  remedy: 'Make a new meeting for this appointment.',
  graphRequestId: null,
} as const;

/** How far the capture of a meeting's recordings and transcripts has come, from what is stored. */
export function captureOf(meeting: Meeting, now: Date): ArtifactCapture {
  const { captureAttempts: attempts, captureLastAttemptAt: lastAttemptAt } = meeting;
  if (!meeting.isCalendarBacked) {
    const failure = { ...NOT_CALENDAR_BACKED, occurredAt: meeting.createdAt.toISOString() };
    return { state: 'NOT_SUPPORTED', attempts, lastAttemptAt, nextAttemptAt: null, failure };
  }
  // What was found or refused stands; that nothing was there says nothing of a meeting that was moved since.
  const stands = meeting.captureState === 'READY' || meeting.captureState === 'BLOCKED';
  const isAsked = lastAttemptAt !== null && (lastAttemptAt >= meeting.endsAt || stands);
  const hasTakenPlace = meeting.joinUrl !== null && meeting.endsAt <= now;
  return {
    state: isAsked ? meeting.captureState : hasTakenPlace ? 'PENDING' : 'NOT_DUE',
    attempts,
    lastAttemptAt,
    nextAttemptAt: isAsked ? meeting.captureNextAt : hasTakenPlace ? firstLookAt(meeting) : null,
    failure: captureFailureOf(meeting),
  };
}

/** What is told of it to whoever may not see artifacts: nothing that they could conclude from. */
export function hiddenCapture(meeting: Meeting, now: Date): ArtifactCapture {
  const state = meeting.isCalendarBacked ? (meeting.endsAt <= now ? 'PENDING' : 'NOT_DUE') : 'NOT_SUPPORTED';
  return { state, attempts: 0, lastAttemptAt: null, nextAttemptAt: null, failure: null };
}
