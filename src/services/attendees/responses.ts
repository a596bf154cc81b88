import type { TenantPrisma } from '../../db/database.ts';
import type { GraphClient, GraphEventAttendee } from '../../graph/types.ts';
import type { Meeting, StoredAttendee } from '../meetings/meeting.ts';
import { attendeesOf } from '../meetings/sync/claim.ts';
import type { Scope } from '../scope.ts';

/** Microsoft's words for an answer (Microsoft Learn: responseStatus); the others say that there is none. */
const RESPONSES: Record<string, StoredAttendee['response']> = {
  tentativelyaccepted: 'TENTATIVE',
  accepted: 'ACCEPTED',
  declined: 'DECLINED',
};

type Answer = Pick<StoredAttendee, 'meetingId' | 'emailAddress' | 'response' | 'respondedAt'>;

/** The answers in the organizer's calendar that are not stored so far. */
export function newResponses(stored: readonly StoredAttendee[], inCalendar: readonly GraphEventAttendee[]): Answer[] {
  const byAddress = new Map(inCalendar.map((attendee) => [attendee.emailAddress.toLowerCase(), attendee]));
  return stored.flatMap(({ meetingId, emailAddress, ...before }) => {
    const found = byAddress.get(emailAddress.toLowerCase());
    if (found === undefined) return [];
    const response = RESPONSES[found.response.toLowerCase()] ?? 'NONE';
    const respondedAt = response === 'NONE' ? null : found.respondedAt;
    const isKnown = response === before.response && respondedAt?.getTime() === before.respondedAt?.getTime();
    return isKnown ? [] : [{ meetingId, emailAddress, response, respondedAt }];
  });
}

export async function storeResponses(prisma: TenantPrisma, answers: readonly Answer[]): Promise<void> {
  for (const { meetingId, emailAddress, response, respondedAt } of answers) {
    await prisma.meetingAttendee.updateMany({ where: { meetingId, emailAddress }, data: { response, respondedAt } });
  }
}

/** Asks the organizer's calendar who comes, and stores it. @throws GraphRequestError */
export async function readResponses(
  scope: Scope,
  graph: GraphClient,
  organizerId: string,
  { id, graphEventId }: Meeting,
): Promise<void> {
  if (graphEventId === null) return;
  const event = await graph.events.get(organizerId, graphEventId);
  await scope.db.run(async (prisma) => {
    await storeResponses(prisma, newResponses(await attendeesOf(prisma, id), event.attendees));
  });
}
