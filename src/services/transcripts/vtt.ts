import { parseText, tokenizeVTTCue, type VTTNode } from 'media-captions';

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

/** Reads the tree of a cue: its text without mark-up, and who speaks by the first `<v Name>`. */
function readNodes(nodes: VTTNode[]): Spoken {
  const spoken: Spoken = { speaker: null, text: '' };
  for (const node of nodes) {
    if (node.type === 'text') {
      spoken.text += node.data;
      continue;
    }
    const inner = readNodes(node.children);
    spoken.text += inner.text;
    if (node.type === 'v') spoken.speaker ??= node.voice?.trim() || null;
    spoken.speaker ??= inner.speaker;
  }
  return spoken;
}

/**
 * Parses WebVTT as Teams writes it, with names in `<v Name>` tags, and its form without names, which lacks the
 * `WEBVTT` line (Microsoft Learn, calltranscript-get).
 */
export async function parseVtt(vtt: string): Promise<Cue[]> {
  const text = vtt.replace(/^\uFEFF/, '');
  const document = /^WEBVTT/.test(text) ? text : `WEBVTT\n\n${text}`;
  const { cues } = await parseText(document, { type: 'vtt', strict: false });
  return cues.map((cue, index) => {
    const { speaker, text: said } = readNodes(tokenizeVTTCue(cue));
    return { index, startSeconds: cue.startTime, endSeconds: cue.endTime, speaker, text: said.trim() };
  });
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
  const paragraphs: Spoken[] = [];
  for (const { speaker, text } of cues) {
    const last = paragraphs.at(-1);
    const line = text.replace(/\s+/g, ' ');
    if (last !== undefined && last.speaker === speaker) last.text += ` ${line}`;
    else paragraphs.push({ speaker, text: line });
  }
  return paragraphs.map(({ speaker, text }) => (speaker === null ? text : `${speaker}: ${text}`)).join('\n\n');
}

/** How long the transcript runs, in seconds; null without cues. */
export function durationOf(cues: readonly Cue[]): number | null {
  return cues.length === 0 ? null : Math.max(...cues.map((cue) => cue.endSeconds));
}
