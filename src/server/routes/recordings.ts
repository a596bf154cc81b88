import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { OpenedRecording } from '../../services/recordings/open-recording.ts';
import { names, wantedRange } from './byte-ranges.ts';
import { type LinkDeps, type LinkedRequest, PRIVATE, scopeOfLink } from './linked.ts';

const TELL = {
  gone: 'Microsoft no longer has this recording: it was deleted or has expired.',
  unavailable: 'The recording cannot be fetched at the moment.',
};

/** Bytes that may wait here for a slow player; what lies beyond stays where it comes from. */
const AHEAD_BYTES = 256 * 1024;

/**
 * Streams a recording to the holder of a signed link, from Microsoft or from the own store alike, by RFC 9110: whole or
 * in part, `If-Range`, `If-None-Match`. Bytes pass through with back-pressure and are never collected; when the player
 * goes away, so does the request behind it. What cannot be sent to its end is broken off, never ended.
 */
export function recordingRoutes(app: FastifyInstance, deps: LinkDeps): void {
  app.get<LinkedRequest>('/recordings/:id', async (request, reply) => {
    const { id } = request.params;
    reply.headers(PRIVATE);
    const scope = scopeOfLink(deps, request, 'recording', id);
    if (scope === null) return reply.code(403).send();

    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const { headers } = request;
    const ifRange = headers['if-range'];
    const opened = await deps.services.openRecording(scope, id, {
      range: wantedRange(headers.range),
      // A date never matches: nothing is known of when a recording was changed.
      ifTag: typeof ifRange === 'string' ? ifRange.trim() : undefined,
      knownTags: (tag) => names(headers['if-none-match'], tag),
      isHead: request.method === 'HEAD',
      signal: gone.signal,
    });
    return opened.kind === 'open' ? sendContent(reply, opened) : refuse(reply, opened);
  });
}

function refuse(reply: FastifyReply, opened: Exclude<OpenedRecording, { kind: 'open' }>): FastifyReply {
  switch (opened.kind) {
    case 'hidden':
      return reply.code(403).send();
    case 'known':
      return reply.code(304).header('etag', opened.tag).send();
    case 'gone':
      return reply.code(410).type('text/plain').send(TELL.gone);
    case 'bad-range':
      if (opened.size !== null) reply.header('content-range', `bytes */${opened.size}`);
      return reply.code(416).header('accept-ranges', 'bytes').send();
    case 'unavailable':
      if (opened.retryAfterMs !== null) reply.header('retry-after', Math.ceil(opened.retryAfterMs / 1000));
      return reply.code(503).type('text/plain').send(TELL.unavailable);
  }
}

function sendContent(reply: FastifyReply, opened: Extract<OpenedRecording, { kind: 'open' }>): FastifyReply {
  const { contentType, size, tag, span, takesRanges, body } = opened;
  reply
    .code(span === null ? 200 : 206)
    .type(contentType)
    .header('accept-ranges', takesRanges ? 'bytes' : 'none');
  if (tag !== null) reply.header('etag', tag);
  if (span !== null) reply.header('content-range', `bytes ${span.start}-${span.end}/${size ?? '*'}`);
  const length = span === null ? size : span.end - span.start + 1;
  if (length !== null) reply.header('content-length', length);
  return reply.send(Readable.from(body, { objectMode: false, highWaterMark: AHEAD_BYTES }));
}
