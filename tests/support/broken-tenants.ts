import { BROKEN_CREDENTIALS, BROKEN_PERMISSIONS, connectSecret } from './broken-tenants/app.ts';
import { type BrokenTenant, repair } from './broken-tenants/broken-tenant.ts';
import { BROKEN_MAILBOXES, BROKEN_USERS } from './broken-tenants/organizer.ts';
import { OUTAGES } from './broken-tenants/outages.ts';
import { BROKEN_POLICIES, BROKEN_SWITCHES, BROKEN_WEBHOOKS } from './broken-tenants/teams.ts';
import type { TestSubgraph } from './subgraph.ts';

export type { BrokenTenant } from './broken-tenants/broken-tenant.ts';

/** Every way in which tenant-a can be broken at Microsoft. Its subgraph has to be callable (`isCallable`). */
export const BROKEN_TENANTS: readonly BrokenTenant[] = [
  ...BROKEN_CREDENTIALS,
  ...BROKEN_PERMISSIONS,
  ...BROKEN_USERS,
  ...BROKEN_MAILBOXES,
  ...BROKEN_POLICIES,
  ...BROKEN_SWITCHES,
  ...BROKEN_WEBHOOKS,
  ...OUTAGES,
];

/** Makes tenant-a whole again, as an administrator would who did what the remedies say. */
export async function repairTenant(subgraph: TestSubgraph): Promise<void> {
  await repair(subgraph);
  await connectSecret(subgraph);
}
