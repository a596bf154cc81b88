import { describe, expect, it } from 'vitest';
import { afterLook, type PartFailure, type Sighting } from '../../../src/services/artifacts/capture-rules.ts';
import type { UserErrorCode } from '../../../src/services/failures.ts';

const endsAt = new Date('2026-03-02T15:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const LASTING: UserErrorCode[] = ['TRANSCRIPT_ACCESS_DISABLED', 'POLICY_MISSING', 'PERMISSION_MISSING'];

const failed = (code: UserErrorCode): PartFailure => ({
  failure: { code, message: 'm', remedy: null, occurredAt: endsAt.toISOString(), graphRequestId: null },
  isLasting: LASTING.includes(code),
});

/** What follows from a look so long after the end; the next one in minutes from then. */
function conclude(sinceEndMs: number, { hasArtifacts = false, failures = {} }: Partial<Sighting> = {}) {
  const now = new Date(endsAt.getTime() + sinceEndMs);
  const { captureNextAt, captureState, captureRefused } = afterLook({ endsAt }, { hasArtifacts, failures }, now);
  const nextIn = captureNextAt === null ? null : (captureNextAt.getTime() - now.getTime()) / MINUTE;
  return { state: captureState, nextIn, refused: captureRefused };
}

describe('the wait for the next look', () => {
  it.each([
    [0, 5],
    [1, 5],
    [5, 5],
    [10, 10],
    [20, 20],
    [160, 160],
    [6 * 60, 360],
    [20 * 60, 360],
  ])('%i minutes after the end is %i minutes', (since, wait) => {
    expect(conclude(since * MINUTE).nextIn).toBe(wait);
  });

  it('doubles from look to look, from five minutes to six hours, and ends after 48 hours', () => {
    const waits: number[] = [];
    let since = 5;
    for (;;) {
      const { nextIn, state } = conclude(since * MINUTE);
      if (nextIn === null) {
        expect(state).toBe('NONE');
        break;
      }
      waits.push(nextIn);
      since += nextIn;
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 360, 360, 360, 360, 360, 360, 360]);
    expect(since).toBeGreaterThanOrEqual(48 * 60);
  });

  it('before the end is until a minute after it', () => {
    expect(conclude(-30 * MINUTE).nextIn).toBe(31);
  });
});

describe('the state after a look', () => {
  it.each<[string, number, Partial<Sighting>, string, boolean]>([
    ['nothing so far', HOUR, {}, 'PENDING', true],
    ['nothing for 48 hours', 48 * HOUR, {}, 'NONE', false],
    ['something: parts may come late', HOUR, { hasArtifacts: true }, 'READY', true],
    ['something, and 48 hours', 48 * HOUR, { hasArtifacts: true }, 'READY', false],
    [
      'trouble that passes does not end it after 48 hours',
      50 * HOUR,
      { failures: { recordings: failed('GRAPH_UNAVAILABLE') } },
      'PENDING',
      true,
    ],
    [
      'nor after something was found',
      50 * HOUR,
      { hasArtifacts: true, failures: { transcripts: failed('GRAPH_THROTTLED') } },
      'READY',
      true,
    ],
    [
      'but the expiry of the meeting does',
      60 * 24 * HOUR,
      { failures: { recordings: failed('GRAPH_UNAVAILABLE') } },
      'NONE',
      false,
    ],
    [
      'a meeting that Microsoft does not know may still be made known',
      HOUR,
      { failures: { recordings: failed('NOT_FOUND'), transcripts: failed('NOT_FOUND') } },
      'PENDING',
      true,
    ],
    [
      'not for ever',
      48 * HOUR,
      { failures: { recordings: failed('NOT_FOUND'), transcripts: failed('NOT_FOUND') } },
      'NONE',
      false,
    ],
    [
      'transcripts refused, recordings awaited',
      HOUR,
      { failures: { transcripts: failed('TRANSCRIPT_ACCESS_DISABLED') } },
      'BLOCKED',
      true,
    ],
    [
      'transcripts refused, recordings found',
      48 * HOUR,
      { hasArtifacts: true, failures: { transcripts: failed('TRANSCRIPT_ACCESS_DISABLED') } },
      'BLOCKED',
      false,
    ],
    [
      'both refused',
      MINUTE,
      { failures: { recordings: failed('POLICY_MISSING'), transcripts: failed('POLICY_MISSING') } },
      'BLOCKED',
      false,
    ],
  ])('%s', (_, since, sighting, state, goesOn) => {
    const concluded = conclude(since, sighting);
    expect(concluded.state).toBe(state);
    expect(concluded.nextIn !== null).toBe(goesOn);
  });

  it('names what is not asked for any more', () => {
    expect(conclude(HOUR, { failures: { transcripts: failed('PERMISSION_MISSING') } }).refused).toEqual([
      'transcripts',
    ]);
  });
});
