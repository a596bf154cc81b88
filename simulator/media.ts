import { createHmac, randomBytes } from 'node:crypto';
import { contentAnswer, recordingBytes } from './recording-content.ts';
import type { Answer, Host, ServedCall } from './serve.ts';

const KEY = randomBytes(32);
const LINK_LIFE_MS = 3_600_000;

/**
 * The second host, to which content may be redirected. Its links carry their own permission for an hour; a bearer token
 * that arrives here has leaked, and is refused as Microsoft's media store refuses it.
 */
export const mediaHost: Host = {
  name: 'media',
  headers: (_ids, now) => ({ date: now.toUTCString(), 'cache-control': 'private' }),
  work: answerMedia,
  usualFault: (status) => ({ status }),
  logsBody: false,
};

/** A link to the recording's bytes on the second host. */
export function mediaLink(call: ServedCall, meetingId: string, recordingId: string): string {
  const expires = call.now.getTime() + LINK_LIFE_MS;
  const query = new URLSearchParams({
    meeting: meetingId,
    se: String(expires),
    sig: signature(meetingId, recordingId, String(expires)),
  });
  const link = new URL(`/v1/objects/${encodeURIComponent(recordingId)}/content/video?${query}`, call.baseUrl);
  link.port = String(call.world.mediaPort);
  return link.href;
}

function answerMedia(call: ServedCall): Answer {
  if (call.headers.authorization !== undefined) {
    return refusal(401, 'Unauthorized', 'The authorization header is not valid for this resource.');
  }
  const recordingId = decodeURIComponent(/^\/v1\/objects\/([^/]+)\/content\/video$/.exec(call.path)?.[1] ?? '');
  const meetingId = call.query.get('meeting') ?? '';
  const expires = call.query.get('se') ?? '';
  if (call.query.get('sig') !== signature(meetingId, recordingId, expires) || Number(expires) <= call.now.getTime()) {
    return refusal(403, 'AuthenticationFailed', 'The signature of the link is not valid or has expired.');
  }
  const meeting = call.world.meetings.byId.get(meetingId);
  const recording = meeting?.recordings.find((one) => one.id === recordingId);
  if (recording === undefined) {
    const isGone = call.world.behaviour.artifactContent.gone === 410 && meeting?.removedArtifactIds.has(recordingId);
    return refusal(isGone ? 410 : 404, isGone ? 'Gone' : 'NotFound', 'The object does not exist.');
  }
  return contentAnswer(recordingBytes(recording), call.headers.range);
}

function refusal(status: number, errorCode: string, message: string): Answer {
  return { status, body: { errorCode, message } };
}

function signature(...parts: string[]): string {
  return createHmac('sha256', KEY).update(parts.join('\n')).digest('base64url');
}
