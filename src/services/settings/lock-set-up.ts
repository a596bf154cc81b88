import type { TenantPrisma } from '../../db/database.ts';

/**
 * Lets only one at a time change the tenant's app, organizer and settings, until the transaction ends: what each of them
 * decides depends on the others' rows, which may not even exist yet.
 */
export async function lockSetUp(prisma: TenantPrisma): Promise<void> {
  await prisma.$executeRaw`
    SELECT pg_advisory_xact_lock(hashtextextended('set-up:' || current_setting('app.tenant_id'), 0))`;
}
