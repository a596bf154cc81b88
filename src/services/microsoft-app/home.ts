import type { TenantPrisma } from '../../db/database.ts';
import type { MicrosoftCloudName } from '../../graph/types.ts';
import { GUID } from './credential.ts';

/** Where Microsoft holds what an app made, and the app. */
export interface Home {
  clientId: string;
  cloud: MicrosoftCloudName;
  /** As the admin named the directory: its object id, or one of its domains. */
  directoryId: string;
  /** By the token; null where it was not said, and for apps that an earlier release connected. */
  directoryObjectId: string | null;
}

/** The names by which a home may have been noted, the surest first. */
function namesOf({ cloud, directoryId, directoryObjectId }: Omit<Home, 'clientId'>): [string, ...string[]] {
  const named = `${cloud}/${directoryId}`;
  return directoryObjectId === null ? [named] : [`${cloud}/${directoryObjectId}`, named];
}

/** Whether a domain is all that is known of the directory: it may be the one that another home names by its object id. */
export function isKnownByDomainOnly({ directoryId, directoryObjectId }: Home): boolean {
  return directoryObjectId === null && !GUID.test(directoryId);
}

/**
 * Where it cannot be told, one app of one cloud is taken to have stayed where it was: meetings that everybody can still
 * join must not be out of reach because a secret was renewed.
 */
function isSameHome(before: Home, after: Home): boolean {
  const names = namesOf(after);
  if (namesOf(before).some((name) => names.includes(name))) return true;
  return isKnownByDomainOnly(before) && before.cloud === after.cloud && before.clientId === after.clientId;
}

/**
 * Marks what is at Microsoft as left in the former home, and takes the mark off what is in the new one: ids and links of
 * one directory or cloud are never sent to another. Whoever is talking to the former one loses the lease, so that
 * nothing of it is stored any more; what was not certainly made there is made anew. Call it in the transaction that
 * changes the app.
 */
export async function moveHome(prisma: TenantPrisma, before: Home, after: Home): Promise<void> {
  if (isSameHome(before, after)) return;
  const letGo = { leaseToken: null, leasedUntil: null };
  // First those that are being made: one whose making is stored at this moment is then seen by the statement after it.
  await prisma.onlineMeeting.updateMany({
    where: {
      leftIn: null,
      graphEventId: null,
      joinUrl: null,
      OR: [{ createUnconfirmed: true }, { leaseToken: { not: null } }],
    },
    data: { createUnconfirmed: false, lateCreateUntil: null, ...letGo },
  });
  await prisma.onlineMeeting.updateMany({
    where: { leftIn: null, OR: [{ graphEventId: { not: null } }, { joinUrl: { not: null } }] },
    data: { leftIn: namesOf(before)[0], ...letGo },
  });
  await prisma.onlineMeeting.updateMany({ where: { leftIn: { in: namesOf(after) } }, data: { leftIn: null } });
}

/** Where an import says that the tenant's meetings were made; null where it does not. */
export async function adoptedHome(prisma: TenantPrisma): Promise<Home | null> {
  const row = await prisma.adoption.findFirst({ select: { appClientId: true, appDirectoryId: true } });
  if (row === null || row.appClientId === null || row.appDirectoryId === null) return null;
  const directoryId = row.appDirectoryId;
  return {
    clientId: row.appClientId,
    cloud: 'GLOBAL',
    directoryId,
    directoryObjectId: GUID.test(directoryId) ? directoryId : null,
  };
}

/** What marks a meeting that was made in this home as left there; null while an app of it, or none, is connected. */
export async function leftInHome(prisma: TenantPrisma, home: Home): Promise<string | null> {
  const app = await prisma.microsoftApp.findFirst({
    select: { clientId: true, cloud: true, directoryId: true, directoryObjectId: true },
  });
  return app === null || isSameHome(home, app) ? null : namesOf(home)[0];
}

/** The names of the home of the app that is connected at this moment; none without an app. Two lists that share a name are of one home. */
export async function namesOfTodaysHome(prisma: TenantPrisma): Promise<string[]> {
  const app = await prisma.microsoftApp.findFirst({
    select: { cloud: true, directoryId: true, directoryObjectId: true },
  });
  return app === null ? [] : namesOf(app);
}
