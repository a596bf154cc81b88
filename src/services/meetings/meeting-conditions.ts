import { Prisma } from '../../generated/prisma/client.ts';
import type { Scope } from '../scope.ts';
import { visibleMeetings } from './meeting.ts';
import { isStorable, type MeetingFilter } from './meeting-reads.ts';

/** Whether the filter leaves anything out, for this viewer. */
function isOpen(scope: Scope, filter: MeetingFilter): boolean {
  const isGiven = Object.entries(filter).some(([name, value]) =>
    name === 'mine' ? value === true : value !== null && value !== undefined && value !== '',
  );
  return !isGiven && Object.keys(visibleMeetings(scope.viewer)).length === 0;
}

/**
 * What `whereOf` says, as conditions of an SQL statement on `online_meetings` under the name `m`; null when every
 * meeting of the tenant matches. A test holds the two against each other.
 */
export function meetingConditions(
  scope: Scope,
  filter: MeetingFilter,
  now: Date,
  seesArtifacts: boolean,
): Prisma.Sql | null {
  if (isOpen(scope, filter)) return null;
  const { viewer } = scope;
  const conditions: Prisma.Sql[] = [];
  const { clientId } = visibleMeetings(viewer);
  if (clientId !== undefined) conditions.push(Prisma.sql`m.client_id = ${clientId}`);
  if (filter.clientId)
    conditions.push(isStorable(filter.clientId) ? Prisma.sql`m.client_id = ${filter.clientId}` : Prisma.sql`false`);
  if (filter.startsFrom) conditions.push(Prisma.sql`m.starts_at >= ${filter.startsFrom}`);
  if (filter.startsBefore) conditions.push(Prisma.sql`m.starts_at < ${filter.startsBefore}`);
  if (typeof filter.hasRecordings === 'boolean') {
    const some = Prisma.sql`EXISTS (SELECT FROM meeting_recordings r WHERE r.tenant_id = m.tenant_id AND r.meeting_id = m.id)`;
    if (seesArtifacts) conditions.push(filter.hasRecordings ? some : Prisma.sql`NOT ${some}`);
    else if (filter.hasRecordings) conditions.push(Prisma.sql`false`);
  }
  if (filter.status) {
    const byStatus = filter.status.map((status) => {
      if (status === 'ENDED') return Prisma.sql`(m.status = 'SCHEDULED' AND m.ends_at <= ${now})`;
      if (status === 'SCHEDULED') return Prisma.sql`(m.status = 'SCHEDULED' AND m.ends_at > ${now})`;
      return Prisma.sql`m.status::text = ${status}`;
    });
    conditions.push(byStatus.length === 0 ? Prisma.sql`false` : Prisma.sql`(${Prisma.join(byStatus, ' OR ')})`);
  }
  if (filter.mine) {
    const attends =
      viewer.kind === 'client'
        ? Prisma.sql`a.contact_id = ${viewer.contactId ?? viewer.id}`
        : Prisma.sql`a.user_id = ${viewer.id}`;
    conditions.push(Prisma.sql`(m.created_by = ${viewer.id} OR EXISTS (SELECT FROM meeting_attendees a
      WHERE a.tenant_id = m.tenant_id AND a.meeting_id = m.id AND NOT a.is_removed AND ${attends}))`);
  }
  return conditions.length === 0 ? null : Prisma.join(conditions, ' AND ');
}
