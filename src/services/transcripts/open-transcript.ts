import type { ArtifactReads } from '../artifacts/artifact-reads.ts';
import type { Scope } from '../scope.ts';

/** The stored WebVTT of a transcript for the viewer of a link, or null when it is not (any more) for them. */
export type OpenTranscript = (scope: Scope, transcriptId: string) => Promise<string | null>;

export function makeOpenTranscript(reads: ArtifactReads): OpenTranscript {
  return async (scope, transcriptId) => {
    const vtt = (await reads.transcriptTexts(scope, [transcriptId])).get(transcriptId.toLowerCase());
    if (vtt === undefined) return null;
    // The form without speakers lacks the first line, and browsers refuse a track without it.
    return /^\uFEFF?WEBVTT/.test(vtt) ? vtt : `WEBVTT\n\n${vtt}`;
  };
}
