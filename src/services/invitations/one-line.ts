/** A text for a header or a line of a calendar file: no control characters, and nothing that is not Unicode. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();
}
