import { describe, expect, it } from 'vitest';
import { servedVtt } from '../../../../src/services/transcripts/open-transcript.ts';
import { parseVtt } from '../../../../src/services/transcripts/vtt.ts';
import { decodeTranscript } from '../../../../src/services/transcripts/vtt-document.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const said = (text: string) => parseVtt(text).cues.map(({ speaker, text }) => [speaker, text]);
const times = (text: string) => parseVtt(text).cues.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]);
const served = (text: string) => decodeTranscript(servedVtt(bytesOf(text)));
const one = (timing: string, payload = '<v Ann>Hi</v>') => `WEBVTT\n\n${timing}\n${payload}\n`;

describe('times', () => {
  it.each([
    ['a negative start', '-00:00:01.500 --> 00:00:02.000', [-1.5, 2]],
    ['a negative cue', '-00:00:03.000 --> -00:00:01.000', [-3, -1]],
    ['no hours', '01:02.003 --> 01:04.000', [62.003, 64]],
    ['many hours', '10:00:00.000 --> 100:00:00.000', [36_000, 360_000]],
    ['days, as .NET writes them', '1.02:00:00.000 --> 1.02:00:01.5000000', [93_600, 93_601.5]],
    ['seven digits', '00:00:01.1234567 --> 00:00:02.0000000', [1.123, 2]],
    ['no fraction', '00:00:01 --> 00:00:02', [1, 2]],
    ['commas, as SubRip has them', '00:00:01,250 --> 00:00:02,000', [1.25, 2]],
    ['no spaces', '00:00:01.000-->00:00:02.000', [1, 2]],
    ['settings', '00:00:01.000 --> 00:00:02.000 align:start line:0', [1, 2]],
    ['an end before the start', '00:00:05.000 --> 00:00:02.000', [5, 5]],
    ['no length', '00:00:05.000 --> 00:00:05.000', [5, 5]],
  ])('are read with %s', (_what, timing, expected) => {
    expect(times(one(timing))).toEqual([expected]);
  });

  it.each(['00:61:00.000 --> 00:62:00.000', '00:00:61.000 --> 00:01:62.000', 'ten --> eleven', '00:00:01.000 -->'])(
    'that are none make %j something that could not be read, not a cue and not nothing',
    (timing) => {
      expect(parseVtt(`WEBVTT\n\n${timing}\n<v Ann>Hi</v>\n\n00:00:09.000 --> 00:00:10.000\nBye\n`)).toMatchObject({
        cues: [{ index: 0, text: 'Bye' }],
        unparsedLines: [3],
      });
    },
  );
});

describe('speakers', () => {
  it.each([
    ['</v> is missing', '<v Ann>Hi', [['Ann', 'Hi']]],
    ['a class stands before the name', '<v.loud.first Ann Lee>Hi</v>', [['Ann Lee', 'Hi']]],
    ['the name has an entity', '<v R&amp;D>Hi</v>', [['R&D', 'Hi']]],
    ['the name has a numeric entity', '<v O&#8217;Brien>Hi</v>', [['O’Brien', 'Hi']]],
    ['the name is beyond ASCII', '<v 山田 太郎>Hi</v>', [['山田 太郎', 'Hi']]],
    ['the name spans lines', '<v Ann\nLee>Hi</v>', [['Ann Lee', 'Hi']]],
    ['nobody has a name', '<v>Hi</v>', [[null, 'Hi']]],
    ['somebody says nothing', '<v Ann></v>', [['Ann', '']]],
    [
      'two speak',
      '<v Ann>Hi</v> <v Bob>Yo</v>',
      [
        ['Ann', 'Hi'],
        ['Bob', 'Yo'],
      ],
    ],
    [
      'two speak and </v> is missing',
      '<v Ann>Hi\n<v Bob>Yo</v>',
      [
        ['Ann', 'Hi'],
        ['Bob', 'Yo'],
      ],
    ],
    [
      'one speaks twice',
      '<v Ann>Hi</v> <v Ann>there</v>',
      [
        ['Ann', 'Hi'],
        ['Ann', 'there'],
      ],
    ],
    [
      'somebody without a name speaks too',
      '<v Ann>Hi</v> and noise',
      [
        ['Ann', 'Hi'],
        [null, 'and noise'],
      ],
    ],
    ['other tags end what they did not begin', '<v Ann>Hi</b> there</i></v>', [['Ann', 'Hi there']]],
    [
      '</v> comes too often',
      '<v Ann>Hi</v></v></v><v Bob>Yo</v>',
      [
        ['Ann', 'Hi'],
        ['Bob', 'Yo'],
      ],
    ],
  ])('are told when %s', (_what, payload, expected) => {
    expect(said(one('00:00:01.000 --> 00:00:02.000', payload))).toEqual(expected);
  });

  it('of one cue share its time by how much they say', () => {
    const cues = '00:00:10.000 --> 00:00:20.000\n<v Ann>12345678</v><v Bob>12</v>';
    expect(times(`WEBVTT\n\n${cues}\n`)).toEqual([
      [10, 18],
      [18, 20],
    ]);
  });
});

describe('text', () => {
  it.each([
    ['a sign that is no tag', 'a < b, c<d and <3', 'a < b, c<d and <3'],
    ['a tag that WebVTT does not know', '<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['a tag that is never closed', 'one <v Ann and more', 'one <v Ann and more'],
    ['times within the cue', 'one <00:00:01.500>two', 'one two'],
    ['other mark-up', '<c.red>one</c> <b>two</b> <lang en>three</lang>', 'one two three'],
    ['entities', '&lt;b&gt; &amp;amp; &quot;x&quot; &apos;y&apos; &#x1F389; &#65;', '<b> &amp; "x" \'y\' 🎉 A'],
    ['an entity that is no character', '&#xD800;&#0;', '\uFFFD\uFFFD'],
    ['an entity that nobody knows', '&nothing; & co', '&nothing; & co'],
    ['an arrow', 'A --> B', 'A --> B'],
    ['something that looks like a setting', 'align: it with the plan', 'align: it with the plan'],
    ['something that looks like a comment', 'NOTE this', 'NOTE this'],
  ])('is kept with %s', (_what, payload, expected) => {
    const file = one('00:00:01.000 --> 00:00:02.000', payload);
    expect(said(file).map(([, text]) => text)).toEqual([expected]);
    expect(said(served(file)).map(([, text]) => text)).toEqual([expected]);
  });

  it('goes on behind an empty line while a voice is open', () => {
    const file = one('00:00:01.000 --> 00:00:02.000', '<v Ann>Hi\n\nthere</v>');
    expect(parseVtt(file)).toMatchObject({ cues: [{ speaker: 'Ann', text: 'Hi\nthere' }], unparsedLines: [] });
    expect(said(served(file))).toEqual([['Ann', 'Hi\nthere']]);
  });

  it('without a time is counted, with its line, and stands in the served file as a comment', () => {
    const file = `${one('00:00:01.000 --> 00:00:02.000')}\nlost words\nand more\n`;
    expect(parseVtt(file)).toMatchObject({ cues: [{ text: 'Hi' }], unparsedLines: [6] });
    expect(served(file)).toContain('NOTE This could not be read:\nlost words\nand more\n');
  });
});

describe('files', () => {
  const TWO = '00:00:01.000 --> 00:00:02.000\nOne\n\n00:00:03.000 --> 00:00:04.000\nTwo\n';
  it.each([
    ['the first line', TWO],
    ['empty lines', 'WEBVTT\n00:00:01.000 --> 00:00:02.000\nOne\n00:00:03.000 --> 00:00:04.000\nTwo'],
    ['line ends but carriage returns', `WEBVTT\r\r${TWO.replaceAll('\n', '\r')}`],
    ['a byte that is no character', `\uFEFFWEBVTT\n\nNOTE \0\n\n${TWO}`],
    ['anything before the first time', `Microsoft\n${TWO}`.replace('Microsoft', '1')],
  ])('are read without %s', (_what, file) => {
    expect(said(file)).toEqual([
      [null, 'One'],
      [null, 'Two'],
    ]);
    expect(served(file)).toMatch(/^(\uFEFF)?WEBVTT/);
    expect(said(served(file))).toEqual(said(file));
  });

  it.each([
    ['WEBVTT\n\nNOTE a\n\nSTYLE\n::cue {}\n\nREGION\nid:a\n', []],
    ['WEBVTT\n\nNOTE\n00:00:01.000 --> 00:00:02.000\nsaid\n', [[null, 'said']]],
  ])('have comments that say nothing, unless there is a time in them: %j', (file, expected) => {
    expect(said(file)).toEqual(expected);
    expect(parseVtt(file).unparsedLines).toEqual([]);
  });

  it('may be broken UTF-8: what can be read is', () => {
    const bytes = Buffer.concat([
      bytesOf('WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Ann>Caf'),
      Buffer.from([0xe9, 0xff, 0x00]),
      bytesOf(' now</v>\n'),
    ]);
    expect(said(decodeTranscript(bytes))).toEqual([['Ann', 'Caf\uFFFD\uFFFD\uFFFD now']]);
    expect(said(decodeTranscript(servedVtt(bytes)))).toEqual([['Ann', 'Caf\uFFFD\uFFFD\uFFFD now']]);
  });

  it.each(['utf16le', 'swapped'])('may be UTF-16 (%s), and are served as UTF-8', (kind) => {
    const little = Buffer.from(`\uFEFF${one('00:00:01.000 --> 00:00:02.000', '<v Zoë>Größe</v>')}`, 'utf16le');
    const bytes = kind === 'swapped' ? Buffer.from(little).swap16() : little;
    expect(said(decodeTranscript(bytes))).toEqual([['Zoë', 'Größe']]);
    expect(Buffer.from(servedVtt(bytes)).toString('utf8')).toContain('<v Zoë>Größe</v>');
  });

  it('that are sound are served byte for byte', () => {
    const bytes = bytesOf(
      '\uFEFFWEBVTT - Teams\r\n\r\nid-1\r\n00:00:01.000 --> 00:00:02.000 align:start\r\n<v Ann>A &amp; B\r\n\r\n',
    );
    expect(servedVtt(bytes)).toBe(bytes);
  });

  it('whose speech began before the transcription are served from zero on, in full', () => {
    const file = one('-00:00:03.000 --> -00:00:01.000').replace(
      '</v>\n',
      '</v>\n\n-00:00:01.000 --> 00:00:01.000\nTwo\n',
    );
    expect(times(file)).toEqual([
      [-3, -1],
      [-1, 1],
    ]);
    expect(served(file)).toBe(
      'WEBVTT\n\n00:00:00.000 --> 00:00:00.001\n<v Ann>Hi</v>\n\n00:00:00.000 --> 00:00:01.000\nTwo\n',
    );
  });
});

describe('attacks', () => {
  it.each([
    ['a hundred thousand voices, each in the other', '<v A>'.repeat(100_000)],
    ['a hundred thousand signs that begin nothing', '<'.repeat(100_000)],
    ['a hundred thousand tags that never end', '<v '.repeat(100_000)],
    ['a hundred thousand ends', '</v>'.repeat(100_000)],
    ['entities without end', '&#'.repeat(100_000)],
    ['spaces without end', `00:00:01.000 --> 00:00:02.000${' '.repeat(100_000)}x`],
    ['digits without end', `${'1'.repeat(100_000)} --> 2`],
    ['arrows without end', '-->'.repeat(100_000)],
  ])('with %s are read in no time', (_what, payload) => {
    const began = process.cpuUsage();
    const file = one('00:00:01.000 --> 00:00:02.000', payload);
    parseVtt(file);
    servedVtt(bytesOf(file));
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000).toBeLessThan(3_000);
  });
});
