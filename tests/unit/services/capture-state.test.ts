import { describe, expect, it } from 'vitest';
import { captureOf } from '../../../src/services/artifacts/capture-state.ts';
import type { StoredFailure, UserErrorCode } from '../../../src/services/failures.ts';
import type { Meeting } from '../../../src/services/meetings/meeting.ts';
import { storedMeeting } from './meeting.ts';

const { endsAt } = storedMeeting();
const BEFORE = new Date(endsAt.getTime() - 1);
const AFTER = new Date(endsAt.getTime() + 1);

function failed(code: UserErrorCode): { captureFailure: Meeting['captureFailure'] } {
  const failure: StoredFailure = {
    code,
    message: 'm',
    remedy: null,
    occurredAt: AFTER.toISOString(),
    graphRequestId: null,
  };
  return { captureFailure: { ...failure } };
}

describe('how far a capture has come', () => {
  it.each<[string, Partial<Meeting>, number, Date, string]>([
    ['before the meeting is over', {}, 0, BEFORE, 'NOT_DUE'],
    ['at its very end', {}, 0, endsAt, 'PENDING'],
    ['after its end', {}, 0, AFTER, 'PENDING'],
    ['after its end, without a join link', { joinUrl: null }, 0, AFTER, 'NOT_DUE'],
    ['with something found', {}, 1, AFTER, 'READY'],
    ['with something found before the planned end', {}, 2, BEFORE, 'READY'],
    ['without a calendar event', { isCalendarBacked: false }, 0, AFTER, 'NOT_SUPPORTED'],
    [
      'without a calendar event, whatever failed',
      { isCalendarBacked: false, ...failed('POLICY_MISSING') },
      0,
      AFTER,
      'NOT_SUPPORTED',
    ],
    ['throttled', failed('GRAPH_THROTTLED'), 0, AFTER, 'PENDING'],
    ['while Microsoft is away', failed('GRAPH_UNAVAILABLE'), 0, AFTER, 'PENDING'],
    ['without the permission', failed('PERMISSION_MISSING'), 0, AFTER, 'BLOCKED'],
    ['without the policy', failed('POLICY_MISSING'), 0, AFTER, 'BLOCKED'],
    [
      'with transcripts switched off, though a recording is there',
      failed('TRANSCRIPT_ACCESS_DISABLED'),
      1,
      AFTER,
      'BLOCKED',
    ],
    ['with a rejected credential', failed('CREDENTIALS_REJECTED'), 0, AFTER, 'BLOCKED'],
    ['of a meeting that Microsoft no longer has', failed('NOT_FOUND'), 0, AFTER, 'NONE'],
    ['with a recording and a transcript that is gone', failed('NOT_FOUND'), 1, AFTER, 'READY'],
    ['without the organizer', failed('ORGANIZER_NOT_FOUND'), 0, AFTER, 'BLOCKED'],
    ['without the mailbox', failed('MAILBOX_UNAVAILABLE'), 0, AFTER, 'BLOCKED'],
  ])('%s', (_, over, count, now, state) => {
    expect(captureOf(storedMeeting(over), count, now).state).toBe(state);
  });

  it('tells the attempts and the failure, and promises no next one', () => {
    const at = new Date('2026-03-02T16:00:00Z');
    expect(
      captureOf(
        storedMeeting({ captureAttempts: 3, captureLastAttemptAt: at, ...failed('GRAPH_THROTTLED') }),
        0,
        AFTER,
      ),
    ).toMatchObject({
      attempts: 3,
      lastAttemptAt: at,
      nextAttemptAt: null,
      failure: { code: 'GRAPH_THROTTLED' },
    });
  });
});
