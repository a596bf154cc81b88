/** Letters that no decomposition leads to a plain one. */
const PLAIN: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ŧ: 't',
  ŋ: 'n',
  ı: 'i',
  '’': "'",
  ʼ: "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
};

/**
 * Accents, joiners, and the points of Hebrew and Arabic. Not the vowel signs of Indian scripts nor the voicing marks of
 * Japanese, without which words are others.
 */
const MARKS = /(?![\u3099\u309a])\p{Script=Inherited}|(?=\p{Script=Hebrew})\p{Mn}/gu;

/** Scripts that put no spaces between words: each character is taken for a word. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const KEPT = /[\p{L}\p{N}\p{M}'".@_:\n-]/u;

const folded = new Map<string, string>();

/** One character as it is searched for: none, one or several. */
function foldCharacter(character: string): string {
  const known = folded.get(character);
  if (known !== undefined) return known;
  let text = '';
  for (const part of character.normalize('NFKD').replace(MARKS, '').normalize('NFC').toLowerCase()) {
    const plain = PLAIN[part] ?? part.replace(MARKS, '');
    text += plain === '' || KEPT.test(plain) ? plain : ' ';
  }
  if (UNSPACED.test(text)) text = ` ${text} `;
  // Bounded by the characters that there are; nearly all text is of a few hundred.
  if (folded.size < 5_000) folded.set(character, text);
  return text;
}

/**
 * Text as it is searched in, and as it is searched for: lower case, without accents, without signs that the parser of
 * Postgres would take for paths, tags or entities. Done here and not in Postgres, whose `lower` depends on the locale
 * of the database and whose `unaccent` is an extension. Never has a control character but the line feed.
 */
export function fold(text: string): string {
  // Most of what is said, many times faster.
  if (/^[\x20-\x7e\n]*$/.test(text)) return text.toLowerCase().replace(/[^a-z0-9'".@_:\n-]/g, ' ');
  let result = '';
  for (const character of text) result += foldCharacter(character);
  return result;
}

/** The same with, for each of its code units, where in `text` that begins from which it came. */
export function foldWithOrigins(text: string): { folded: string; origins: number[] } {
  let result = '';
  const origins: number[] = [];
  let at = 0;
  for (const character of text) {
    const part = foldCharacter(character);
    for (let i = 0; i < part.length; i += 1) origins.push(at);
    result += part;
    at += character.length;
  }
  return { folded: result, origins };
}
