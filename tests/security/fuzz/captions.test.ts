import fc from 'fast-check';
import { expect, it } from 'vitest';
import { servedVtt } from '../../../src/services/transcripts/open-transcript.ts';
import { deriveFrom } from '../../../src/services/transcripts/store-transcript.ts';
import { fuzz, text, withBoundedMemory } from './runs.ts';

const PIECES = [
  ...[
    'WEBVTT',
    '\n',
    '\n\n',
    '\r',
    '\r\n',
    '\0',
    '\ufeff',
    '00:00:01.000 --> 00:00:02.000',
    '-00:00:01.000 --> 99:59:59.999',
    '1.02:00:00 --> 1',
  ],
  ...[
    '<v Ann>',
    '<v',
    '</v>',
    '<v.loud Bob>',
    '<c>',
    '</c>',
    '<lang en>',
    '<00:00:01.000>',
    '<',
    '>',
    '&lt;',
    '&#60;',
    '&#x110000;',
    '&amp;',
    '&',
  ],
  ...['NOTE', 'STYLE', 'REGION', '-->', ' --> ', 'align:start', '::cue {', 'hello', '1', ':', '.'],
];

it('whatever bytes a transcript is of, it is read and served', { timeout: 600_000 }, () =>
  withBoundedMemory(async () => {
    const written = fc
      .array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...PIECES) }, text), { maxLength: 60 })
      .map((pieces) => new TextEncoder().encode(pieces.join('')));
    await fuzz(
      'captions',
      fc.property(fc.oneof({ weight: 5, arbitrary: written }, fc.uint8Array({ maxLength: 400 })), (bytes) => {
        const { facts, passages } = deriveFrom(bytes);
        expect(JSON.stringify({ facts, passages }).length).toBeLessThan(bytes.length * 20 + 1_000);
        const served = servedVtt(bytes);
        expect(served.length).toBeLessThan(bytes.length * 20 + 1_000);
        expect(Buffer.from(served.subarray(0, 10)).toString()).toMatch(/^\ufeff?WEBVTT/);
      }),
    );
  }),
);
