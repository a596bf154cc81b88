import { parseText } from 'media-captions';
import { describe, expect, it } from 'vitest';
import { servedVtt } from '../../../../src/services/transcripts/open-transcript.ts';
import { cuesOf, passagesOf } from '../../../../src/services/transcripts/passages.ts';
import { parseVtt } from '../../../../src/services/transcripts/vtt.ts';
import { decodeTranscript, readDocument } from '../../../../src/services/transcripts/vtt-document.ts';
import { generateTranscript } from '../../../support/vtt-corpus.ts';

const CORPUS = Array.from({ length: 2_000 }, (_, seed) => ({ seed, ...generateTranscript(seed) }));
const parse = (bytes: Uint8Array) => parseVtt(decodeTranscript(bytes));

describe('in a corpus of 2,000 transcripts', () => {
  it('the text that goes in comes out, and so do its speakers', () => {
    for (const { seed, bytes, cues } of CORPUS) {
      const parsed = parse(bytes);
      expect(parsed.unparsedLines, `seed ${seed}`).toEqual([]);
      expect(
        parsed.cues.map(({ speaker, text }) => ({ speaker, text })),
        `seed ${seed}`,
      ).toEqual(cues.map(({ speaker, text }) => ({ speaker, text })));
    }
  });

  it('times are those that were written; of a cue with several speakers the parts add up, in their order', () => {
    for (const { seed, bytes, cues, hasExactTimes } of CORPUS) {
      const parsed = parse(bytes).cues;
      const total = (of: { start: number; end: number }[]) => of.reduce((sum, { start, end }) => sum + end - start, 0);
      const read = parsed.map(({ startSeconds, endSeconds }) => ({ start: startSeconds, end: endSeconds }));
      if (hasExactTimes) expect(read, `seed ${seed}`).toEqual(cues.map(({ start, end }) => ({ start, end })));
      const written = [...new Map(cues.map((cue) => [cue.start, cue])).values()];
      expect(total(read)).toBeCloseTo(total(written), 6);
      for (const [i, { start, end }] of read.entries()) {
        expect(end).toBeGreaterThanOrEqual(start);
        if (i > 0 && hasExactTimes) expect(start).toBeGreaterThanOrEqual(read[i - 1]?.start ?? 0);
      }
    }
  });

  it('what is served is what a strict parser takes, cue for cue, and says the same', async () => {
    for (const { seed, bytes } of CORPUS) {
      const served = servedVtt(bytes);
      const text = decodeTranscript(served);
      expect(readDocument(text).isStandard, `seed ${seed}`).toBe(true);
      // The library takes hours of two digits only; WebVTT takes more.
      if (!/^\d{3,}:/m.test(text)) {
        const { cues, errors } = await parseText(text, { type: 'vtt', strict: true });
        expect(errors, `seed ${seed}`).toEqual([]);
        expect(cues.length, `seed ${seed}`).toBe(readDocument(decodeTranscript(bytes)).cues.length);
      }
      const said = (of: Uint8Array) => parse(of).cues.map(({ speaker, text }) => [speaker, text]);
      expect(said(served), `seed ${seed}`).toEqual(said(bytes));
    }
  });

  it('passages hold every cue once, in order', () => {
    for (const { bytes } of CORPUS) {
      const { cues } = parse(bytes);
      expect(passagesOf(cues).flatMap(cuesOf)).toEqual(cues);
    }
  });
});

describe('a meeting of eight hours', () => {
  it('is read fast enough for a request', () => {
    const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 23);
    const cues = Array.from(
      { length: 10_000 },
      (_, i) =>
        `${time(i * 2.88)} --> ${time(i * 2.88 + 2.5)}\n<v Speaker ${i % 7}>This is what was said at number ${i}, &amp; a little more of it.</v>\n`,
    );
    const vtt = `WEBVTT\n\n${cues.join('\n')}`;
    const began = process.cpuUsage();
    const parsed = parseVtt(vtt);
    const { user, system } = process.cpuUsage(began);
    expect(parsed.cues).toHaveLength(10_000);
    expect(parsed.cues.at(-1)?.endSeconds).toBeCloseTo(28_799.62, 2);
    // Processor time: what the clock says depends on who else works. It takes 0.1 to 0.4 s.
    expect((user + system) / 1000).toBeLessThan(2_000);
  });
});
