import { z } from 'zod';
import type { TranscriptHead } from '../artifacts/artifact-reads.ts';
import type { ArtifactVisibility } from '../artifacts/visibility.ts';
import { visibleMeetings } from '../meetings/meeting.ts';
import { groupBy, wellFormedIds } from '../meetings/meeting-reads.ts';
import type { Scope } from '../scope.ts';
import { cuesOf } from './passages.ts';
import { type Cue, durationOf, type ParsedTranscript, parseVtt, type Speaker, speakersOf } from './vtt.ts';
import { decodeTranscript } from './vtt-document.ts';

/** Some of the cues of a transcript: from `from` up to, not including, `to`. */
export interface CueRange {
  transcript: TranscriptHead;
  from: number;
  to: number;
}

/** Whether what is derived from the transcript is stored: its counts, its speakers, and its cues in passages. */
export function isDerived({ indexedAs }: Pick<TranscriptHead, 'indexedAs'>): boolean {
  return indexedAs !== null;
}

const storedSpeakers = z.array(z.object({ name: z.string(), talkSeconds: z.number(), cueCount: z.number() }));

/** What is told of a transcript as a whole. */
export interface TranscriptFacts {
  cueCount: number;
  unparsedCueCount: number;
  durationSeconds: number | null;
  speakers: Speaker[];
}

/** The facts of a transcript, as stored or, where nothing is derived yet, from what `parse` gives. */
export async function factsOf(
  transcript: TranscriptHead,
  parse: () => Promise<ParsedTranscript>,
): Promise<TranscriptFacts> {
  if (isDerived(transcript)) {
    const { cueCount, unparsedLines, durationSeconds, speakers } = transcript;
    const unparsedCueCount = unparsedLines.length;
    return { cueCount, unparsedCueCount, durationSeconds, speakers: storedSpeakers.parse(speakers) };
  }
  const { cues, unparsedLines } = await parse();
  return {
    cueCount: cues.length,
    unparsedCueCount: unparsedLines.length,
    durationSeconds: durationOf(cues),
    speakers: speakersOf(cues),
  };
}

export interface TranscriptReads {
  /** Parses the bytes of transcripts, by their ids: for those of which nothing is derived yet. One statement. */
  parsed(scope: Scope, ids: readonly string[]): Promise<Map<string, ParsedTranscript>>;
  /**
   * The cues of each range, in its order, of transcripts of which everything is derived. One statement for any number
   * of ranges, that reads what they need together.
   */
  cues(scope: Scope, ranges: readonly CueRange[]): Promise<Cue[][]>;
}

/** Reads what was said. What the viewer may not see is absent: an unknown transcript has no cues. */
export function createTranscriptReads(visibility: ArtifactVisibility): TranscriptReads {
  return {
    async parsed(scope, ids) {
      if (!(await visibility.seesArtifacts(scope))) return new Map();
      const rows = await scope.db.run((prisma) =>
        prisma.meetingTranscript.findMany({
          where: { id: { in: wellFormedIds(ids) }, meeting: visibleMeetings(scope.viewer) },
          select: { id: true, vtt: true },
        }),
      );
      return new Map(rows.map((row) => [row.id, parseVtt(decodeTranscript(row.vtt))]));
    },

    async cues(scope, ranges) {
      if (!(await visibility.seesArtifacts(scope))) return ranges.map(() => []);
      const from = Math.min(...ranges.map((range) => range.from));
      const to = Math.min(MAX_INT, Math.max(...ranges.map((range) => range.to)));
      const rows = await scope.db.run((prisma) =>
        prisma.transcriptPassage.findMany({
          where: {
            transcriptId: { in: ranges.map(({ transcript }) => transcript.id) },
            lastCue: { gte: from },
            firstCue: { lt: to },
            transcript: { meeting: visibleMeetings(scope.viewer) },
          },
          select: { transcriptId: true, firstCue: true, cues: true },
          orderBy: [{ transcriptId: 'asc' }, { index: 'asc' }],
        }),
      );
      const passages = groupBy(rows, (row) => row.transcriptId);
      return ranges.map((range) =>
        (passages.get(range.transcript.id) ?? [])
          .flatMap(cuesOf)
          .filter(({ index }) => index >= range.from && index < range.to),
      );
    },
  };
}

/** The largest that the database's columns hold. */
const MAX_INT = 2 ** 31 - 1;
