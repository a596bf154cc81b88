import type { TenantPrisma } from '../../db/database.ts';
import type { Attendee } from '../attendees/attendees.ts';
import { attendeesOf } from './sync/claim.ts';

const key = (attendee: { emailAddress: string }) => attendee.emailAddress.toLowerCase();

function isSame(
  stored: Attendee & { position: number; isRemoved: boolean },
  wish: Attendee,
  position: number,
): boolean {
  return (
    !stored.isRemoved &&
    stored.position === position &&
    stored.emailAddress === wish.emailAddress &&
    stored.name === wish.name &&
    stored.kind === wish.kind &&
    stored.contactId === wish.contactId &&
    stored.userId === wish.userId
  );
}

/**
 * Stores who is to be invited from now on. Who stays keeps their answer; who was taken off stays stored as removed
 * until Microsoft has been told.
 *
 * @returns whether anything has changed
 */
export async function replaceAttendees(
  prisma: TenantPrisma,
  meetingId: string,
  wanted: readonly Attendee[],
): Promise<boolean> {
  const stored = await attendeesOf(prisma, meetingId);
  const byAddress = new Map(stored.map((attendee) => [key(attendee), attendee]));
  const wantedAddresses = new Set(wanted.map(key));
  const removed = stored.filter((attendee) => !attendee.isRemoved && !wantedAddresses.has(key(attendee)));
  if (removed.length > 0) {
    await prisma.meetingAttendee.updateMany({
      where: { meetingId, emailAddress: { in: removed.map(({ emailAddress }) => emailAddress) } },
      data: { isRemoved: true },
    });
  }
  const changed = wanted.flatMap((wish, position) => {
    const earlier = byAddress.get(key(wish));
    return earlier !== undefined && isSame(earlier, wish, position) ? [] : [{ wish, position, earlier }];
  });
  await prisma.meetingAttendee.createMany({
    data: changed.flatMap(({ wish, position, earlier }) => (earlier ? [] : [{ ...wish, meetingId, position }])),
  });
  for (const { wish, position, earlier } of changed) {
    if (earlier === undefined) continue;
    await prisma.meetingAttendee.updateMany({
      where: { meetingId, emailAddress: earlier.emailAddress },
      data: { ...wish, position, isRemoved: false },
    });
  }
  return removed.length > 0 || changed.length > 0;
}
