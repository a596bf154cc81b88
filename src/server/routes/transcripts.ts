import type { FastifyInstance } from 'fastify';
import { type LinkDeps, type LinkedRequest, PRIVATE, scopeOfLink } from './linked.ts';

/** Serves the stored WebVTT of a transcript to the holder of a signed link. */
export function transcriptRoutes(app: FastifyInstance, deps: LinkDeps): void {
  app.get<LinkedRequest>('/transcripts/:id.vtt', async (request, reply) => {
    const { id } = request.params;
    reply.headers(PRIVATE);
    const scope = scopeOfLink(deps, request, 'transcript', id);
    const vtt = scope === null ? null : await deps.services.openTranscript(scope, id);
    if (vtt === null) return reply.code(403).send();
    return reply.type('text/vtt; charset=utf-8').send(vtt);
  });
}
