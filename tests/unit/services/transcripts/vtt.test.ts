import { describe, expect, it } from 'vitest';
import { durationOf, paragraphsOf, parseVtt as parse, speakersOf } from '../../../../src/services/transcripts/vtt.ts';

const parseVtt = (text: string) => parse(text).cues;

const cue = (body: string, header = 'WEBVTT\n\n') => `${header}00:00:01.000 --> 00:00:03.500\n${body}\n`;

describe('the cues of a transcript', () => {
  it('have speaker, times and text', () => {
    expect(parseVtt(cue('<v Adele Vance>Good morning.</v>'))).toEqual([
      { index: 0, startSeconds: 1, endSeconds: 3.5, speaker: 'Adele Vance', text: 'Good morning.' },
    ]);
  });

  it('are read in the form without speakers, which lacks the first line', () => {
    expect(parseVtt(cue('Good morning.', ''))).toEqual([
      { index: 0, startSeconds: 1, endSeconds: 3.5, speaker: null, text: 'Good morning.' },
    ]);
  });

  it.each([
    ['a missing closing tag', '<v Adele>Good morning.', 'Adele', 'Good morning.'],
    ['a class on the voice', '<v.loud Adele>Good morning.</v>', 'Adele', 'Good morning.'],
    ['other mark-up', '<v Adele><b>Good</b> <i>morning</i>.</v>', 'Adele', 'Good morning.'],
    ['entities', '<v Adele>R&amp;D &lt;x&gt;</v>', 'Adele', 'R&D <x>'],
    ['several lines', '<v Adele>Good\nmorning.</v>', 'Adele', 'Good\nmorning.'],
    ['an empty voice', '<v>Good morning.</v>', null, 'Good morning.'],
    ['a name beyond ASCII', '<v José Ñandú>¡Buenos días!</v>', 'José Ñandú', '¡Buenos días!'],
  ])('are read with %s', (_, body, speaker, text) => {
    expect(parseVtt(cue(body))).toMatchObject([{ speaker, text }]);
  });

  it.each([
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['a byte order mark', (text: string) => `\uFEFF${text}`],
    ['both', (text: string) => `\uFEFF${text.replaceAll('\n', '\r\n')}`],
  ])('are the same with %s', (_, change) => {
    const text = `${cue('<v Adele>One.</v>')}\ncue-2\n00:01:00.000 --> 01:00:00.000 align:start\n<v Bob>Two.</v>\n`;
    const plain = parseVtt(text);
    expect(plain.map(({ speaker, startSeconds, endSeconds }) => [speaker, startSeconds, endSeconds])).toEqual([
      ['Adele', 1, 3.5],
      ['Bob', 60, 3600],
    ]);
    expect(parseVtt(change(text))).toEqual(plain);
  });

  it.each([
    '',
    'WEBVTT',
    'WEBVTT\n\n',
    '\uFEFFWEBVTT\r\n\r\n',
    'WEBVTT\n\nNOTE nothing was said\n',
    'no transcript at all',
  ])('are none in %j', (text) => {
    const cues = parseVtt(text);
    expect(cues).toEqual([]);
    expect([speakersOf(cues), paragraphsOf(cues), durationOf(cues)]).toEqual([[], '', null]);
  });
});

describe('what is told of a transcript', () => {
  const text =
    'WEBVTT\n\n' +
    [
      ['00:00:00.000', '00:00:02.000', '<v Bob>Hello</v>'],
      ['00:00:02.000', '00:00:02.100', '<v Bob>there,\neverybody.</v>'],
      ['00:00:03.000', '00:00:03.200', '<v Adele>Hi.</v>'],
      ['00:00:01.000', '00:00:09.000', '<v Bob>Well.</v>'],
      ['00:00:05.000', '00:00:06.000', 'Noise'],
    ]
      .map(([from, to, said]) => `${from} --> ${to}\n${said}\n`)
      .join('\n');

  it('is who spoke for how long', () => {
    expect(speakersOf(parseVtt(text))).toEqual([
      { name: 'Bob', talkSeconds: 10.1, cueCount: 3 },
      { name: 'Adele', talkSeconds: 0.2, cueCount: 1 },
    ]);
  });

  it('is its text, a paragraph for each turn', () => {
    expect(paragraphsOf(parseVtt(text))).toBe('Bob: Hello there, everybody.\n\nAdele: Hi.\n\nBob: Well.\n\nNoise');
  });

  it('is how long it runs: to the latest end, which need not be the last cue’s', () => {
    expect(durationOf(parseVtt(text))).toBe(9);
  });

  it('never counts a cue that ends before it starts as less than nothing', () => {
    expect(speakersOf([{ index: 0, startSeconds: 5, endSeconds: 1, speaker: 'Bob', text: '' }])).toEqual([
      { name: 'Bob', talkSeconds: 0, cueCount: 1 },
    ]);
  });
});
