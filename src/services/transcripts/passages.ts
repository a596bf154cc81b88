import { z } from 'zod';
import { fold } from './search-text.ts';
import type { Cue } from './vtt.ts';

/** Small enough to rank and to show, large enough that words said about one thing stand in one. */
const PASSAGE_CHARACTERS = 1_000;
const PASSAGE_CUES = 100;

/** What Postgres takes into one index entry is bounded; what somebody says in one cue is not. */
const SEARCHED_CHARACTERS = 64_000;

/** A cue as it is stored in a passage: start, end, speaker, text. */
const storedCue = z.tuple([z.number(), z.number(), z.string().nullable(), z.string()]);
const storedCues = z.array(storedCue);

export interface Passage {
  index: number;
  firstCue: number;
  lastCue: number;
  cues: z.infer<typeof storedCues>;
  /** What is searched: the folded text of the cues, a line each. */
  text: string;
}

/** The text of each cue as it is searched and shown: composed, so that a mark never parts a letter from its accent. */
export function shownText(text: string): string {
  return text.normalize('NFC');
}

/** Cuts a transcript into passages of neighbouring cues. Every cue is in exactly one. */
export function passagesOf(cues: readonly Cue[]): Passage[] {
  const passages: Passage[] = [];
  let from = 0;
  let length = 0;
  cues.forEach((cue, i) => {
    length += cue.text.length;
    if (length < PASSAGE_CHARACTERS && i - from + 1 < PASSAGE_CUES && i < cues.length - 1) return;
    const part = cues.slice(from, i + 1);
    passages.push({
      index: passages.length,
      firstCue: from,
      lastCue: i,
      cues: part.map(({ startSeconds, endSeconds, speaker, text }) => [startSeconds, endSeconds, speaker, text]),
      text: part
        .map(({ text }) => fold(shownText(text)))
        .join('\n')
        .slice(0, SEARCHED_CHARACTERS),
    });
    from = i + 1;
    length = 0;
  });
  return passages;
}

/** The cues of a stored passage. */
export function cuesOf({ firstCue, cues }: { firstCue: number; cues: unknown }): Cue[] {
  return storedCues.parse(cues).map(([startSeconds, endSeconds, speaker, text], i) => ({
    index: firstCue + i,
    startSeconds,
    endSeconds,
    speaker,
    text,
  }));
}
