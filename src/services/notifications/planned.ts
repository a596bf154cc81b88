import type { TenantPrisma } from '../../db/database.ts';
import { addJob } from '../../db/job-queue.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import type { MicrosoftCloud } from '../../generated/prisma/enums.ts';

/** For a tenant's subscriptions only one job runs at a time. */
const SERIAL = 'all';

/** Long before any clock that tests may set: due at once. */
const AT_ONCE = new Date(0);

/**
 * Brings the tenant's subscriptions to what is wanted, at once, and tries again what failed; call it in the transaction
 * that changes app, organizer or status.
 */
export async function planSubscriptions(prisma: TenantPrisma): Promise<void> {
  await prisma.graphSubscription.updateMany({
    where: { lastFailure: { not: Prisma.AnyNull } },
    data: { nextAttemptAt: AT_ONCE },
  });
  await planSubscriptionsNow(prisma);
}

/** The same without a second try for what failed. */
export function planSubscriptionsNow(prisma: TenantPrisma): Promise<void> {
  return addJob(prisma, 'ensure_subscriptions', {}, { key: 'now', serial: SERIAL });
}

/**
 * The job's next run. It has a key of its own: a run that ends must not put off what was asked for while it ran.
 *
 * @param delayMs null: whenever it is planned already, otherwise at once
 */
export function planSubscriptionsLater(prisma: TenantPrisma, delayMs: number | null): Promise<void> {
  const options = { key: 'later', serial: SERIAL };
  return addJob(
    prisma,
    'ensure_subscriptions',
    {},
    delayMs === null ? { ...options, keepTime: true } : { ...options, delayMs },
  );
}

/** Lets the subscriptions of an app that is being replaced be removed with its own credential. */
export async function keepCredentialForRemoval(
  prisma: TenantPrisma,
  app: { clientId: string; directoryId: string; cloud: MicrosoftCloud; credentialCiphertext: string },
): Promise<void> {
  await prisma.graphSubscription.updateMany({
    where: { appClientId: app.clientId, appDirectoryId: app.directoryId, appCloud: app.cloud },
    data: { formerCredentialCiphertext: app.credentialCiphertext },
  });
}
