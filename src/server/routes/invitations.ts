import type { FastifyInstance } from 'fastify';
import { methodOf, renderInvitation } from '../../services/invitations/invitation.ts';
import { type LinkDeps, type LinkedRequest, PRIVATE, scopeOfLink } from './linked.ts';

/** Serves the calendar file of a meeting to the holder of a signed link. */
export function invitationRoutes(app: FastifyInstance, deps: LinkDeps): void {
  app.get<LinkedRequest>('/invitations/:id.ics', async (request, reply) => {
    const { id } = request.params;
    reply.headers(PRIVATE);
    const scope = scopeOfLink(deps, request, 'invitation', id);
    const meeting = scope === null ? undefined : (await deps.services.meetings.byIds(scope, [id])).get(id);
    if (scope === null || meeting === undefined) return reply.code(403).send();
    const attendees = (await deps.services.meetings.attendeesOf(scope, [id])).get(id) ?? [];
    return reply
      .type(`text/calendar; charset=utf-8; method=${methodOf(meeting)}`)
      .header('content-disposition', 'attachment; filename="invitation.ics"')
      .send(renderInvitation(meeting, attendees, { timeZone: 'UTC', locale: 'en' }).ics);
  });
}
