import { describe, expect, it } from 'vitest';
import { captureOf, hiddenCapture } from '../../../src/services/artifacts/capture-state.ts';
import type { Meeting } from '../../../src/services/meetings/meeting.ts';
import { storedMeeting } from './meeting.ts';

const { endsAt } = storedMeeting();
const BEFORE = new Date(endsAt.getTime() - 1);
const AFTER = new Date(endsAt.getTime() + 1);

describe('how far a capture has come', () => {
  it.each<[string, Partial<Meeting>, Date, string]>([
    ['before the meeting is over', {}, BEFORE, 'NOT_DUE'],
    ['at its very end', {}, endsAt, 'PENDING'],
    ['after its end', {}, AFTER, 'PENDING'],
    ['after its end, without a join link', { joinUrl: null }, AFTER, 'NOT_DUE'],
    ['with a look before its end that found nothing', { captureLastAttemptAt: BEFORE }, BEFORE, 'NOT_DUE'],
    [
      'with something found before the planned end',
      { captureState: 'READY', captureLastAttemptAt: BEFORE },
      BEFORE,
      'READY',
    ],
    ['given up', { captureState: 'NONE', captureLastAttemptAt: AFTER }, AFTER, 'NONE'],
    [
      'given up, and moved to another day',
      { captureState: 'NONE', captureLastAttemptAt: BEFORE, captureNextAt: null },
      BEFORE,
      'NOT_DUE',
    ],
    ['refused', { captureState: 'BLOCKED', captureLastAttemptAt: AFTER }, AFTER, 'BLOCKED'],
    ['without a calendar event', { isCalendarBacked: false }, AFTER, 'NOT_SUPPORTED'],
  ])('%s', (_, over, now, state) => {
    expect(captureOf(storedMeeting(over), now).state).toBe(state);
  });

  it('tells the attempts, the failure and when it goes on', () => {
    const at = new Date('2026-03-02T16:00:00Z');
    const next = new Date('2026-03-02T17:00:00Z');
    const captureFailure = {
      code: 'GRAPH_THROTTLED',
      message: 'm',
      remedy: null,
      occurredAt: at.toISOString(),
      graphRequestId: null,
    };
    expect(
      captureOf(
        storedMeeting({ captureAttempts: 3, captureLastAttemptAt: at, captureNextAt: next, captureFailure }),
        AFTER,
      ),
    ).toMatchObject({ attempts: 3, lastAttemptAt: at, nextAttemptAt: next, failure: { code: 'GRAPH_THROTTLED' } });
  });

  it('promises the first look a minute after the end', () => {
    expect(captureOf(storedMeeting(), AFTER).nextAttemptAt).toEqual(new Date(endsAt.getTime() + 60_000));
  });

  it('says why there is nothing to look for', () => {
    expect(captureOf(storedMeeting({ isCalendarBacked: false }), AFTER)).toMatchObject({
      nextAttemptAt: null,
      failure: { code: 'MEETING_NOT_CALENDAR_BACKED', remedy: expect.stringMatching(/new meeting/) },
    });
  });

  it.each<Partial<Meeting>>([{ captureState: 'READY' }, { captureState: 'NONE' }, { captureState: 'BLOCKED' }, {}])(
    'is the same to whoever may not see artifacts, if it is %j',
    (over) => {
      const looked = { ...over, captureAttempts: 4, captureLastAttemptAt: AFTER, captureNextAt: AFTER };
      expect(hiddenCapture(storedMeeting(looked), AFTER)).toEqual(hiddenCapture(storedMeeting(), AFTER));
    },
  );
});
