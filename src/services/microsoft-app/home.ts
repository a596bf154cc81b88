import type { TenantPrisma } from '../../db/database.ts';
import type { MicrosoftCloudName } from '../../graph/types.ts';

/** Where Microsoft holds what an app made: its cloud, and its directory by the object id where that is known. */
export function homeOf(app: {
  cloud: MicrosoftCloudName;
  directoryId: string;
  directoryObjectId: string | null;
}): string {
  return `${app.cloud}/${app.directoryObjectId ?? app.directoryId}`;
}

/**
 * Marks what is at Microsoft as left in the former home, and takes the mark off what is in the new one: ids and links of
 * one directory or cloud are never sent to another. Whoever is talking to the former one loses the lease, so that
 * nothing of it is stored any more; what was not certainly made there is made anew. Call it in the transaction that
 * changes the app.
 */
export async function moveHome(prisma: TenantPrisma, from: string, to: string): Promise<void> {
  if (from === to) return;
  const letGo = { leaseToken: null, leasedUntil: null };
  await prisma.onlineMeeting.updateMany({
    where: { leftIn: null, OR: [{ graphEventId: { not: null } }, { joinUrl: { not: null } }] },
    data: { leftIn: from, ...letGo },
  });
  await prisma.onlineMeeting.updateMany({
    where: { leftIn: null, OR: [{ createUnconfirmed: true }, { leaseToken: { not: null } }] },
    data: { createUnconfirmed: false, lateCreateUntil: null, ...letGo },
  });
  await prisma.onlineMeeting.updateMany({ where: { leftIn: to }, data: { leftIn: null } });
}
