import { readPlanner } from './call.ts';
import { callArtifact } from './call-artifact.ts';
import { contentStream } from './content-stream.ts';
import { listAll } from './paging.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphClient } from './types.ts';

const RECORDINGS = '/users/{user}/onlineMeetings/{meeting}/recordings';

const plan = readPlanner('recordings', ['OnlineMeetingRecording.Read.All']);

/** Recordings of calendar-backed meetings. Microsoft Learn: onlinemeeting-list-recordings, callrecording-get. */
export function recordingsClient(requests: GraphRequests): GraphClient['recordings'] {
  return {
    list: async (user, meeting, options) => {
      const path = graphPath(RECORDINGS, { user, meeting });
      return listAll(requests, plan('recordings.list', user, path, options), callArtifact);
    },

    openContent: async (user, meeting, recording, options) => {
      const path = graphPath(`${RECORDINGS}/{recording}/content`, { user, meeting, recording });
      const headers: Record<string, string> = {
        accept: 'video/mp4, */*',
        // Compression would part Content-Length and Content-Range from the bytes that are handed on.
        'accept-encoding': 'identity',
      };
      if (options?.range !== undefined) headers.range = options.range;
      const response = await requests.send({
        ...plan('recordings.openContent', user, path, options),
        headers,
        isStreamed: true,
      });
      return {
        status: response.status,
        contentType: response.headers.get('content-type') ?? 'video/mp4',
        contentLength: contentLengthOf(response.headers),
        contentRange: response.headers.get('content-range'),
        acceptsRanges:
          response.status === 206 || response.headers.get('accept-ranges')?.trim().toLowerCase() === 'bytes',
        body: contentStream(response.body, { idleTimeoutMs: requests.perTryTimeoutMs, signal: options?.signal }),
        requestId: response.headers.get('request-id'),
      };
    },
  };
}

function contentLengthOf(headers: Headers): number | null {
  const text = headers.get('content-length');
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}
