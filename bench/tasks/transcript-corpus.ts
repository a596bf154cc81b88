import { seeded } from '../support/random.ts';

/** Transcripts of made-up meetings, the same in every run, and what people might look for in them. */
export interface Corpus {
  /** The next transcript. */
  transcript(): { vtt: string; queries: string[] };
  /** The commonest words, the commonest first. */
  commonWords: readonly string[];
  random: () => number;
}

const SYLLABLES = ['ba', 'co', 'di', 'fu', 'ge', 'hi', 'ka', 'lo', 'mi', 'nu', 'pe', 'qui', 'ra', 'so', 'té', 'vü'];
const WORDS = 20_000;
/** People leave the commonest words out of what they look for. */
const LEFT_OUT = 100;

const syllable = (digit: string) => SYLLABLES[Number.parseInt(digit, 16)] ?? '';
const wordOf = (rank: number) => rank.toString(16).padStart(3, '0').replace(/./g, syllable);

/** Words are as frequent as Zipf's law has it; a query is one to three rarer words that were said together. */
export function createCorpus(): Corpus {
  const random = seeded(1);
  const vocabulary = Array.from({ length: WORDS }, (_, rank) => wordOf(rank));
  const cumulative: number[] = [];
  for (let rank = 0, sum = 0; rank < WORDS; rank += 1) {
    sum += 1 / (rank + 1);
    cumulative.push(sum);
  }
  const total = cumulative.at(-1) ?? 1;

  function rankByZipf(): number {
    const wanted = random() * total;
    let [low, high] = [0, WORDS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? total) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 23);
  return {
    random,
    commonWords: vocabulary.slice(0, 5),
    transcript() {
      // Most meetings are short, some are long.
      const cueCount = Math.min(2_000, Math.round(40 + 60 * -Math.log(1 - random())));
      const queries: string[] = [];
      const cues = Array.from({ length: cueCount }, (_, cue) => {
        const ranks = Array.from({ length: 12 }, rankByZipf);
        if (cue === 3) {
          const rare = ranks.filter((rank) => rank >= LEFT_OUT).slice(0, 1 + Math.floor(random() * 3));
          if (rare.length > 0) queries.push(rare.map((rank) => vocabulary[rank]).join(' '));
        }
        const text = ranks.map((rank) => vocabulary[rank]).join(' ');
        return `${time(cue * 4)} --> ${time(cue * 4 + 3.5)}\n<v Speaker ${cue % 4}>${text}</v>\n`;
      });
      return { vtt: `WEBVTT\n\n${cues.join('\n')}`, queries };
    },
  };
}
