import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { openBlobStore } from '../../../src/blobs/open-blob-store.ts';
import type { Scope, ServiceTools } from '../../../src/services/scope.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { activate, type TestTenant, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph, type TestSubgraphOptions } from '../../support/subgraph.ts';
import { mendMicrosoft, WITHOUT_WAITS } from '../domain/support.ts';

const REPORT =
  'overall ranAt recommendations steps { name title status detail remedy durationMs } permissions { name grantedInToken usedFor required }';
const RUN = `mutation { runTeamsDiagnostics { report { ${REPORT} } userErrors { code message path remedy } } }`;
const READ = `{ teamsDiagnostics { ${REPORT} } }`;

export interface Step {
  name: string;
  title: string;
  status: 'PASS' | 'WARN' | 'FAIL' | 'SKIP';
  detail: string;
  remedy: string | null;
  durationMs: number;
}

export interface Report {
  overall: Step['status'];
  ranAt: string;
  steps: Step[];
  permissions: { name: string; grantedInToken: boolean | null; usedFor: string; required: boolean }[];
  recommendations: string[];
}

export let subgraph: TestSubgraph;
export let admin: string;
let directory: string;
let advancedMs = 0;

/** Where the store of recordings lies. */
export const blobDirectory = () => directory;

/** What services work with, for one that a test makes by itself. */
export function tools(): ServiceTools {
  const level = (fields: object, msg: string) => void subgraph.logs.push({ ...fields, msg });
  return {
    clock: () => new Date(),
    newId: uuidv7,
    sleep: async () => undefined,
    random: () => 0,
    logger: { debug: level, info: level, warn: level, error: level },
    metrics: {
      driftFound: () => undefined,
      operationEnded: () => undefined,
      artifactsCaptured: () => undefined,
      notificationsReceived: () => undefined,
    },
  };
}

export const scopeOf = (tenantId = 'tenant-a'): Scope => ({
  viewer: backgroundViewer(tenantId, 'test'),
  db: subgraph.db.forTenant(tenantId),
});

/** Runs the mutation, as the tenant's admin unless told otherwise. */
export async function diagnose(token = admin): Promise<Report> {
  const { data, errors } = await subgraph.send<{
    runTeamsDiagnostics: { report: Report | null; userErrors: UserErrorAnswer[] };
  }>(token, RUN);
  const report = data?.runTeamsDiagnostics.report;
  if (errors.length > 0 || !report) throw new Error(JSON.stringify(errors, null, 2));
  return report;
}

/** What the last one said. */
export async function latest(token = admin): Promise<Report | null> {
  const { data, errors } = await subgraph.send<{ teamsDiagnostics: Report | null }>(token, READ);
  if (errors.length > 0 || !data) throw new Error(JSON.stringify(errors, null, 2));
  return data.teamsDiagnostics;
}

export const stepOf = ({ steps }: Report, name: string): Step => {
  const step = steps.find((one) => one.name === name);
  if (step === undefined) throw new Error(`There is no step ${name} among ${steps.map((one) => one.name).join(', ')}`);
  return step;
};

/** Diagnoses and gives one step of it. */
export const diagnosed = async (name: string, token = admin): Promise<Step> => stepOf(await diagnose(token), name);

export const statuses = ({ steps }: Report) => Object.fromEntries(steps.map(({ name, status }) => [name, status]));

export const namesOf = ({ steps }: Report, status: Step['status']) =>
  steps.filter((step) => step.status === status).map(({ name }) => name);

/** Moves our clock, and the simulator's with it unless told otherwise; set back after the test. */
export async function advance(milliseconds: number, { simulator = true } = {}): Promise<void> {
  advancedMs += milliseconds;
  subgraph.advanceClock(milliseconds);
  if (simulator) await subgraph.simulator.advanceClock(milliseconds);
}

/** Runs SQL past row security, as something outside would have changed the database. */
export const sql = (text: string, ...values: unknown[]) =>
  subgraph.database.query<Record<string, unknown>>(text, values);

export const activeTenant = (tenant: TestTenant = 'tenant-a') => activate(subgraph, tenant);

/** What tests change behind the back of the services; put back after each test. */
const TABLES = [
  'teams_integrations',
  'microsoft_apps',
  'organizer_verifications',
  'graph_subscriptions',
  'artifact_cursors',
  'online_meetings',
];

async function takeSnapshot(): Promise<void> {
  await sql('CREATE SCHEMA snapshot');
  for (const table of TABLES) await sql(`CREATE TABLE snapshot.${table} AS TABLE ${table}`);
}

/** Everything is again as it was before the first test of the file. */
async function restoreSnapshot(): Promise<void> {
  await sql(`TRUNCATE ${TABLES.join(', ')} CASCADE`);
  for (const table of TABLES) await sql(`INSERT INTO ${table} SELECT * FROM snapshot.${table}`);
  await sql("DELETE FROM graphile_worker._private_jobs WHERE key LIKE 'test:%' OR key IS NULL");
}

/** A subgraph with an active tenant that the simulator can call, a store of recordings, and a good Microsoft for each test. */
export function useDiagnosing(options: TestSubgraphOptions = {}): void {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diagnostics-test-'));
    const blobs = await openBlobStore({ kind: 'file', folder: directory });
    subgraph = await startTestSubgraph({
      isCallable: true,
      ...options,
      graph: { ...WITHOUT_WAITS, ...options.graph },
      services: { blobs, ...options.services },
    });
    admin = await activate(subgraph);
    await subgraph.runJobs();
    await subgraph.send(admin, 'mutation { verifyTeamsOrganizer { userErrors { code } } }');
    await subgraph.runJobs();
    await takeSnapshot();
  });
  afterEach(async () => {
    subgraph.advanceClock(-advancedMs);
    advancedMs = 0;
    await subgraph.simulator.setClock(null);
    await mendMicrosoft(subgraph);
    await restoreSnapshot();
  });
  afterAll(async () => {
    await subgraph.close();
    await rm(directory, { recursive: true, force: true });
  });
}
