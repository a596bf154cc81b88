import { describe, expect, it } from 'vitest';
import { createMp4 } from '../../../simulator/mp4.ts';

interface Box {
  type: string;
  start: number;
  size: number;
  body: Buffer;
}

function boxes(bytes: Buffer, offset = 0): Box[] {
  const found: Box[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    found.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      start: offset + at,
      size,
      body: bytes.subarray(at + 8, at + size),
    });
    at += size;
  }
  return found;
}

function child(parent: Buffer, ...path: string[]): Buffer {
  return path.reduce((body, type) => {
    const found = boxes(body).find((box) => box.type === type);
    if (found === undefined) throw new Error(`no ${type}`);
    return found.body;
  }, parent);
}

const video = createMp4({ seconds: 3, framesPerSecond: 2, shade: 0 });
const stbl = child(video, 'moov', 'trak', 'mdia', 'minf', 'stbl');
const sizes = Array.from({ length: child(stbl, 'stsz').readUInt32BE(8) }, (_, index) =>
  child(stbl, 'stsz').readUInt32BE(12 + index * 4),
);

describe('createMp4', () => {
  it('puts moov before mdat, so that players can begin early', () => {
    expect(boxes(video).map((box) => box.type)).toEqual(['ftyp', 'moov', 'mdat']);
  });

  it('tells its duration and size of picture', () => {
    const mvhd = child(video, 'moov', 'mvhd');
    expect(mvhd.readUInt32BE(16) / mvhd.readUInt32BE(12)).toBe(3);
    const entry = child(stbl, 'stsd').subarray(8);
    expect(entry.toString('latin1', 4, 8)).toBe('avc1');
    expect([entry.readUInt16BE(32), entry.readUInt16BE(34)]).toEqual([160, 96]);
  });

  it('points at its samples, which fill mdat exactly', () => {
    const mdat = boxes(video).find((box) => box.type === 'mdat');
    expect(sizes).toHaveLength(6);
    expect(child(stbl, 'stco').readUInt32BE(8)).toBe((mdat?.start ?? 0) + 8);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(mdat?.body.length);
  });

  it('holds one length-prefixed IDR picture per sample, free of start codes', () => {
    let at = child(stbl, 'stco').readUInt32BE(8);
    for (const size of sizes) {
      expect(video.readUInt32BE(at)).toBe(size - 4);
      const unit = video.subarray(at + 4, at + size);
      expect((unit[0] ?? 0) & 0x1f).toBe(5);
      expect(unit.includes(Buffer.from([0, 0, 1])) || unit.includes(Buffer.from([0, 0, 0]))).toBe(false);
      at += size;
    }
  });

  it('declares constrained baseline in avcC and the parameter set', () => {
    const avcC = child(stbl, 'stsd').subarray(8 + 8 + 78 + 8);
    expect([...avcC.subarray(0, 4)]).toEqual([1, 66, 0b11000000, 40]);
    expect([...avcC.subarray(8, 12)]).toEqual([0x67, 66, 0b11000000, 40]);
  });

  it('differs from part to part', () => {
    expect(createMp4({ seconds: 3, framesPerSecond: 2, shade: 1 }).equals(video)).toBe(false);
  });
});
