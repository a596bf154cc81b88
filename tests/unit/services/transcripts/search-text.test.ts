import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excerptOf, HIT_BEGINS, HIT_ENDS } from '../../../../src/services/transcripts/excerpt.ts';
import {
  configurationOf,
  TRANSCRIPT_LANGUAGES,
  transcriptLanguageOf,
} from '../../../../src/services/transcripts/languages.ts';
import { shownText } from '../../../../src/services/transcripts/passages.ts';
import { recordingOf } from '../../../../src/services/transcripts/recording-of.ts';
import { fold, foldWithOrigins } from '../../../../src/services/transcripts/search-text.ts';
import type { Cue } from '../../../../src/services/transcripts/vtt.ts';

describe('folded text', () => {
  it.each([
    ['José ÑANDÚ crème', 'jose nandu creme'],
    ['Straße ẞ Ærø Łódź İstanbul ıssız', 'strasse ss aero lodz istanbul issiz'],
    ['e\u0301 \u00e9', 'e e'],
    ['ΆΝΘΡΩΠΟΣ Ёж', 'ανθρωποσ еж'],
    ['שָׁלוֹם مَرْحَبًا', 'שלום مرحبا'],
    ['नमस्ते', 'नमस्ते'],
    ['한국어', '한국어'],
    ['会议', ' 会  议 '],
    ['“a” ‘b’ c’s', "\"a\" 'b' c's"],
    ['<b>x</b> a/b a&b', ' b x  b  a b a b'],
    ['ﬁne ①', 'fine 1'],
  ])('of %j is %j', (text, expected) => {
    expect(fold(text)).toBe(expected);
  });

  it('has no control character, and comes unit by unit from where it is said to come', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' })), (text) => {
        const { folded, origins } = foldWithOrigins(text);
        expect(folded).toBe(fold(text));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is the promise.
        expect(folded).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
        expect(origins).toHaveLength(folded.length);
        expect(origins.every((at, i) => at < text.length && at >= (origins[i - 1] ?? 0))).toBe(true);
      }),
    );
  });
});

describe('an excerpt', () => {
  const cuesOf = (...texts: string[]): Cue[] =>
    texts.map((text, index) => ({ index, startSeconds: index, endSeconds: index + 1, speaker: null, text }));
  /** Marks as Postgres does. */
  const mark = (cues: Cue[], ...words: string[]) =>
    cues
      .map(({ text }) => fold(shownText(text)))
      .join('\n')
      .replace(/[\p{L}\p{N}]+/gu, (word) => (words.includes(word) ? `${HIT_BEGINS}${word}${HIT_ENDS}` : word));

  it('is of the neighbouring cues that hold most of the words', () => {
    const cues = cuesOf('one', 'nothing', 'two', 'three and one', 'nothing');
    expect(excerptOf(cues, mark(cues, 'one', 'two', 'three'))).toEqual({
      cue: cues[3],
      excerpt: '**two**\n**three** and **one**',
    });
  });

  it('is of the first cue when no hit is known, or the marks are of another text', () => {
    const cues = cuesOf('one', 'two');
    expect(excerptOf(cues, 'one\ntwo')).toEqual({ cue: cues[0], excerpt: 'one' });
    expect(excerptOf(cues, `other ${HIT_BEGINS}two${HIT_ENDS}`)).toEqual({ cue: cues[0], excerpt: 'one' });
  });

  it('keeps the accents of a decomposed letter with it', () => {
    const cues = cuesOf('cafe\u0301 bar');
    expect(excerptOf(cues, mark(cues, 'cafe')).excerpt).toBe('**caf\u00e9** bar');
  });

  it('of a long cue is cut around its first hit, at words', () => {
    const words = Array.from({ length: 400 }, (_, i) => `word${i}`);
    const cues = cuesOf(words.join(' '));
    const { excerpt } = excerptOf(cues, mark(cues, 'word200'));
    expect(excerpt).toMatch(/^…word\d+ .*\*\*word200\*\*.* word\d+…$/);
    expect(excerpt.length).toBeLessThan(330);
    expect(excerptOf(cues, mark(cues, 'word0')).excerpt).toMatch(/^\*\*word0\*\* .*…$/);
    expect(excerptOf(cues, mark(cues, 'word399')).excerpt).toMatch(/^….* \*\*word399\*\*$/);
  });

  it('without its marks is always a part of what was said', () => {
    const word = fc.constantFrom('one', 'two', 'é', 'ß', '*', '**', '🎉', '会', 'x'.repeat(200), 'a\u0301');
    fc.assert(
      fc.property(fc.array(fc.array(word, { maxLength: 30 }), { minLength: 1, maxLength: 8 }), (lines) => {
        const cues = cuesOf(...lines.map((line) => line.join(' ')));
        const { excerpt } = excerptOf(cues, mark(cues, 'one', 'e', 'ss'));
        const all = cues.map(({ text }) => shownText(text).replaceAll('*', '\u2217')).join('\n');
        for (const line of excerpt.split('\n')) expect(all).toContain(line.replaceAll('**', '').replace(/^…|…$/g, ''));
      }),
    );
  });
});

describe('the language of a tag', () => {
  it.each([
    ['de', 'german'],
    ['pt-BR', 'portuguese'],
    [' EN_us ', 'english'],
  ])('%j is searched as %s', (tag, configuration) => {
    expect(configurationOf(transcriptLanguageOf(tag))).toBe(configuration);
  });

  it.each([null, undefined, '', 'xx', 'constructor'])('is none for %j: words as they are written', (language) => {
    expect(configurationOf(language)).toBe('simple');
  });

  it('is told for all that there are', () => {
    expect(TRANSCRIPT_LANGUAGES.length).toBeGreaterThan(25);
  });
});

describe('the recording of a transcript', () => {
  const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 10, minutes));
  const call = (callId: string | null, contentCorrelationId: string | null, from: number, to: number | null) => ({
    callId,
    contentCorrelationId,
    createdAt: at(from),
    endedAt: to === null ? null : at(to),
  });
  const transcript = call('call-1', 'corr-1', 0, 30);

  it.each([
    [
      'the one that Microsoft correlates, whenever it ran',
      [call('call-1', 'x', 0, 30), call('call-2', 'corr-1', 90, 99)],
      1,
    ],
    ['of the same call the one with most time in common', [call('call-1', 'x', 0, 5), call('call-1', null, 5, 40)], 1],
    ['one of the same call that has no end yet', [call('call-1', null, 10, null)], 0],
    ['none of the same call at another time', [call('call-1', null, 40, 50)], null],
    ['none of another call', [call('call-2', null, 0, 30), call(null, null, 0, 30)], null],
  ])('is %s', (_what, recordings, index) => {
    expect(recordingOf(transcript, recordings)).toBe(index === null ? null : recordings[index]);
  });

  it('is none where Microsoft names neither call nor correlation', () => {
    expect(recordingOf(call(null, null, 0, 30), [call(null, null, 0, 30)])).toBeNull();
  });
});
