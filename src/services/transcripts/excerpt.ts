import { shownText } from './passages.ts';
import { foldWithOrigins } from './search-text.ts';
import type { Cue } from './vtt.ts';

/** Signs around a hit in the text that Postgres marks: no folded text has them. */
export const HIT_BEGINS = '\u0002';
export const HIT_ENDS = '\u0003';

/** About this long at most; a single cue is cut to it around its first hit. */
const EXCERPT_CHARACTERS = 300;

interface Hit {
  /** Where in the folded text of the passage. */
  from: number;
  to: number;
  word: string;
}

/** The hits in a passage's folded text as Postgres marked it; none when it is not that text. */
function hitsIn(marked: string, folded: string): Hit[] {
  const hits: Hit[] = [];
  let plain = '';
  for (const piece of marked.split(HIT_BEGINS)) {
    const [hit = '', rest] = piece.split(HIT_ENDS);
    if (rest !== undefined) hits.push({ from: plain.length, to: plain.length + hit.length, word: hit });
    plain += hit + (rest ?? '');
  }
  return plain === folded.slice(0, plain.length) ? hits : [];
}

interface CueHits {
  cue: Cue;
  text: string;
  /** In `text`, in their order, not overlapping. */
  hits: { from: number; to: number; word: string }[];
}

/** Finds the hits of each cue in the text that is shown. */
function hitsOfCues(cues: readonly Cue[], marked: string): CueHits[] {
  const shown = cues.map((cue) => {
    const text = shownText(cue.text);
    return { cue, text, ...foldWithOrigins(text) };
  });
  const hits = hitsIn(marked, shown.map(({ folded }) => folded).join('\n'));
  let begins = 0;
  return shown.map(({ cue, text, folded, origins }) => {
    const ends = begins + folded.length;
    /** The end of the character of which the unit before `at` is the last: its accents and padding belong to it. */
    const endOf = (at: number) => {
      let next = at;
      while (next < origins.length && origins[next] === origins[at - 1]) next += 1;
      return origins[next] ?? text.length;
    };
    const own = hits
      .filter(({ from, to }) => from >= begins && to <= ends)
      .map(({ from, to, word }) => ({ from: origins[from - begins] ?? 0, to: endOf(to - begins), word }));
    begins = ends + 1;
    return { cue, text, hits: own };
  });
}

function wordsOf(cues: readonly CueHits[]): number {
  return new Set(cues.flatMap(({ hits }) => hits.map(({ word }) => word))).size;
}

/** The neighbouring cues, of a bounded length together, that hold most of the words; of equal ones the fewest, the first. */
function bestWindow(cues: readonly CueHits[]): CueHits[] {
  let best = { from: 0, to: 0, words: wordsOf(cues.slice(0, 1)) };
  for (const [from, first] of cues.entries()) {
    if (first.hits.length === 0) continue;
    const words = new Set<string>();
    let length = 0;
    for (const [beyond, { text, hits }] of cues.slice(from).entries()) {
      length += text.length;
      if (beyond > 0 && length > EXCERPT_CHARACTERS) break;
      for (const { word } of hits) words.add(word);
      const isShorter = beyond < best.to - best.from;
      if (words.size > best.words || (words.size === best.words && isShorter))
        best = { from, to: from + beyond, words: words.size };
    }
  }
  return cues.slice(best.from, best.to + 1);
}

/** The text with its hits marked, cut around the first of them when it is long. */
function marked({ text, hits }: CueHits): string {
  const plain = (from: number, to: number) => text.slice(from, to).replaceAll('*', '\u2217');
  let from = 0;
  let to = text.length;
  if (text.length > EXCERPT_CHARACTERS) {
    const first = hits[0]?.from ?? 0;
    from = Math.max(0, Math.min(first - EXCERPT_CHARACTERS / 3, text.length - EXCERPT_CHARACTERS));
    from = from === 0 ? 0 : Math.min(first, from + Math.max(0, text.slice(from, first).search(/\s/)) + 1);
    const last = text.slice(0, from + EXCERPT_CHARACTERS).search(/\s\S*$/);
    to = Math.max(last > from ? last : from + EXCERPT_CHARACTERS, hits[0]?.to ?? 0);
  }
  let result = from > 0 ? '…' : '';
  let at = from;
  for (const hit of hits.filter((one) => one.from >= from && one.to <= to)) {
    // Of neighbours without anything between them one mark is left: they are one word to the reader.
    const isNext = hit.from === at && result.endsWith('**');
    result = `${isNext ? result.slice(0, -2) : `${result}${plain(at, hit.from)}**`}${plain(hit.from, hit.to)}**`;
    at = hit.to;
  }
  return `${result}${plain(at, to)}${to < text.length ? '…' : ''}`.toWellFormed();
}

/**
 * What is shown of a passage that was found: the cue with most of the words, and an excerpt with each hit between `**`.
 *
 * @param marked the passage's folded text with its hits between HIT_BEGINS and HIT_ENDS
 */
export function excerptOf(cues: readonly Cue[], markedText: string): { cue: Cue; excerpt: string } {
  const window = bestWindow(hitsOfCues(cues, markedText));
  const [first] = window;
  if (first === undefined) throw new Error('A passage without cues was found');
  const best = window.reduce((one, other) => (wordsOf([other]) > wordsOf([one]) ? other : one), first);
  return { cue: best.cue, excerpt: window.map(marked).join('\n') };
}
