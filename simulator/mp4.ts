import type { Frame } from './h264.ts';
import { idrPicture, pictureParameterSet, sequenceParameterSet } from './h264.ts';

export interface VideoOptions {
  seconds: number;
  framesPerSecond: number;
  /** Gives different parts of a call different pictures. */
  shade: number;
}

const WIDTH_IN_MACROBLOCKS = 10;
const HEIGHT_IN_MACROBLOCKS = 6;
const WIDTH = WIDTH_IN_MACROBLOCKS * 16;
const HEIGHT = HEIGHT_IN_MACROBLOCKS * 16;
const TIMESCALE = 1000;
const IDENTITY_MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/**
 * A real, small mp4: one H.264 track without sound, a bar that grows with time, `moov` before `mdat` so that it plays
 * while it loads. Source: ISO/IEC 14496-12 (boxes) and 14496-15 (avc1, avcC).
 */
export function createMp4(options: VideoOptions): Buffer {
  const count = Math.max(1, Math.round(options.seconds * options.framesPerSecond));
  const samples = Array.from({ length: count }, (_, index) => {
    const picture = idrPicture(
      frameOf(index, count, options.shade),
      WIDTH_IN_MACROBLOCKS,
      HEIGHT_IN_MACROBLOCKS,
      index,
    );
    return Buffer.concat([u32(picture.length), picture]);
  });
  const sampleDuration = Math.round(TIMESCALE / options.framesPerSecond);
  const ftyp = box('ftyp', ascii('isom'), u32(0x200), ascii('isom'), ascii('iso2'), ascii('avc1'), ascii('mp41'));
  // The offset's value does not change the size of moov, so a first pass tells where the samples will begin.
  const dataOffset = ftyp.length + moov(samples, sampleDuration, 0).length + 8;
  return Buffer.concat([ftyp, moov(samples, sampleDuration, dataOffset), box('mdat', ...samples)]);
}

function frameOf(index: number, count: number, shade: number): Frame {
  const filled = ((index + 1) / count) * WIDTH;
  const ground = 60 + ((shade * 40) % 120);
  return {
    luma: (x, y) => (y > HEIGHT * 0.7 && y < HEIGHT * 0.85 && x < filled ? 220 : ground),
    cb: 100 + ((shade * 25) % 100),
    cr: 140 - ((shade * 15) % 60),
  };
}

function moov(samples: Buffer[], sampleDuration: number, dataOffset: number): Buffer {
  const duration = samples.length * sampleDuration;
  const mvhd = fullBox(
    'mvhd',
    0,
    [0, 0, TIMESCALE, duration, 0x10000].map(u32),
    [u16(0x100), u16(0), u32(0), u32(0)],
    IDENTITY_MATRIX.map(u32),
    [0, 0, 0, 0, 0, 0, 2].map(u32),
  );
  const tkhd = fullBox(
    'tkhd',
    3,
    [0, 0, 1, 0, duration, 0, 0].map(u32),
    [0, 0, 0, 0].map(u16),
    IDENTITY_MATRIX.map(u32),
    [u32(WIDTH << 16), u32(HEIGHT << 16)],
  );
  const mdhd = fullBox('mdhd', 0, [0, 0, TIMESCALE, duration].map(u32), [u16(0x55c4), u16(0)]);
  const hdlr = fullBox('hdlr', 0, [u32(0), ascii('vide'), u32(0), u32(0), u32(0), ascii('Meeting\0')]);
  const minf = box(
    'minf',
    fullBox('vmhd', 1, [0, 0, 0, 0].map(u16)),
    box('dinf', fullBox('dref', 0, [u32(1), fullBox('url ', 1)])),
    sampleTable(samples, sampleDuration, dataOffset),
  );
  return box('moov', mvhd, box('trak', tkhd, box('mdia', mdhd, hdlr, minf)));
}

function sampleTable(samples: Buffer[], sampleDuration: number, dataOffset: number): Buffer {
  return box(
    'stbl',
    fullBox('stsd', 0, [u32(1), visualSampleEntry()]),
    fullBox('stts', 0, [1, samples.length, sampleDuration].map(u32)),
    fullBox('stsc', 0, [1, 1, samples.length, 1].map(u32)),
    fullBox('stsz', 0, [0, samples.length, ...samples.map((sample) => sample.length)].map(u32)),
    fullBox('stco', 0, [1, dataOffset].map(u32)),
  );
}

function visualSampleEntry(): Buffer {
  const sps = Buffer.from(sequenceParameterSet(WIDTH_IN_MACROBLOCKS, HEIGHT_IN_MACROBLOCKS));
  const pps = Buffer.from(pictureParameterSet());
  const avcC = box(
    'avcC',
    Buffer.from([1, sps[1] ?? 0, sps[2] ?? 0, sps[3] ?? 0, 0xff, 0xe1]),
    u16(sps.length),
    sps,
    Buffer.from([1]),
    u16(pps.length),
    pps,
  );
  return box(
    'avc1',
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]),
    Buffer.alloc(16),
    u16(WIDTH),
    u16(HEIGHT),
    u32(0x480000),
    u32(0x480000),
    u32(0),
    u16(1),
    Buffer.alloc(32),
    u16(24),
    u16(0xffff),
    avcC,
  );
}

function box(type: string, ...contents: Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([u32(body.length + 8), ascii(type), body]);
}

function fullBox(type: string, flags: number, ...contents: Buffer[][]): Buffer {
  return box(type, u32(flags), ...contents.flat());
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
