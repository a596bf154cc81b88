import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { openAlgaSource } from '../../../src/db/alga-source.ts';
import { type AdoptedTenant, type AdoptionOptions, makeAdoptTenant } from '../../../src/services/adoption/adoption.ts';
import type { Finding } from '../../../src/services/adoption/findings.ts';
import type { Scope } from '../../../src/services/scope.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { type AlgaDatabase, createAlgaDatabase } from '../../support/alga-database.ts';
import { MICROSOFT } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph, type TestSubgraphOptions } from '../../support/subgraph.ts';
import { WITHOUT_WAITS } from '../domain/support.ts';

export const ACME = MICROSOFT['tenant-a'];

export let subgraph: TestSubgraph;
export let alga: AlgaDatabase;
/** A tenant of its own for each test, as alga-psa names tenants. */
export let tenant: string;

export function useAdoption(options: TestSubgraphOptions = {}): void {
  beforeAll(async () => {
    [subgraph, alga] = await Promise.all([
      startTestSubgraph({ graph: WITHOUT_WAITS, ...options }),
      createAlgaDatabase(),
    ]);
  });
  beforeEach(async () => {
    tenant = randomUUID();
    await alga.empty();
    await subgraph.database.query('DELETE FROM graphile_worker._private_jobs');
  });
  afterAll(async () => {
    await Promise.all([subgraph.close(), alga.drop()]);
  });
}

export const scope = (): Scope => ({ viewer: backgroundViewer(tenant, 'import'), db: subgraph.db.forTenant(tenant) });

/** Settings in the source as a tenant of Acme has them. */
export async function integration(
  over: Parameters<AlgaDatabase['insert']>[1] = {},
  directoryId: string = ACME.directoryId,
) {
  const profile = randomUUID();
  await alga.insert('microsoft_profiles', {
    tenant,
    profile_id: profile,
    client_id: ACME.clientId.toUpperCase(),
    tenant_id: directoryId,
    client_secret_ref: 'vault:very-secret',
  });
  await alga.insert('teams_integrations', {
    tenant,
    selected_profile_id: profile,
    install_status: 'active',
    default_meeting_organizer_upn: ACME.organizer,
    default_meeting_organizer_object_id: ACME.organizerId,
    meeting_artifact_webhook_secret: 'webhook-secret',
    ...over,
  });
}

export interface Imported extends AdoptedTenant {
  findings: Finding[];
  /** What was found, as code and id in the source. */
  codes: [string, string | null][];
}

/** One run of the import over the test's tenant. */
export async function runImport(
  over: Partial<AdoptionOptions> = {},
  clock: () => Date = subgraph.services.clock,
): Promise<Imported> {
  const source = await openAlgaSource(alga.url);
  const findings: Finding[] = [];
  const adoptTenant = makeAdoptTenant({ clock, newId: randomUUID });
  try {
    const adopted = await adoptTenant(
      scope(),
      source,
      { appointmentId: 'schedule_entry', isDryRun: false, canStoreRecordings: true, ...over },
      { meetings: () => undefined, found: (some) => void findings.push(...some) },
    );
    return { ...adopted, findings, codes: findings.map(({ code, sourceId }) => [code, sourceId]) };
  } finally {
    await source.close();
  }
}

export interface StoredRow {
  id: string;
  appointment_id: string | null;
  interaction_id: string | null;
  status: string;
  subject: string;
  starts_at: Date;
  ends_at: Date;
  join_url: string | null;
  graph_event_id: string | null;
  organizer_object_id: string | null;
  version: number;
  synced_version: number;
  left_in: string | null;
  failure: { message: string } | null;
}

/** The meetings of the test's tenant. */
export const stored = () =>
  subgraph.database.query<StoredRow>('SELECT * FROM online_meetings WHERE tenant_id = $1 ORDER BY id', [tenant]);

/** Everything that the subgraph has of the test's tenant, and its jobs; but for tables that note each run. */
export async function everythingHere(without: readonly string[] = []): Promise<string> {
  const tables = await subgraph.database.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'tenant_id' AND table_schema = 'public' ORDER BY 1",
  );
  const rows = await Promise.all([
    ...tables
      .filter(({ name }) => !without.includes(name))
      .map(({ name }) =>
        subgraph.database.query(`SELECT to_jsonb(t)::text AS row FROM "${name}" t WHERE tenant_id = $1 ORDER BY 1`, [
          tenant,
        ]),
      ),
    subgraph.database.query(
      "SELECT j.key FROM graphile_worker._private_jobs j WHERE payload->>'tenantId' = $1 ORDER BY 1",
      [tenant],
    ),
  ]);
  return JSON.stringify(rows);
}
