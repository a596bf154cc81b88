import type { WantedRange } from '../../services/recordings/byte-range.ts';

const FARTHEST = Number.MAX_SAFE_INTEGER;

/**
 * The one part that a Range header asks for. Null means the whole: no header, one that is malformed or of another unit,
 * and several parts, which a server may ignore (RFC 9110, 14.2).
 */
export function wantedRange(header: string | undefined): WantedRange | null {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  if (first === '') return { suffix: bounded(last) };
  if (last !== '' && bounded(last) < bounded(first)) return null;
  return { first: bounded(first), last: last === '' ? null : bounded(last) };
}

const bounded = (digits: string) => Math.min(Number(digits), FARTHEST);

/** Whether `If-None-Match` names a version; weakly compared, as RFC 9110, 13.1.2 wants. */
export function names(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return header.trim() === '*' || tags.includes(tag);
}
