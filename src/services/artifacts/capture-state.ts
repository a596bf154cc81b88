import type { StoredFailure } from '../failures.ts';
import { captureFailureOf, type Meeting } from '../meetings/meeting.ts';

export interface ArtifactCapture {
  state: 'NOT_DUE' | 'PENDING' | 'READY' | 'NONE' | 'BLOCKED' | 'NOT_SUPPORTED';
  attempts: number;
  lastAttemptAt: Date | null;
  /** Null: artifacts are fetched when somebody asks for them. */
  nextAttemptAt: Date | null;
  failure: StoredFailure | null;
}

/** What a person has to change before another try can succeed. */
const LASTING = new Set([
  'CREDENTIALS_REJECTED',
  'PERMISSION_MISSING',
  'POLICY_MISSING',
  'TRANSCRIPT_ACCESS_DISABLED',
  'ORGANIZER_NOT_FOUND',
  'MAILBOX_UNAVAILABLE',
  'MAILBOX_SCOPE_DENIED',
]);

/** How far the capture of a meeting's recordings and transcripts has come, from what is stored. */
export function captureOf(meeting: Meeting, artifactCount: number, now: Date): ArtifactCapture {
  const failure = captureFailureOf(meeting);
  const base = {
    attempts: meeting.captureAttempts,
    lastAttemptAt: meeting.captureLastAttemptAt,
    nextAttemptAt: null,
    failure,
  };
  if (!meeting.isCalendarBacked) return { ...base, state: 'NOT_SUPPORTED' };
  if (failure !== null && LASTING.has(failure.code)) return { ...base, state: 'BLOCKED' };
  if (artifactCount > 0) return { ...base, state: 'READY' };
  if (failure?.code === 'NOT_FOUND') return { ...base, state: 'NONE' };
  const hasTakenPlace = meeting.joinUrl !== null && meeting.endsAt <= now;
  return { ...base, state: hasTakenPlace ? 'PENDING' : 'NOT_DUE' };
}
