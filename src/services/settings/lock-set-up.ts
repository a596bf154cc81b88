import type { TenantPrisma } from '../../db/database.ts';

/**
 * Lets only one at a time change the tenant's app, organizer and settings, until the transaction ends: what each of them
 * decides depends on the others' rows, which may not even exist yet.
 */
export async function lockSetUp(prisma: TenantPrisma): Promise<void> {
  await prisma.$executeRaw`
    SELECT pg_advisory_xact_lock(hashtextextended('set-up:' || current_setting('app.tenant_id'), 0))`;
}

/**
 * Keeps the set-up from being changed until the transaction ends; any number may do so at once. Call it before any row is
 * locked: who changes the set-up locks rows after it.
 */
export async function holdSetUp(prisma: TenantPrisma): Promise<void> {
  await prisma.$executeRaw`
    SELECT pg_advisory_xact_lock_shared(hashtextextended('set-up:' || current_setting('app.tenant_id'), 0))`;
}
