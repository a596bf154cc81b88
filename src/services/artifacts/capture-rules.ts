import type { CaptureState } from '../../generated/prisma/enums.ts';
import type { StoredFailure } from '../failures.ts';
import type { Meeting } from '../meetings/meeting.ts';

/** What a meeting leaves behind, each asked for by itself. */
export const PARTS = ['recordings', 'transcripts'] as const;
export type ArtifactPart = (typeof PARTS)[number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** After the end of a meeting; Microsoft needs minutes before anything is there. */
const FIRST_LOOK_MS = MINUTE_MS;
const SHORTEST_WAIT_MS = 5 * MINUTE_MS;
const LONGEST_WAIT_MS = 6 * HOUR_MS;
/** For so long after the end parts come late. What comes later still is told by a notification or found by the delta. */
export const AWAITED_MS = 48 * HOUR_MS;
/** After so long a meeting expires at Microsoft, with all that it left (Microsoft Learn: resources/onlinemeeting). */
export const EXPIRES_MS = 60 * 24 * HOUR_MS;

/** What a look at a meeting found out. */
export interface Sighting {
  /** Whether anything is stored, from this look or an earlier one. */
  hasArtifacts: boolean;
  /** The parts that could not be read, at least not as a whole. */
  failures: Partial<Record<ArtifactPart, PartFailure>>;
}

/** Why a part could not be read. */
export interface PartFailure {
  failure: StoredFailure;
  /** A person has to change something before another try can succeed. */
  isLasting: boolean;
}

/** How the search stands after a look, as it is stored with the meeting. */
export interface CaptureProgress {
  captureState: CaptureState;
  captureNextAt: Date | null;
  captureRefused: ArtifactPart[];
  /** What a person has to mend, before what passes by itself. */
  captureFailure: StoredFailure | null;
}

/** When the first look at a meeting is due. */
export function firstLookAt({ endsAt }: Pick<Meeting, 'endsAt'>): Date {
  return new Date(endsAt.getTime() + FIRST_LOOK_MS);
}

/**
 * Draws the conclusion from a look: asks again after as long as has passed since the end of the meeting, which doubles
 * the wait each time, between five minutes and six hours; until 48 hours have passed and a look went well. What is
 * refused for good is not asked for any more.
 */
export function afterLook(
  meeting: Pick<Meeting, 'endsAt'>,
  { hasArtifacts, failures }: Sighting,
  now: Date,
): CaptureProgress {
  const refused = PARTS.filter((part) => failures[part]?.isLasting);
  const awaited = PARTS.filter((part) => !refused.includes(part));
  // That Microsoft has nothing (any more) is an answer, not an obstacle.
  const isAnswered = awaited.every(
    (part) => failures[part] === undefined || failures[part].failure.code === 'NOT_FOUND',
  );
  const sinceEndMs = now.getTime() - meeting.endsAt.getTime();
  const isOver = awaited.length === 0 || (isAnswered && sinceEndMs >= AWAITED_MS) || sinceEndMs >= EXPIRES_MS;
  return {
    captureState: stateOf(refused.length > 0, hasArtifacts, isOver),
    captureNextAt: isOver ? null : nextLookAt(meeting, sinceEndMs, now),
    captureRefused: refused,
    captureFailure: (failures[refused[0] ?? 'recordings'] ?? failures.transcripts)?.failure ?? null,
  };
}

function stateOf(isRefused: boolean, hasArtifacts: boolean, isOver: boolean): CaptureState {
  if (isRefused) return 'BLOCKED';
  if (hasArtifacts) return 'READY';
  return isOver ? 'NONE' : 'PENDING';
}

function nextLookAt(meeting: Pick<Meeting, 'endsAt'>, sinceEndMs: number, now: Date): Date {
  if (sinceEndMs < 0) return firstLookAt(meeting);
  return new Date(now.getTime() + Math.min(Math.max(sinceEndMs, SHORTEST_WAIT_MS), LONGEST_WAIT_MS));
}
