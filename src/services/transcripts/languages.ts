/** The text-search configuration that knows no language: words are searched as they are written. */
export const AS_WRITTEN = 'simple';

/** By ISO 639-1 code, the text-search configuration. Those that every Postgres from 15 on ships (manual, 12.6.6). */
const CONFIGURATIONS: Record<string, string> = {
  ar: 'arabic',
  ca: 'catalan',
  da: 'danish',
  de: 'german',
  el: 'greek',
  en: 'english',
  es: 'spanish',
  eu: 'basque',
  fi: 'finnish',
  fr: 'french',
  ga: 'irish',
  hi: 'hindi',
  hu: 'hungarian',
  hy: 'armenian',
  id: 'indonesian',
  it: 'italian',
  lt: 'lithuanian',
  nb: 'norwegian',
  ne: 'nepali',
  nl: 'dutch',
  nn: 'norwegian',
  no: 'norwegian',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  sr: 'serbian',
  sv: 'swedish',
  ta: 'tamil',
  tr: 'turkish',
  yi: 'yiddish',
};

export const TRANSCRIPT_LANGUAGES: readonly string[] = Object.keys(CONFIGURATIONS);

/** The code of a language tag such as `de` or `pt-BR`, or null when transcripts cannot be searched in that language. */
export function transcriptLanguageOf(tag: string): string | null {
  const [code = ''] = tag.trim().toLowerCase().split(/[-_]/);
  return Object.hasOwn(CONFIGURATIONS, code) ? code : null;
}

/** The text-search configuration of a stored language; null searches words as they are written. */
export function configurationOf(language: string | null | undefined): string {
  const known = language && Object.hasOwn(CONFIGURATIONS, language) ? CONFIGURATIONS[language] : undefined;
  return known ?? AS_WRITTEN;
}
