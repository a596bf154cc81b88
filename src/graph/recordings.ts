import type { Readable } from 'node:stream';
import { readPlanner } from './call.ts';
import { callArtifact } from './call-artifact.ts';
import { contentStream } from './content-stream.ts';
import { unanswered } from './network-failure.ts';
import { listAll } from './paging.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphClient, GraphContentStream } from './types.ts';

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
      const { response, body } = await requests.open({
        ...plan('recordings.openContent', user, path, options),
        headers,
        isContent: true,
        isStreamed: true,
      });
      return openedContent(response, body, { idleTimeoutMs: requests.perTryTimeoutMs, signal: options?.signal });
    },
  };
}

/**
 * What an answer with content says of itself. Microsoft documents a plain 200 only (callrecording-get); ranges, lengths
 * and ETags are believed where they are there. @throws GraphRequestError for a 206 that does not say which part it is.
 */
async function openedContent(
  response: Response,
  body: Readable,
  options: Parameters<typeof contentStream>[1],
): Promise<GraphContentStream> {
  const { headers } = response;
  const contentLength = contentLengthOf(headers);
  const part = response.status === 206 ? partOf(headers.get('content-range')) : null;
  if (response.status === 206 && part === null) {
    body.destroy();
    throw unanswered('UNKNOWN', 'Microsoft answered with a part of a recording and did not say which');
  }
  const tag = headers.get('etag');
  return {
    contentType: headers.get('content-type') ?? 'video/mp4',
    offset: part?.start ?? 0,
    contentLength: part === null ? contentLength : part.end - part.start + 1,
    size: part === null ? contentLength : part.size,
    tag: tag?.startsWith('"') ? tag : null,
    acceptsRanges: part !== null || headers.get('accept-ranges')?.trim().toLowerCase() === 'bytes',
    isEndMarked: contentLength !== null || /\bchunked\b/i.test(headers.get('transfer-encoding') ?? ''),
    body: contentStream(body, options),
    requestId: headers.get('request-id'),
  };
}

function partOf(contentRange: string | null): { start: number; end: number; size: number | null } | null {
  const [, start, end, size] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(contentRange?.trim() ?? '') ?? [];
  if (start === undefined || end === undefined || Number(end) < Number(start)) return null;
  return { start: Number(start), end: Number(end), size: size === '*' ? null : Number(size) };
}

function contentLengthOf(headers: Headers): number | null {
  const text = headers.get('content-length');
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}
