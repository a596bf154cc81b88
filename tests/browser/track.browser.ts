import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { servedVtt } from '../../src/services/transcripts/open-transcript.ts';
import { generateTranscript } from '../support/vtt-corpus.ts';
import { startChromium } from './chromium.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser?.close());

/** In no order: of cues that begin before the recording does, a browser shows the longest first. */
const words = (text: string) => text.split(/\s+/).filter(Boolean).toSorted().join(' ');

it('Chromium’s own <track> shows every word of the 2,000 transcripts of the corpus, as they are served', async () => {
  const corpus = Array.from({ length: 2_000 }, (_, seed) => generateTranscript(seed));
  const page = await browser.newPage();
  for (let from = 0; from < corpus.length; from += 200) {
    const part = corpus.slice(from, from + 200);
    const files = part.map(({ bytes }) => Buffer.from(servedVtt(bytes)).toString('base64'));
    const shown = await page.evaluate(async (encoded) => {
      const video = document.createElement('video');
      document.body.replaceChildren(video);
      const read = async (file: string) => {
        const track = document.createElement('track');
        const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
        track.src = URL.createObjectURL(new Blob([bytes], { type: 'text/vtt' }));
        const loaded = new Promise<void>((resolve, reject) => {
          track.addEventListener('load', () => resolve(), { once: true });
          track.addEventListener('error', () => reject(new Error('The browser refused the file.')), { once: true });
        });
        video.append(track);
        track.track.mode = 'hidden';
        await loaded;
        const cues = Array.from(track.track.cues ?? []);
        const texts = cues.map((cue) => {
          const shown = cue instanceof VTTCue ? cue.getCueAsHTML() : document.createDocumentFragment();
          // Between the voices of one cue stands no space.
          for (const voice of shown.querySelectorAll('span')) voice.prepend(' ');
          return shown.textContent;
        });
        track.remove();
        URL.revokeObjectURL(track.src);
        return texts.join(' ');
      };
      const all: string[] = [];
      for (const file of encoded) all.push(await read(file));
      return all;
    }, files);
    for (const [place, { cues }] of part.entries()) {
      const said = words(cues.map(({ text }) => text).join(' '));
      expect(words(shown[place] ?? ''), `seed ${from + place}`).toBe(said);
    }
  }
});
