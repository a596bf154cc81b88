import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { NotificationItem, SubscriptionSummary } from '../../../simulator/control.ts';
import type { NotificationOutcome, Scope } from '../../../src/services/scope.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { activate, MICROSOFT, succeed, type TestTenant, UPDATE_SETTINGS } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph, type TestSubgraphOptions } from '../../support/subgraph.ts';
import { ACME, mendMicrosoft, WITHOUT_WAITS } from '../domain/support.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const GLOBEX = MICROSOFT['tenant-b'];

/** What of a subscription's row no service shows. */
export interface SubscriptionRow {
  id: string;
  tenant_id: string;
  kind: string;
  organizer_object_id: string;
  subscription_id: string | null;
  nonce: string | null;
  expires_at: Date | null;
  renewed_at: Date | null;
  retired_at: Date | null;
  next_attempt_at: Date;
  failed_attempts: number;
  last_failure: { code: string; message: string; remedy: string | null } | null;
  former_credential_ciphertext: string | null;
}

export let subgraph: TestSubgraph;
let advancedMs = 0;

export const scopeOf = (tenantId = 'tenant-a'): Scope => ({
  viewer: backgroundViewer(tenantId),
  db: subgraph.db.forTenant(tenantId),
});

export const ensure = (tenantId = 'tenant-a') => subgraph.services.notifications.ensureSubscriptions(scopeOf(tenantId));

export const statusOf = (tenantId = 'tenant-a') => subgraph.services.notifications.subscriptionsOf(scopeOf(tenantId));

export const rows = (tenantId = 'tenant-a'): Promise<SubscriptionRow[]> =>
  subgraph.database.query(
    'SELECT * FROM graph_subscriptions WHERE tenant_id = $1 ORDER BY retired_at NULLS LAST, kind',
    [tenantId],
  );

/** What Microsoft has. */
export const atMicrosoft = (directoryId: string = ACME.directoryId): Promise<SubscriptionSummary[]> =>
  subgraph.simulator.listSubscriptions(directoryId);

export const jobs = (name: string): Promise<{ key: string; payload: Record<string, string>; run_at: Date }[]> =>
  subgraph.database.query(
    `SELECT j.key, p.payload, j.run_at FROM graphile_worker.jobs j JOIN graphile_worker._private_jobs p ON p.id = j.id
      WHERE j.task_identifier = $1 ORDER BY j.id`,
    [name],
  );

export const stored = (): Promise<{ artifact_id: string; online_meeting_id: string; times: number }[]> =>
  subgraph.database.query('SELECT * FROM graph_notifications ORDER BY artifact_id');

/** Both clocks, ours and Microsoft's. */
export async function advance(milliseconds: number): Promise<void> {
  advancedMs += milliseconds;
  subgraph.advanceClock(milliseconds);
  await subgraph.simulator.advanceClock(milliseconds);
}

/** How often each outcome was counted since the process began. */
async function outcomes(): Promise<Record<NotificationOutcome, number>> {
  const text = await (await fetch(`${subgraph.url}/metrics`)).text();
  const of = (outcome: string) => {
    const line = text
      .split('\n')
      .find((one) => one.startsWith(`teams_meetings_notifications_total{outcome="${outcome}"}`));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  return {
    stored: of('stored'),
    repeated: of('repeated'),
    malformed: of('malformed'),
    foreign: of('foreign'),
    lapsed: of('lapsed'),
    deferred: of('deferred'),
  };
}

/** What `work` adds to the counts, without the zeros. */
export async function countedBy(work: () => Promise<unknown>): Promise<Partial<Record<string, number>>> {
  const before: Record<string, number> = await outcomes();
  await work();
  const after = Object.entries(await outcomes());
  return Object.fromEntries(after.map(([name, n]) => [name, n - (before[name] ?? 0)]).filter(([, n]) => n !== 0));
}

export type Path = 'notifications' | 'lifecycle';

export async function post(
  body: unknown,
  path: Path = 'notifications',
): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(`${subgraph.url}/webhooks/graph/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export const send = (items: object[], path?: Path) => post({ value: items }, path);

let artifacts = 0;

/** A notification as Microsoft would send it for a tenant's subscription; `over` replaces parts of it. */
export async function notification(
  over: Partial<Record<keyof NotificationItem, unknown>> & { meetingId?: string; artifactId?: string } = {},
  tenant: TestTenant = 'tenant-a',
): Promise<Record<string, unknown>> {
  artifacts += 1;
  const { meetingId = 'MSoxKmE=', artifactId = `artifact-${artifacts}`, ...rest } = over;
  const { directoryId, organizerId } = MICROSOFT[tenant];
  const subscription = (await atMicrosoft(directoryId)).find(({ resource }) => resource.endsWith('getAllRecordings'));
  const resource = `users('${organizerId}')/onlineMeetings('${meetingId}')/recordings('${artifactId}')`;
  return {
    id: `notification-${artifacts}`,
    subscriptionId: subscription?.id,
    subscriptionExpirationDateTime: subscription?.expiresAt,
    changeType: 'created',
    clientState: subscription?.clientState,
    tenantId: directoryId,
    resource,
    resourceData: { id: artifactId, '@odata.type': '#Microsoft.Graph.callRecording', '@odata.id': resource },
    ...rest,
  };
}

/** Runs the jobs that bring subscriptions about. */
export async function activated(tenant: TestTenant = 'tenant-a'): Promise<string> {
  const token = await activate(subgraph, tenant);
  await subgraph.runJobs();
  return token;
}

export const update = (token: string, input: object) => succeed(subgraph, token, UPDATE_SETTINGS, input);

export async function expectNothingStored(): Promise<void> {
  expect(await stored()).toEqual([]);
  expect(await jobs('capture_online_meeting')).toEqual([]);
}

/** A subgraph that the simulator can call; each test begins without settings, subscriptions and jobs. */
export function useNotifications(options: TestSubgraphOptions = {}): void {
  beforeAll(async () => {
    subgraph = await startTestSubgraph({
      isCallable: true,
      ...options,
      graph: { ...WITHOUT_WAITS, perTryTimeoutMs: 5_000, ...options.graph },
    });
  });
  beforeEach(async () => {
    await subgraph.database.query('TRUNCATE graph_subscriptions, teams_integrations, microsoft_apps CASCADE');
    await subgraph.database.query('DELETE FROM graphile_worker._private_jobs');
    for (const { directoryId } of Object.values(MICROSOFT)) {
      for (const { id } of await atMicrosoft(directoryId)) await subgraph.simulator.loseSubscription(id);
    }
    await subgraph.simulator.setSubscriptionBehaviour({ firstRetryMs: 20 });
    await subgraph.simulator.clearRequests();
  });
  afterEach(async () => {
    subgraph.advanceClock(-advancedMs);
    await subgraph.simulator.setClock(null);
    advancedMs = 0;
    await subgraph.simulator.releaseNotifications();
    await subgraph.simulator.deliveriesDone();
    await mendMicrosoft(subgraph);
  });
  afterAll(() => subgraph.close());
}
