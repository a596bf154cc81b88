import type { GraphClient, Outcome } from '../../graph/types.ts';
import type { Meeting } from '../meetings/meeting.ts';
import type { Scope } from '../scope.ts';

/**
 * Teams' ids of meetings, under which it keeps what they leave: as stored, or by their join links in as few calls as
 * can be; what is found is stored. Null where Microsoft knows no such link.
 */
export async function resolveOnlineMeetings(
  scope: Scope,
  graph: GraphClient,
  organizerId: string,
  meetings: readonly Meeting[],
): Promise<Map<string, Outcome<string | null>>> {
  const ids = new Map<string, Outcome<string | null>>();
  const byJoinUrl = new Map<string, Meeting>();
  for (const meeting of meetings) {
    if (meeting.graphOnlineMeetingId !== null) ids.set(meeting.id, { value: meeting.graphOnlineMeetingId });
    else if (meeting.joinUrl === null) ids.set(meeting.id, { value: null });
    else byJoinUrl.set(meeting.joinUrl, meeting);
  }
  if (byJoinUrl.size === 0) return ids;

  const found = await graph.onlineMeetings.findManyByJoinUrl(organizerId, [...byJoinUrl.keys()]);
  const learned: { id: string; graphOnlineMeetingId: string }[] = [];
  for (const [joinUrl, meeting] of byJoinUrl) {
    const outcome = found.get(joinUrl) ?? { value: null };
    if (outcome.error !== undefined) ids.set(meeting.id, { error: outcome.error });
    else {
      ids.set(meeting.id, { value: outcome.value?.id ?? null });
      if (outcome.value !== null) learned.push({ id: meeting.id, graphOnlineMeetingId: outcome.value.id });
    }
  }
  await remember(scope, learned);
  return ids;
}

/** Stores ids that were learned, in one statement. */
export async function remember(
  scope: Scope,
  learned: readonly { id: string; graphOnlineMeetingId: string }[],
): Promise<void> {
  if (learned.length === 0) return;
  await scope.db.run(
    (prisma) => prisma.$executeRaw`
      UPDATE online_meetings m SET graph_online_meeting_id = x."graphOnlineMeetingId"
        FROM jsonb_to_recordset(${JSON.stringify(learned)}::jsonb) AS x(id uuid, "graphOnlineMeetingId" text)
       WHERE m.tenant_id = current_setting('app.tenant_id') AND m.id = x.id`,
  );
}
