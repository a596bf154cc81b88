import { demoWorld } from '../../../simulator/seed.ts';
import type { GraphServiceOptions } from '../../../src/graph/service.ts';
import { MICROSOFT, type UserErrorAnswer } from '../../support/setup.ts';
import type { TestSubgraph } from '../../support/subgraph.ts';

/** Microsoft's side of tenant-a in the simulator. */
export const ACME = MICROSOFT['tenant-a'];

/** Every application permission that the product asks for. */
export const ROLES = [
  'Calendars.ReadWrite',
  'OnlineMeetings.ReadWrite.All',
  'OnlineMeetingRecording.Read.All',
  'OnlineMeetingTranscript.Read.All',
  'User.Read.All',
];

/** The waits between tries take no time; how often and in which order is tried stays as it is. */
export const WITHOUT_WAITS: Partial<GraphServiceOptions> = {
  sleep: async (_milliseconds, signal) => signal?.throwIfAborted(),
  random: () => 0,
};

/** More often than any call is tried. */
export const ALWAYS = 1000;

export const TOKEN_ENDPOINT = '/oauth2/v2.0/token';

/** Ends all faults and gives directories, apps and users their good state back; events and meetings stay. */
export async function mendMicrosoft(subgraph: TestSubgraph): Promise<void> {
  await subgraph.simulator.clearFaults();
  await subgraph.simulator.load(demoWorld());
  await subgraph.simulator.setPaging({});
  await subgraph.simulator.setContentMode('range');
  await subgraph.simulator.setJoinUrlMiss('empty');
  await subgraph.simulator.setDeletedItems('gone');
}

/** Drops the tokens that the subgraph holds for an app, as their expiry would. */
export async function forgetTokens(subgraph: TestSubgraph, tenantId = 'tenant-a'): Promise<void> {
  const viewer = { tenantId, id: 'test', kind: 'msp' as const, permissions: new Set<never>() };
  await subgraph.services.microsoftApp.refreshTokens({ viewer, db: subgraph.db.forTenant(tenantId) });
}

/** An admin of a tenant that nobody has used yet. */
export async function newTenant(subgraph: TestSubgraph, name: string): Promise<{ tenantId: string; admin: string }> {
  return { tenantId: name, admin: await subgraph.tokens.token('admin', { tenant_id: name }) };
}

export interface AuditRow {
  actor: string;
  operation: string;
  outcome: string;
  meeting_id: string | null;
  detail: Record<string, unknown>;
}

/** The audit trail of a tenant, oldest first. */
export function auditOf(subgraph: TestSubgraph, tenantId: string, operation: string): Promise<AuditRow[]> {
  return subgraph.database.query<AuditRow>(
    'SELECT actor, operation, outcome, meeting_id, detail FROM audit_events WHERE tenant_id = $1 AND operation = $2 ORDER BY at, id',
    [tenantId, operation],
  );
}

/** A JSON web token: head and body both begin with `{"`. Three letters alone stand in ciphertexts by chance. */
export const ANY_TOKEN = /eyJ[\w-]{5,}\.eyJ[\w-]{5,}/;

/** Every row of every table as text, to look for what must not be stored. */
export async function everythingStored(subgraph: TestSubgraph): Promise<string> {
  const tables = await subgraph.database.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
  );
  const rows = await Promise.all(
    tables.map(({ name }) =>
      subgraph.database.query<{ row: string }>(`SELECT row_to_json(t)::text AS row FROM "${name}" t`),
    ),
  );
  return rows
    .flat()
    .map(({ row }) => row)
    .join('\n');
}

/** The parts of user errors by which a client branches. */
export function branches(errors: UserErrorAnswer[]): { code: string; path: string | null }[] {
  return errors.map(({ code, path }) => ({ code, path: path === null ? null : path.join('.') }));
}

/** Escapes text for use in the regular expression of a simulator fault. */
export function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
