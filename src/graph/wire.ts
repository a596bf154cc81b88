import { z } from 'zod';

/** Microsoft's way of saying "never": what Exchange sends for a response that has not been given. */
const UNSET_YEAR = '0001-';

/**
 * An instant as Graph writes it: seven fractional digits, with `Z` or without any offset; without one it is UTC,
 * because the time zone is asked for with `Prefer: outlook.timezone="UTC"`.
 * @returns null when the text is no instant.
 */
export function parseInstant(text: string): Date | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:\d\d)?$/i.exec(text);
  if (match === null) return null;
  const [, upToSeconds, fraction = '', offset = 'Z'] = match;
  const date = new Date(`${upToSeconds}${fraction.slice(0, 4)}${offset}`);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** An instant that must be there. */
export const instant = z.string().transform((text, context) => {
  const date = parseInstant(text);
  if (date === null) context.addIssue({ code: 'custom', message: 'no instant' });
  return date ?? z.NEVER;
});

/** An instant that may be missing, null or Microsoft's "never": all three are null. */
export const optionalInstant = z
  .string()
  .nullish()
  .transform((text) => (text == null || text.startsWith(UNSET_YEAR) ? null : parseInstant(text)));

export const optionalText = z
  .string()
  .nullish()
  .transform((text) => text ?? null);
