import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { GraphServiceOptions } from '../../../src/graph/service.ts';
import type { GraphClient } from '../../../src/graph/types.ts';
import type { Scope } from '../../../src/services/scope.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import {
  activate,
  type CreatedMeeting,
  createMeeting,
  MICROSOFT,
  mutate,
  type UserErrorAnswer,
} from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, forgetTokens, mendMicrosoft, WITHOUT_WAITS } from '../domain/support.ts';

export const DAY_MS = 24 * 3_600_000;
export const HOUR_MS = 3_600_000;

const FIELDS =
  'id status subject startsAt endsAt joinUrl cancelReason failure { code message remedy willRetryAt } attendees { emailAddress response respondedAt }';
const operation = (name: string) =>
  `mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { meeting { ${FIELDS} } userErrors { code message path remedy } } }`;
const RESCHEDULE = operation('rescheduleTeamsMeeting');
const CANCEL = operation('cancelTeamsMeeting');
const RETRY = operation('retryTeamsMeeting');
const CREATE = operation('createTeamsMeeting');
const READ = `query ($id: ID!) { teamsMeeting(id: $id) { ${FIELDS} } }`;

export interface ReadMeeting {
  id: string;
  status: string;
  subject: string;
  startsAt: string;
  endsAt: string;
  joinUrl: string | null;
  cancelReason: string | null;
  failure: { code: string; message: string; remedy: string | null; willRetryAt: string | null } | null;
  attendees: { emailAddress: string; response: string; respondedAt: string | null }[];
}

export interface Answer {
  meeting: ReadMeeting | null;
  userErrors: UserErrorAnswer[];
}

/** What of a meeting's row no query shows. */
export interface Row {
  id: string;
  status: string;
  version: number;
  synced_version: number;
  graph_event_id: string | null;
  transaction_id: string;
  starts_at: Date;
  next_attempt_at: Date | null;
  failed_attempts: number;
  create_unconfirmed: boolean;
}

export let subgraph: TestSubgraph;
export let admin: string;
let appointments = 0;
let advancedMs = 0;

/** Moves the subgraph's clock until the test is over. */
export function advanceClock(milliseconds: number): void {
  advancedMs += milliseconds;
  subgraph.advanceClock(milliseconds);
}

/** An hour that begins so long from now, on a whole second. */
export function hourFromNow(milliseconds: number): { startsAt: string; endsAt: string } {
  const start = Math.trunc((Date.now() + milliseconds) / 1000) * 1000;
  return { startsAt: new Date(start).toISOString(), endsAt: new Date(start + HOUR_MS).toISOString() };
}

export const inDays = (days: number) => hourFromNow(days * DAY_MS);

/** Whether two texts name one instant. */
export const instant = (text: string) => new Date(text).getTime();

/** An input of an appointment of its own, three days ahead. */
function input(over: object): object {
  appointments += 1;
  return { appointmentId: `appt-life-${appointments}`, ...inDays(3), ...over };
}

/** Creates a meeting that must succeed. */
export function schedule(over: object = {}, token = admin): Promise<CreatedMeeting> {
  return createMeeting(subgraph, token, input(over));
}

/** Asks for a meeting that need not succeed. */
export function ask(over: object = {}): Promise<Answer> {
  return mutate<Answer>(subgraph, admin, CREATE, {
    subject: 'Quarterly review',
    clientId: 'client-acme',
    attendees: [{ emailAddress: 'jane@acme.example', name: 'Jane' }],
    ...input(over),
  });
}

export const reschedule = (meetingId: string, over: object = inDays(5)) =>
  mutate<Answer>(subgraph, admin, RESCHEDULE, { meetingId, ...over });
export const cancel = (meetingId: string) => mutate<Answer>(subgraph, admin, CANCEL, { meetingId });
export const retry = (meetingId: string) => mutate<Answer>(subgraph, admin, RETRY, { meetingId });

/** The meeting as a viewer sees it. */
export async function read(id: string, token = admin): Promise<ReadMeeting> {
  const { data, errors } = await subgraph.send<{ teamsMeeting: ReadMeeting | null }>(token, READ, { id });
  expect(errors).toEqual([]);
  if (!data?.teamsMeeting) throw new Error(`there is no meeting ${id}`);
  return data.teamsMeeting;
}

export async function rowOf(id: string): Promise<Row> {
  const [row] = await subgraph.database.query<Row>('SELECT * FROM online_meetings WHERE id = $1', [id]);
  if (row === undefined) throw new Error(`there is no row ${id}`);
  return row;
}

/** The id at Microsoft of a meeting that was made there. */
export async function eventIdOf(id: string): Promise<string> {
  return (await rowOf(id)).graph_event_id ?? '';
}

/** The events in the organizer's calendar. */
export const calendar = (user: string = ACME.organizer) => subgraph.simulator.listEvents(ACME.directoryId, user);

/** Changes the organizer in Microsoft's directory. */
export const changeUser = (change: Parameters<TestSubgraph['simulator']['updateUser']>[2]) =>
  subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, change);

function scopeOf(tenantId = 'tenant-a'): Scope {
  return { viewer: backgroundViewer(tenantId), db: subgraph.db.forTenant(tenantId) };
}

/** Does what the job does that looks over a tenant. */
export const sweep = (tenantId = 'tenant-a') => subgraph.services.sweepTenant(scopeOf(tenantId));

/** Microsoft as the tenant's app reaches it: for what somebody else's fault left in the calendar. */
export async function graphOf(tenantId = 'tenant-a'): Promise<GraphClient> {
  const graph = await subgraph.services.microsoftApp.graphFor(scopeOf(tenantId));
  if (graph === null) throw new Error('no app is connected');
  return graph;
}

/** How often a difference was found since the process began. */
export async function driftCount(kind: string): Promise<number> {
  const text = await (await fetch(`${subgraph.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`teams_meetings_drift_total{kind="${kind}"}`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** The jobs of one name that wait. */
export function jobs(name: string): Promise<{ key: string; run_at: Date }[]> {
  return subgraph.database.query(
    'SELECT key, run_at FROM graphile_worker.jobs WHERE task_identifier = $1 ORDER BY run_at',
    [name],
  );
}

/** The requests at Graph since the test began, as method and path below the user. */
export async function calls(): Promise<string[]> {
  const requests = await subgraph.simulator.requests({ host: 'graph' });
  return requests.map(({ method, path }) => `${method} ${path.replace(/^\/v1\.0\/users\/[^/]+/, '')}`);
}

/** Another organizer in the directory of tenant-a. */
export async function secondOrganizer(): Promise<{ objectId: string; upn: string }> {
  const other = { objectId: 'aaaaaaaa-0000-4000-8000-0000000000ff', upn: 'second@acme.example' };
  await subgraph.simulator.putUser({
    directoryId: ACME.directoryId,
    id: other.objectId,
    userPrincipalName: other.upn,
    teamsPolicyAppIds: [ACME.clientId],
  });
  return other;
}

/** A sweep sees the whole tenant: what an earlier test left would count. */
async function clearAway(): Promise<void> {
  await subgraph.services.idle();
  await subgraph.database.query('TRUNCATE online_meetings, calendar_cursors CASCADE');
  await subgraph.database.query('DELETE FROM graphile_worker._private_jobs');
  for (const { directoryId, organizer } of Object.values(MICROSOFT)) {
    for (const { immutableId } of await subgraph.simulator.listEvents(directoryId, organizer)) {
      await subgraph.simulator.deleteEvent(directoryId, organizer, immutableId);
    }
  }
}

/** The same viewer with a token that survives the moves of the clock. */
function lastingLonger(token: string): Promise<string> {
  const { exp: _exp, iat: _iat, iss: _iss, aud: _aud, ...claims } = decodeJwt(token);
  return subgraph.tokens.sign(claims, { expiresAt: Math.trunc((Date.now() + 30 * DAY_MS) / 1000) });
}

/** Starts a subgraph with an active tenant for the file, and gives each test an empty calendar and a good Microsoft. */
export function useLifecycle(graph: Partial<GraphServiceOptions> = {}): void {
  beforeAll(async () => {
    subgraph = await startTestSubgraph({ graph: { ...WITHOUT_WAITS, perTryTimeoutMs: 2_500, ...graph } });
    admin = await lastingLonger(await activate(subgraph));
  });
  beforeEach(async () => {
    await clearAway();
    await subgraph.simulator.clearRequests();
  });
  afterEach(async () => {
    subgraph.advanceClock(-advancedMs);
    advancedMs = 0;
    await subgraph.simulator.setMarkerFilter({ combined: 'served' });
    await subgraph.simulator.setIfMatch('checked');
    await subgraph.simulator.setTransactionMemory('untilDeleted');
    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
  });
  afterAll(() => subgraph.close());
}
