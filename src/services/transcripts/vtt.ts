import { tokenizeVTTCue, type VTTNode } from 'media-captions';
import { escapeStray, type RawCue, readDocument } from './vtt-document.ts';

/** One thing that was said. Seconds are counted from the start of the transcription. */
export interface Cue {
  /** 0 for the first cue. */
  index: number;
  startSeconds: number;
  endSeconds: number;
  speaker: string | null;
  text: string;
}

interface Spoken {
  speaker: string | null;
  text: string;
}

/** The tags that neither say who speaks nor what is said; and times within a cue. */
const MARK_UP = /<(?:\/?lang(?=[\s.>])[^<>]*|\/?(?:c|b|i|u|ruby|rt)(?:\.[^\s<>]*)?|(?:\d+:)?\d\d:\d\d\.\d{3})>/g;
const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(apos));/gi;

/** The entities that the library leaves alone. What would be mark-up stays escaped: the library decodes it. */
function decodeEntities(payload: string): string {
  return payload.replace(ENTITY, (_entity, decimal?: string, hex?: string) => {
    const code = decimal === undefined ? (hex === undefined ? 39 : Number.parseInt(hex, 16)) : Number(decimal);
    if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\uFFFD';
    const character = String.fromCodePoint(code);
    return { '&': '&amp;', '<': '&lt;', '>': '&gt;' }[character] ?? character;
  });
}

function nameOf({ voice }: { voice?: string }): string | null {
  return voice?.replace(/\s+/g, ' ').trim() || null;
}

/** Reads the tree of a cue from left to right, without recursion: who nests a thousand voices must not end the process. */
function turnsOf(nodes: VTTNode[]): Spoken[] {
  const turns: Spoken[] = [];
  const open: { node: VTTNode; speaker: string | null }[] = [];
  const push = (children: VTTNode[], speaker: string | null) => {
    for (const node of children.toReversed()) open.push({ node, speaker });
  };
  push(nodes, null);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, speaker } = next;
    if (node.type !== 'text') {
      push(node.children, node.type === 'v' ? nameOf(node) : speaker);
      continue;
    }
    const last = turns.at(-1);
    if (last !== undefined && last.speaker === speaker) last.text += node.data;
    else turns.push({ speaker, text: node.data });
  }
  return turns.map(({ speaker, text }) => ({ speaker, text: text.trim() })).filter(({ text }) => text !== '');
}

function turnsOfCue({ start, end, payload }: RawCue): Spoken[] {
  const text = decodeEntities(escapeStray(payload).replace(MARK_UP, '')).toWellFormed();
  const nodes = tokenizeVTTCue({ startTime: start, endTime: end, text });
  const turns = turnsOf(nodes);
  if (turns.length > 0) return turns;
  const [voice] = nodes;
  return [{ speaker: voice?.type === 'v' ? nameOf(voice) : null, text: '' }];
}

export interface ParsedTranscript {
  cues: Cue[];
  /** The lines, from 1, at which something begins that could not be read; it stands in the file only. */
  unparsedLines: number[];
}

/**
 * Parses WebVTT as Teams writes it, with names in `<v Name>` tags, and its form without names, which lacks the
 * `WEBVTT` line (Microsoft Learn, calltranscript-get). Where several people speak in one cue each gets a cue of their
 * own and a part of its time by how much they say, so that the parts add up to the whole.
 */
export function parseVtt(vtt: string): ParsedTranscript {
  const { cues: raw, unparsed } = readDocument(vtt);
  const cues: Cue[] = [];
  for (const cue of raw) {
    const turns = turnsOfCue(cue);
    const length = turns.reduce((sum, { text }) => sum + text.length, 0);
    const end = Math.max(cue.start, cue.end);
    let said = 0;
    let from = cue.start;
    turns.forEach(({ speaker, text }, i) => {
      said += text.length;
      const part = Math.round((cue.start + ((end - cue.start) * said) / length) * 1000) / 1000;
      const to = i === turns.length - 1 ? end : part;
      cues.push({ index: cues.length, startSeconds: from, endSeconds: to, speaker, text });
      from = to;
    });
  }
  return { cues, unparsedLines: unparsed.map(({ line }) => line) };
}

export interface Speaker {
  name: string;
  talkSeconds: number;
  cueCount: number;
}

/** Who spoke for how long, most talkative first; of two as talkative, the one who spoke first. */
export function speakersOf(cues: readonly Cue[]): Speaker[] {
  const speakers = new Map<string, Speaker>();
  for (const { speaker: name, startSeconds, endSeconds } of cues) {
    if (name === null) continue;
    const speaker = speakers.get(name) ?? { name, talkSeconds: 0, cueCount: 0 };
    speaker.talkSeconds += Math.max(0, endSeconds - startSeconds);
    speaker.cueCount += 1;
    speakers.set(name, speaker);
  }
  return [...speakers.values()]
    .map((speaker) => ({ ...speaker, talkSeconds: Math.round(speaker.talkSeconds * 1000) / 1000 }))
    .sort((a, b) => b.talkSeconds - a.talkSeconds);
}

/** The transcript as paragraphs: neighbouring cues of one speaker are joined and led by the speaker's name. */
export function paragraphsOf(cues: readonly Cue[]): string {
  const paragraphs: { speaker: string | null; lines: string[] }[] = [];
  for (const { speaker, text } of cues) {
    const line = text.replace(/\s+/g, ' ');
    if (line === '') continue;
    const last = paragraphs.at(-1);
    if (last !== undefined && last.speaker === speaker) last.lines.push(line);
    else paragraphs.push({ speaker, lines: [line] });
  }
  return paragraphs
    .map(({ speaker, lines }) => (speaker === null ? '' : `${speaker}: `) + lines.join(' '))
    .join('\n\n');
}

/** How long the transcript runs, in seconds; null without cues. */
export function durationOf(cues: readonly Cue[]): number | null {
  return cues.reduce<number | null>((latest, { endSeconds }) => Math.max(latest ?? endSeconds, endSeconds), null);
}
