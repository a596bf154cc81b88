/** What a reader asks for: from a byte on, up to a byte, or the last so many. */
export type WantedRange = { first: number; last: number | null } | { suffix: number };

/** First and last byte, both included. */
export interface Span {
  start: number;
  end: number;
}

/** The bytes that are meant of a content of this size, by RFC 9110, 14.1.2; null when there are none. */
export function spanOf(wanted: WantedRange, size: number): Span | null {
  if ('suffix' in wanted) {
    return wanted.suffix === 0 || size === 0 ? null : { start: Math.max(0, size - wanted.suffix), end: size - 1 };
  }
  if (wanted.first >= size) return null;
  return { start: wanted.first, end: Math.min(wanted.last ?? size - 1, size - 1) };
}

/** The value of a Range header. */
export function rangeHeader(wanted: WantedRange): string {
  return 'suffix' in wanted ? `bytes=-${wanted.suffix}` : `bytes=${wanted.first}-${wanted.last ?? ''}`;
}
