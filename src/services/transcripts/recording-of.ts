import type { Recording, TranscriptHead } from '../artifacts/artifact-reads.ts';

type Call = Pick<Recording, 'callId' | 'contentCorrelationId' | 'createdAt' | 'endedAt'>;

const same = (a: string | null, b: string | null) => a !== null && a === b;

/** Seconds that two pieces of a call have in common; one whose end is not known goes on. Less than none: a gap. */
function overlap(a: Call, b: Call): number {
  const end = ({ endedAt }: Call) => endedAt?.getTime() ?? Number.POSITIVE_INFINITY;
  return Math.min(end(a), end(b)) - Math.max(a.createdAt.getTime(), b.createdAt.getTime());
}

/**
 * The recording of what a transcript wrote down, or null: the one that Microsoft says belongs to it
 * (`contentCorrelationId`; Microsoft Learn, list-recordings), else of those of the same call the one that ran at the
 * same time for longest. A call can be recorded in several pieces.
 */
export function recordingOf<R extends Call>(
  transcript: Pick<TranscriptHead, 'callId' | 'contentCorrelationId' | 'createdAt' | 'endedAt'>,
  recordings: readonly R[],
): R | null {
  const correlated = recordings.find((one) => same(one.contentCorrelationId, transcript.contentCorrelationId));
  if (correlated !== undefined) return correlated;
  return recordings
    .filter((one) => same(one.callId, transcript.callId) && overlap(one, transcript) >= 0)
    .reduce<R | null>(
      (best, one) => (best === null || overlap(one, transcript) > overlap(best, transcript) ? one : best),
      null,
    );
}
