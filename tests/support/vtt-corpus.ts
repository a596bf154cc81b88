/** What a generated transcript says, and the bytes that say it in one of the ways in which it may be written. */
export interface GeneratedTranscript {
  bytes: Uint8Array<ArrayBuffer>;
  cues: { speaker: string | null; text: string; start: number; end: number }[];
  /** Whether each cue has one speaker, so that its times are those written. */
  hasExactTimes: boolean;
}

/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAMES = [
  'Adele Vance',
  'José Ñandú',
  'R&D Room',
  'Zoë 🦓',
  '山田 太郎',
  'O’Brien, Pat (Guest)',
  'Łukasz Żuk',
  'A < B',
];
const WORDS = [
  'hello',
  'budget',
  'R&D',
  'a<b',
  '<3',
  '<b>not bold</b>',
  'x > y',
  '-->',
  '“quoted”',
  'Straße',
  'привет',
  '会议',
  '🎉',
  '100%',
  '&amp;',
  '&lt;v&gt;',
  'NOTE',
  'WEBVTT',
  '00:01',
  'it’s',
  "it's",
  'e\u0301',
  '1.5',
  '\u00a0',
  'שלום',
];

function time(seconds: number, random: () => number): string {
  const total = Math.abs(Math.round(seconds * 1000));
  const [h, m, s] = [Math.floor(total / 3_600_000), Math.floor(total / 60_000) % 60, Math.floor(total / 1000) % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = h === 0 && random() < 0.2 ? '' : `${two(h)}:`;
  const point = random() < 0.1 ? ',' : '.';
  return `${seconds < 0 ? '-' : ''}${hours}${two(m)}:${two(s)}${point}${String(total % 1000).padStart(3, '0')}`;
}

/** Escapes text as a careful or a careless writer does, but never so that it reads as something else. */
function escaped(text: string, random: () => number): string {
  const isCareless = random() < 0.3;
  let out = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  if (isCareless)
    out = out
      .replaceAll('R&amp;D', 'R&D')
      .replaceAll('a&lt;b', 'a<b')
      .replaceAll('&lt;3', '<3')
      .replaceAll('x &gt; y', 'x > y')
      .replaceAll('--&gt;', '-->');
  if (random() < 0.2) out = out.replaceAll("'", '&#39;').replaceAll('’', '&#x2019;').replaceAll('\u00a0', '&nbsp;');
  return out;
}

/** One transcript of the corpus; the same for the same seed. */
export function generateTranscript(seed: number): GeneratedTranscript {
  const random = seeded(seed);
  const maybe = (chance: number) => random() < chance;
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const say = () => {
    const words = Array.from({ length: 1 + Math.floor(random() * 12) }, () => pick(WORDS));
    // A line that begins or ends with a space says the same as one that does not.
    return words.join(' ').replace(/^[\s\u00a0]+|[\s\u00a0]+$/g, '') || 'hm';
  };

  const isAttributed = maybe(0.8);
  const hasHeader = isAttributed && maybe(0.9);
  const hasIds = maybe(0.3);
  const hasGaps = hasIds || maybe(0.9);
  const count = maybe(0.05) ? 0 : 1 + Math.floor(random() * 30);
  const blocks: string[] = [];
  const cues: GeneratedTranscript['cues'] = [];
  let hasExactTimes = true;
  if (hasHeader) blocks.push(pick(['WEBVTT', 'WEBVTT - Teams', 'WEBVTT\nKind: captions\nLanguage: en']));
  if (hasHeader && maybe(0.1)) blocks.push('STYLE\n::cue { color: red }');

  let at = maybe(0.3) ? -random() * 5 : maybe(0.1) ? 36_000 + random() * 400_000 : random() * 10;
  for (let i = 0; i < count; i += 1) {
    const start = Math.round(at * 1000) / 1000;
    const end = Math.round((start + 0.5 + random() * 6) * 1000) / 1000;
    at = maybe(0.1) ? end - 0.4 : end + random();
    const turns = isAttributed && maybe(0.1) ? 2 + Math.floor(random() * 2) : 1;
    let payload = '';
    let speaker: string | null = null;
    for (let turn = 0; turn < turns; turn += 1) {
      let text = say();
      if (maybe(0.2)) text += `\n${say()}`;
      if (isAttributed) {
        const others = NAMES.filter((name) => name !== speaker);
        speaker = pick(others);
        const closes = turn < turns - 1 ? maybe(0.8) : maybe(0.85);
        payload += `${turn > 0 && maybe(0.5) ? '\n' : ''}<v${maybe(0.1) ? '.loud' : ''} ${escaped(speaker, () => 1)}>${escaped(text, random)}${closes ? '</v>' : ''}`;
      } else payload += escaped(text, random);
      if (turns > 1) hasExactTimes = false;
      cues.push({ speaker, text, start, end });
    }
    const settings = maybe(0.1) ? ' align:start position:10%' : '';
    const id = hasIds ? `${pick(['', 'cue-'])}${i}-${seed}\n` : '';
    blocks.push(`${id}${time(start, random)} --> ${time(end, random)}${settings}\n${payload}`);
    if (hasGaps && maybe(0.03)) blocks.push('NOTE somebody coughed\nand sneezed');
  }
  const eol = pick(['\n', '\n', '\r\n', '\r']);
  const [header, ...rest] = hasHeader ? blocks : [undefined, ...blocks];
  const body = rest.join(hasGaps ? (maybe(0.1) ? '\n\n\n' : '\n\n') : '\n');
  const text = `${header === undefined ? '' : `${header}\n\n`}${body}${maybe(0.8) ? '\n' : ''}`.replaceAll('\n', eol);
  return { bytes: new TextEncoder().encode(`${maybe(0.2) ? '\uFEFF' : ''}${text}`), cues, hasExactTimes };
}
