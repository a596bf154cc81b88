import { Readable } from 'node:stream';
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import type { FastifyInstance } from 'fastify';
import { type LinkDeps, type LinkedRequest, PRIVATE, scopeOfLink } from './linked.ts';

/**
 * Streams a recording from Microsoft to the holder of a signed link. Bytes pass through with back-pressure and are
 * never collected; when the player goes away, so does the request to Microsoft.
 */
export function recordingRoutes(app: FastifyInstance, deps: LinkDeps): void {
  app.get<LinkedRequest>('/recordings/:id', async (request, reply) => {
    const { id } = request.params;
    reply.headers(PRIVATE);
    const scope = scopeOfLink(deps, request, 'recording', id);
    if (scope === null) return reply.code(403).send();

    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const opened = await deps.services.openRecording(scope, id, request.headers.range, gone.signal);
    switch (opened.kind) {
      case 'hidden':
        return reply.code(403).send();
      case 'gone':
        return reply
          .code(410)
          .type('text/plain')
          .send('Microsoft no longer has this recording: it was deleted or has expired.');
      case 'bad-range':
        return reply.code(416).send();
      case 'unavailable':
        if (opened.retryAfterMs !== null) reply.header('retry-after', Math.ceil(opened.retryAfterMs / 1000));
        return reply.code(503).type('text/plain').send('The recording cannot be fetched from Microsoft at the moment.');
      case 'open': {
        const { status, contentType, contentLength, contentRange, acceptsRanges, body } = opened.content;
        reply
          .code(status)
          .type(contentType)
          .header('accept-ranges', acceptsRanges || status === 206 ? 'bytes' : 'none');
        if (contentLength !== null) reply.header('content-length', contentLength);
        if (contentRange !== null) reply.header('content-range', contentRange);
        if (request.method === 'HEAD') {
          gone.abort();
          // An empty stream: for nothing at all Fastify would write a length of 0 over the recording's.
          return reply.send(Readable.from([]));
        }
        return reply.send(Readable.fromWeb(body as WebReadableStream));
      }
    }
  });
}
