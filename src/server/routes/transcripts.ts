import type { FastifyInstance } from 'fastify';
import { type LinkDeps, type LinkedRequest, PRIVATE, scopeOfLink } from './linked.ts';

type TranscriptRequest = LinkedRequest & { Querystring: LinkedRequest['Querystring'] & { download?: string } };

const FILES = [
  { format: 'vtt', purpose: 'transcript', type: 'text/vtt; charset=utf-8' },
  { format: 'txt', purpose: 'transcript-text', type: 'text/plain; charset=utf-8' },
] as const;

/**
 * Serves a transcript to the holder of a signed link: as captions that a player shows, or with `download` in the
 * address as a file; and as plain text, always as a file, so that no browser takes what was said for a page.
 */
export function transcriptRoutes(app: FastifyInstance, deps: LinkDeps): void {
  for (const { format, purpose, type } of FILES) {
    app.get<TranscriptRequest>(`/transcripts/:id.${format}`, async (request, reply) => {
      const { id } = request.params;
      reply.headers(PRIVATE);
      const scope = scopeOfLink(deps, request, purpose, id);
      const file = scope === null ? null : await deps.services.openTranscript(scope, id, format);
      if (file === null) return reply.code(403).send();
      if (format === 'txt' || request.query.download !== undefined)
        reply.header('content-disposition', `attachment; filename="${file.fileName}"`);
      return reply.type(type).send(file.content);
    });
  }
}
