/** A cue as it stands in the file: its text still has mark-up and entities. */
export interface RawCue {
  id: string | null;
  /** Seconds; negative where speech began before the transcription did. */
  start: number;
  end: number;
  settings: string;
  payload: string;
}

/** Something that was meant to say something, and is no cue. */
export interface UnparsedBlock {
  /** Counted from 1. */
  line: number;
  text: string;
}

export interface VttDocument {
  cues: RawCue[];
  unparsed: UnparsedBlock[];
  /** Whether a browser takes the file as it is, and drops nothing of it. */
  isStandard: boolean;
}

/**
 * Reads the bytes of a transcript as text. Microsoft writes UTF-8; UTF-16 is known by its byte order mark. Bytes that
 * are no characters and NULs become U+FFFD, as in a browser (WebVTT, 6.1), so that nothing else is lost.
 */
export function decodeTranscript(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const encoding = isUtf16 ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8';
  return new TextDecoder(encoding).decode(bytes).replaceAll('\0', '\uFFFD');
}

/** `[-][days.][hours:]minutes:seconds[.fraction]`: negative offsets are Microsoft's (calltranscript-get), days are .NET's. */
const TIME = String.raw`(-)?(?:(?:(\d+)\.)?(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,7}))?`;
const TIMING = new RegExp(String.raw`^[ \t]*${TIME}[ \t]*-->[ \t]*${TIME}([ \t].*)?$`);
const STRICT_TIMING =
  /^(?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3}[ \t]+-->[ \t]+(?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3}(?:[ \t].*)?$/;

/** A `<` that begins none of WebVTT's tags: it was said, or nobody escaped it. */
const STRAY =
  /<(?!(?:\/?(?:v|lang)(?=[\s.>])[^<>]*|\/?(?:c|b|i|u|ruby|rt)(?:\.[^\s<>]*)?|(?:\d+:)?\d\d:\d\d\.\d{3})>)/g;

/** Escapes what would be taken for a tag, and swallowed, though it is none. */
export function escapeStray(payload: string): string {
  return payload.replace(STRAY, '&lt;');
}

interface Timing {
  start: number;
  end: number;
  settings: string;
}

function secondsOf([sign, days = '0', hours = '0', minutes = '', seconds = '', fraction = '']: (string | undefined)[]):
  | number
  | null {
  if (Number(minutes) > 59 || Number(seconds) > 59) return null;
  const milliseconds = Math.round(Number(`0.${fraction || '0'}`) * 1000);
  const total =
    (Number(days) * 24 + Number(hours)) * 3600 + Number(minutes) * 60 + Number(seconds) + milliseconds / 1000;
  if (!Number.isSafeInteger(Math.round(total * 1000))) return null;
  return (Math.round(total * 1000) / 1000) * (sign === undefined ? 1 : -1);
}

function timingOf(line: string): Timing | null {
  if (!line.includes('-->')) return null;
  const match = TIMING.exec(line);
  if (match === null) return null;
  const start = secondsOf(match.slice(1, 7));
  const end = secondsOf(match.slice(7, 13));
  return start === null || end === null ? null : { start, end, settings: (match[13] ?? '').trim() };
}

const COMMENT = /^(?:NOTE(?:[ \t]|$)|STYLE[ \t]*$|REGION[ \t]*$)/;

/** Whether speech goes on behind the text: its last voice was begun and not ended. */
function isVoiceOpenAfter(text: string): boolean {
  return text.lastIndexOf('<v') > text.lastIndexOf('</v>');
}

/**
 * Reads WebVTT as Teams writes it and as other tools have left it: with or without the first line, with negative
 * offsets, commas, days, missing empty lines, empty lines inside of a cue. Every line ends up in a cue, in a comment
 * or in `unparsed`.
 */
export function readDocument(text: string): VttDocument {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const document: VttDocument = { cues: [], unparsed: [], isStandard: /^WEBVTT(?:[ \t]|$)/.test(lines[0] ?? '') };
  const { cues, unparsed } = document;
  /** Of the last cue. Kept, so that a voice of a thousand parts is not looked through a thousand times. */
  let isVoiceOpen = false;

  const addOrphan = (from: number, to: number) => {
    const orphan = lines.slice(from, to).join('\n');
    if (orphan.trim() === '') return;
    document.isStandard = false;
    const last = cues.at(-1);
    if (last !== undefined && isVoiceOpen && orphan.includes('</v>')) {
      last.payload += `\n${orphan}`;
      isVoiceOpen = isVoiceOpenAfter(orphan);
    } else unparsed.push({ line: from + 1, text: orphan });
  };

  const addCue = (timing: Timing, id: string | null, at: number, to: number) => {
    const payload = lines.slice(at + 1, to).join('\n');
    const isStrict =
      STRICT_TIMING.test(lines[at] ?? '') &&
      timing.start >= 0 &&
      timing.end > timing.start &&
      !payload.includes('-->') &&
      escapeStray(payload) === payload;
    if (!isStrict) document.isStandard = false;
    cues.push({ id, ...timing, payload });
    isVoiceOpen = isVoiceOpenAfter(payload);
  };

  /** The lines from `from` up to, not including, `to`, of which none is empty. */
  const readBlock = (from: number, to: number) => {
    const timings: [at: number, timing: Timing][] = [];
    for (let at = from; at < to; at += 1) {
      const timing = timingOf(lines[at] ?? '');
      if (timing !== null) timings.push([at, timing]);
    }
    const first = timings[0]?.[0] ?? to;
    const isComment = COMMENT.test(lines[from] ?? '');
    const hasId = !isComment && first < to && first > from;
    if (!isComment) addOrphan(from, hasId ? first - 1 : first);
    // Browsers end a cue at the next timing; the parser of a player may not.
    if (timings.length > 1 || (isComment && first < to)) document.isStandard = false;
    timings.forEach(([at, timing], i) => {
      addCue(timing, i === 0 && hasId ? (lines[at - 1] ?? null) : null, at, timings[i + 1]?.[0] ?? to);
    });
  };

  let at = 0;
  if (lines[0]?.startsWith('WEBVTT')) {
    while (at < lines.length && lines[at] !== '' && timingOf(lines[at] ?? '') === null) at += 1;
  }
  for (let from = at; from < lines.length; from += 1) {
    if (lines[from] === '') continue;
    const end = lines.indexOf('', from);
    const to = end < 0 ? lines.length : end;
    readBlock(from, to);
    from = to;
  }
  return document;
}

const SETTING = /^(?:vertical|line|position|size|align):\S+$/;

function timestamp(seconds: number): string {
  const total = Math.round(seconds * 1000);
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
  const parts = [Math.floor(total / 3_600_000), Math.floor(total / 60_000) % 60, Math.floor(total / 1000) % 60];
  return `${parts.map((part) => pad(part)).join(':')}.${pad(total % 1000, 3)}`;
}

/**
 * Writes a document as WebVTT of which a browser drops nothing: times begin at zero, every cue lasts at least a
 * millisecond, and what is no tag is text. What could not be read is a comment.
 */
export function writeDocument({ cues, unparsed }: VttDocument): string {
  const blocks = cues.map(({ id, start, end, settings, payload }) => {
    const from = Math.max(0, start);
    const times = `${timestamp(from)} --> ${timestamp(Math.max(end, from + 0.001))}`;
    const kept = settings.split(/[ \t]+/).filter((setting) => SETTING.test(setting));
    const text = escapeStray(payload).replaceAll('-->', '--&gt;');
    return `${id === null || id.includes('-->') ? '' : `${id}\n`}${[times, ...kept].join(' ')}\n${text}${text === '' ? '' : '\n'}`;
  });
  const notes = unparsed.map(({ text }) => `NOTE This could not be read:\n${text.replaceAll('-->', '->')}\n`);
  return ['WEBVTT\n', ...blocks, ...notes].join('\n');
}
