import { describe, expect } from 'vitest';
import { servedVtt } from '../../src/services/transcripts/open-transcript.ts';
import { deriveFrom } from '../../src/services/transcripts/store-transcript.ts';
import { attempts } from './attempts.ts';

const TIMES = '00:00:00.000 --> 00:00:05.000\n';
const inOneCue = (text: string) => `WEBVTT\n\n${TIMES}${text}`;
const MANY = 100_000;

describe('a transcript that is a bomb', () => {
  const bombs = attempts('a transcript that is a bomb');
  // Each is some megabytes: what takes time by the square of that does not come to its end.
  const TEXTS: [string, () => string][] = [
    ['a voice in a voice in a voice', () => inOneCue(`${'<v a>'.repeat(MANY)}x`)],
    ['classes in each other', () => inOneCue(`${'<c>'.repeat(MANY)}x`)],
    ['a voice that goes on behind every empty line', () => inOneCue(`<v x>a\n\n${'</v><v\n\n'.repeat(MANY)}`)],
    ['voices by turns', () => inOneCue('<v a>x</v><v b>y</v>'.repeat(MANY / 2))],
    ['a voice with two hundred thousand classes', () => inOneCue(`<v${'.a'.repeat(MANY)} Bob>x`)],
    ['a name without an end', () => inOneCue(`<v ${'a'.repeat(MANY * 5)}`)],
    ['nothing but <', () => inOneCue('<'.repeat(MANY * 5))],
    ['languages without an end', () => inOneCue('<lang '.repeat(MANY))],
    ['nothing but entities', () => inOneCue('&#60;'.repeat(MANY))],
    ['entities of entities', () => inOneCue('&amp;lt;'.repeat(MANY))],
    ['nothing but times', () => inOneCue('<00:00:00.000>'.repeat(MANY))],
    ['a word of a mebibyte', () => inOneCue('w'.repeat(1_048_576))],
    ['a time of a mebibyte', () => `WEBVTT\n\n${'1'.repeat(1_048_576)} --> `],
    ['a time of colons', () => `WEBVTT\n\n${'1:'.repeat(500_000)} --> ${'1'.repeat(500_000)}`],
    ['spaces before an arrow', () => `WEBVTT\n\n${' '.repeat(1_048_576)}-->`],
    ['settings without an end', () => `WEBVTT\n\n00:00:00.000 --> 00:00:05.000 ${'line:1 '.repeat(MANY)}\nx`],
    ['cues without a word', () => `WEBVTT\n\n${TIMES.repeat(50_000)}`],
    [
      'a speaker for each cue',
      () => `WEBVTT\n\n${Array.from({ length: 30_000 }, (_, n) => `${TIMES}<v a${n}>x</v>\n\n`).join('')}`,
    ],
    ['nothing that can be read', () => `WEBVTT\n\n${'junk\n\n'.repeat(MANY)}`],
    ['a header without an end', () => `WEBVTT${' x'.repeat(MANY * 5)}`],
    ['comments', () => `WEBVTT\n\n${'NOTE\n\n'.repeat(MANY)}`],
    ['line ends of one kind after another', () => `WEBVTT${'\r\n\r\r\n\n'.repeat(MANY)}`],
  ];
  for (const [what, make] of TEXTS)
    bombs(`is read to its end, and becomes no larger than it has to: ${what}`, () => {
      const bytes = new TextEncoder().encode(make());
      const { facts, passages } = deriveFrom(bytes);
      expect(facts.cueCount).toBeLessThanOrEqual(bytes.length / 10);
      expect(JSON.stringify({ facts, passages }).length).toBeLessThan(bytes.length * 8 + 1_000);
      expect(servedVtt(bytes).length).toBeLessThan(bytes.length * 8 + 1_000);
    });
});
