import { sevenDigits } from './clock.ts';
import type { Utterance } from './control-types.ts';
import type { Transcript } from './meeting-store.ts';

interface Cue extends Utterance {
  startMs: number;
  endMs: number;
}

/** WebVTT with a voice tag for every cue; the raw text where a test gave one. */
export function attributedVtt(transcript: Transcript): string {
  if (transcript.rawVtt !== null) return transcript.rawVtt;
  return vtt(transcript, (cue) => `<v ${escapeText(cue.speaker)}>${escapeText(cue.text)}</v>`);
}

/** The form without speakers: cues only, no `WEBVTT` line. Source: Microsoft Learn, calltranscript-get. */
export function unattributedText(transcript: Transcript): string {
  if (transcript.rawVtt !== null) {
    return transcript.rawVtt.replace(/^\uFEFF?WEBVTT[^\n]*\n\s*/, '').replace(/<\/?v[^>]*>/g, '');
  }
  return cuesOf(transcript)
    .map((cue) => `${timing(cue)}\n${escapeText(cue.text)}\n`)
    .join('\n');
}

/** WebVTT whose cue payload is one JSON object with absolute times. Source: Microsoft Learn, calltranscript-get. */
export function metadataVtt(transcript: Transcript): string {
  const at = (ms: number) => sevenDigits(new Date(transcript.createdAt.getTime() + ms));
  return vtt(transcript, (cue) =>
    JSON.stringify({
      startDateTime: at(cue.startMs),
      endDateTime: at(cue.endMs),
      speakerName: cue.speaker,
      spokenText: cue.text,
      spokenLanguage: transcript.spokenLanguage,
    }),
  );
}

function vtt(transcript: Transcript, payload: (cue: Cue) => string): string {
  return ['WEBVTT\n', ...cuesOf(transcript).map((cue) => `${timing(cue)}\n${payload(cue)}\n`)].join('\n');
}

function cuesOf(transcript: Transcript): Cue[] {
  let nextMs = 0;
  return transcript.utterances.map((utterance) => {
    const startMs = utterance.startSeconds === undefined ? nextMs : Math.round(utterance.startSeconds * 1000);
    const endMs = startMs + Math.round((utterance.seconds ?? 3) * 1000);
    nextMs = endMs;
    return { ...utterance, startMs, endMs };
  });
}

function timing(cue: Cue): string {
  return `${timestamp(cue.startMs)} --> ${timestamp(cue.endMs)}`;
}

function timestamp(ms: number): string {
  const whole = Math.abs(ms);
  const [hours, minutes, seconds] = [whole / 3_600_000, (whole / 60_000) % 60, (whole / 1000) % 60].map((part) =>
    String(Math.floor(part)).padStart(2, '0'),
  );
  return `${ms < 0 ? '-' : ''}${hours}:${minutes}:${seconds}.${String(whole % 1000).padStart(3, '0')}`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
