import { artifactDelta, listAllArtifacts } from './artifact-rounds.ts';
import type { ArtifactKind } from './artifacts.ts';
import { artifactAnswer, artifactInPath, artifactMeeting, listArtifacts } from './artifacts.ts';
import { GraphFailure } from './errors.ts';
import type { UserCall } from './graph-call.ts';
import { mediaLink } from './media.ts';
import { contentAnswer, recordingBytes } from './recording-content.ts';
import type { Answer } from './serve.ts';

const RECORDINGS: ArtifactKind = {
  collection: 'recordings',
  type: 'callRecording',
  contentUrl: 'recordingContentUrl',
};

/** `GET …/onlineMeetings/{id}/recordings`. */
export function listRecordings(call: UserCall): Answer {
  const meeting = artifactMeeting(call, 'organizer');
  return listArtifacts(call, meeting, meeting.recordings, RECORDINGS);
}

/** `GET …/onlineMeetings/getAllRecordings(…)`. */
export function listAllRecordings(call: UserCall): Answer {
  return listAllArtifacts(call, RECORDINGS);
}

/** `GET …/onlineMeetings/getAllRecordings(…)/delta`. */
export function recordingDelta(call: UserCall): Answer {
  return artifactDelta(call, RECORDINGS);
}

/** `GET …/recordings/{id}`. */
export function getRecording(call: UserCall): Answer {
  const meeting = artifactMeeting(call, 'organizer');
  return artifactAnswer(call, meeting, artifactInPath(call, meeting, meeting.recordings), RECORDINGS);
}

/** `GET …/recordings/{id}/content`: the mp4 by the simulator's content mode, as Microsoft documents none beyond 200. */
export function getRecordingContent(call: UserCall): Answer {
  const meeting = artifactMeeting(call, 'organizer');
  const recording = artifactInPath(call, meeting, meeting.recordings);
  const bytes = recordingBytes(recording);
  switch (call.world.behaviour.contentMode) {
    case 'plain':
      return { status: 200, headers: { 'content-type': 'video/mp4' }, body: { chunks: bytes.slice(0, bytes.size) } };
    case 'length': {
      const headers = { 'content-type': 'video/mp4', 'content-length': String(bytes.size) };
      return { status: 200, headers, body: { chunks: bytes.slice(0, bytes.size) } };
    }
    case 'redirect':
      return { status: 302, headers: { location: mediaLink(call, meeting.id, recording.id) } };
    case 'range': {
      const answer = contentAnswer(bytes, call.headers.range);
      if (answer.status !== 416) return answer;
      throw new GraphFailure(416, 'InvalidRange', 'The requested range cannot be satisfied.', {
        headers: answer.headers,
      });
    }
  }
}
