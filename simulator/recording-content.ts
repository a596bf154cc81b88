import type { Recording } from './meeting-store.ts';
import { createMp4 } from './mp4.ts';
import type { Answer } from './serve.ts';

const CHUNK_BYTES = 16 * 1024;
const BOX_HEADER_BYTES = 16;

/** The bytes of a recording, read piecewise, so that a big one costs no memory. */
export interface ContentBytes {
  size: number;
  /** From `start` up to, not including, `end`. */
  slice(start: number, end: number): Iterable<Uint8Array>;
}

/** Padding counts up to a prime, so that bytes from another place in the content look different. */
const PERIOD = 251;
const PADDING = Buffer.from(Uint8Array.from({ length: CHUNK_BYTES + PERIOD }, (_, index) => index % PERIOD));

const videos = new Map<number, Buffer>();

/** The mp4 of a part, padded with a `free` box up to the recording's wanted size. */
export function recordingBytes({ part, minBytes }: Recording): ContentBytes {
  const video = videos.get(part) ?? createMp4({ seconds: 4, framesPerSecond: 2, shade: part });
  videos.set(part, video);
  const padding = minBytes > video.length ? Math.max(minBytes - video.length, BOX_HEADER_BYTES) : 0;
  const head = padding === 0 ? video : Buffer.concat([video, freeBoxHeader(padding)]);
  const size = video.length + padding;
  return {
    size,
    *slice(start, end) {
      for (let at = start; at < end; ) {
        const next = Math.min(at + CHUNK_BYTES, end, at < head.length ? head.length : end);
        yield at < head.length ? head.subarray(at, next) : PADDING.subarray(at % PERIOD, (at % PERIOD) + next - at);
        at = next;
      }
    },
  };
}

/** 200, 206 or 416 by RFC 9110. A Range that is not understood, or has several parts, is ignored. */
export function contentAnswer(bytes: ContentBytes, range: string | undefined): Answer {
  const headers = { 'content-type': 'video/mp4', 'accept-ranges': 'bytes' };
  const wanted = /^bytes=(\d*)-(\d*)$/.exec(range?.trim() ?? '');
  const [, first = '', last = ''] = wanted ?? [];
  if (first === '' && last === '') {
    return {
      status: 200,
      headers: { ...headers, 'content-length': String(bytes.size) },
      body: { chunks: bytes.slice(0, bytes.size) },
    };
  }
  const start = first === '' ? Math.max(0, bytes.size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes.size : Math.min(Number(last) + 1, bytes.size);
  if (start >= end) return { status: 416, headers: { 'content-range': `bytes */${bytes.size}` } };
  return {
    status: 206,
    headers: {
      ...headers,
      'content-length': String(end - start),
      'content-range': `bytes ${start}-${end - 1}/${bytes.size}`,
    },
    body: { chunks: bytes.slice(start, end) },
  };
}

/** Header of a `free` box with a 64-bit size that spans `bytes`, itself included. */
function freeBoxHeader(bytes: number): Buffer {
  const header = Buffer.alloc(BOX_HEADER_BYTES);
  header.writeUInt32BE(1, 0);
  header.write('free', 4, 'latin1');
  header.writeBigUInt64BE(BigInt(bytes), 8);
  return header;
}
