import { artifactDelta, listAllArtifacts } from './artifact-rounds.ts';
import type { ArtifactKind } from './artifacts.ts';
import { artifactAnswer, artifactInPath, artifactMeeting, listArtifacts } from './artifacts.ts';
import { GraphFailure, teamsNotFound } from './errors.ts';
import type { UserCall } from './graph-call.ts';
import { option } from './graph-call.ts';
import type { OnlineMeeting, Transcript } from './meeting-store.ts';
import type { Answer } from './serve.ts';
import { attributedVtt, metadataVtt, unattributedText } from './vtt.ts';

const TRANSCRIPTS: ArtifactKind = {
  collection: 'transcripts',
  type: 'callTranscript',
  contentUrl: 'transcriptContentUrl',
};
const UNATTRIBUTED = 'application/vnd.microsoft.graph.transcript+text';

/** `GET …/onlineMeetings/{id}/transcripts`. */
export function listTranscripts(call: UserCall): Answer {
  const meeting = transcriptMeeting(call);
  return listArtifacts(call, meeting, meeting.transcripts, TRANSCRIPTS);
}

/** `GET …/transcripts/{id}`. */
export function getTranscript(call: UserCall): Answer {
  const meeting = transcriptMeeting(call);
  return artifactAnswer(call, meeting, artifactInPath(call, meeting, meeting.transcripts), TRANSCRIPTS);
}

/**
 * `GET …/transcripts/{id}/content`: WebVTT with speakers unless the header asks for the form without them. The form
 * without speakers is never taken from `$format`. Source: Microsoft Learn, calltranscript-get.
 */
export function getTranscriptContent(call: UserCall): Answer {
  const transcript = spokenTranscript(call);
  if (wantedFormat(call) === UNATTRIBUTED) {
    return { status: 200, headers: { 'content-type': UNATTRIBUTED }, body: unattributedText(transcript) };
  }
  if (!call.directory.attributedTranscripts) {
    throw switchedOff(
      'SpeakerAttributionNotAllowed',
      `Speaker-attributed transcript content is disabled for this tenant. Retry with Accept '${UNATTRIBUTED}'.`,
    );
  }
  return { status: 200, headers: { 'content-type': 'text/vtt' }, body: attributedVtt(transcript) };
}

/** `GET …/transcripts/{id}/metadataContent`: WebVTT whose cues are JSON. The attribution switch names `/content` only. */
export function getTranscriptMetadataContent(call: UserCall): Answer {
  return { status: 200, headers: { 'content-type': 'text/vtt' }, body: metadataVtt(spokenTranscript(call)) };
}

/** `GET …/onlineMeetings/getAllTranscripts(…)`. */
export function listAllTranscripts(call: UserCall): Answer {
  checkTranscriptAccess(call);
  return listAllArtifacts(call, TRANSCRIPTS);
}

/** `GET …/onlineMeetings/getAllTranscripts(…)/delta`. */
export function transcriptDelta(call: UserCall): Answer {
  checkTranscriptAccess(call);
  return artifactDelta(call, TRANSCRIPTS);
}

/** The directory's switch comes before the meeting: it refuses every transcript call. Source: calltranscript-get. */
function checkTranscriptAccess(call: UserCall): void {
  if (!call.directory.graphTranscriptAccess) {
    throw switchedOff(
      'GraphAccessToTranscriptsDisabled',
      'Graph API access to transcripts is disabled for this tenant.',
    );
  }
}

function transcriptMeeting(call: UserCall): OnlineMeeting {
  checkTranscriptAccess(call);
  return artifactMeeting(call, 'organizerAndInvited');
}

/** A transcript without words has no content; Microsoft names the error but not its status, so that is a switch. */
function spokenTranscript(call: UserCall): Transcript {
  const meeting = transcriptMeeting(call);
  const transcript = artifactInPath(call, meeting, meeting.transcripts);
  if (transcript.rawVtt !== null || transcript.utterances.length > 0) return transcript;
  const status = call.world.behaviour.artifactContent.wordless ?? 404;
  if (status === 404) throw teamsNotFound('The transcript has no content.');
  throw new GraphFailure(status, status === 400 ? 'BadRequest' : 'UnknownError', 'The transcript has no content.');
}

function wantedFormat(call: UserCall): 'text/vtt' | typeof UNATTRIBUTED {
  const format = option(call, '$format');
  if (format !== undefined && format.toLowerCase() !== 'text/vtt') throw notAcceptable(format);
  const accepted = (call.headers.accept ?? '*/*').split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  if (accepted.includes(UNATTRIBUTED) && !accepted.includes('text/vtt')) return UNATTRIBUTED;
  if (format !== undefined || accepted.some((range) => ['text/vtt', 'text/*', '*/*'].includes(range ?? ''))) {
    return 'text/vtt';
  }
  throw notAcceptable(call.headers.accept ?? '');
}

function notAcceptable(format: string): GraphFailure {
  return new GraphFailure(406, 'NotAcceptable', `The format '${format}' is not supported for transcript content.`);
}

function switchedOff(code: string, message: string): GraphFailure {
  return new GraphFailure(403, 'Forbidden', message, { inner: { code }, bareInnerError: true });
}
