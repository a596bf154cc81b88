import type { TenantPrisma } from '../../db/database.ts';
import type { TeamsIntegration } from '../../generated/prisma/client.ts';
import type { AppIdentity } from './organizer.ts';

type Organizer = Pick<TeamsIntegration, 'organizerObjectId' | 'organizerUpn'>;

/**
 * Names the app and the organizer that a verification or a diagnosis is about, so that what was found of others is not
 * told as today's. For comparing only; a new credential of the same app is the same set-up.
 */
export function setUpOf(app: AppIdentity | null, organizer: Organizer | null): string {
  const who = organizer?.organizerObjectId ?? organizer?.organizerUpn?.toLowerCase() ?? '-';
  return app === null ? `-/${who}` : `${app.cloud}/${app.directoryId}/${app.clientId}/${who}`;
}

/** The name of the set-up that is stored at this moment. */
export async function todaysSetUp(prisma: TenantPrisma): Promise<string> {
  const app = await prisma.microsoftApp.findFirst({ select: { clientId: true, directoryId: true, cloud: true } });
  const organizer = await prisma.teamsIntegration.findFirst({
    select: { organizerObjectId: true, organizerUpn: true },
  });
  return setUpOf(app, organizer);
}
