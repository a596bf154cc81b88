import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { MeetingTookPlaceInput, MeetingTookPlaceResult } from '../../../simulator/control-types.ts';
import type { Scope } from '../../../src/services/scope.ts';
import { backgroundViewer, PERMISSIONS } from '../../../src/services/viewer.ts';
import { activate, type CreatedMeeting, createMeeting } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph, type TestSubgraphOptions } from '../../support/subgraph.ts';
import { storeMeeting } from '../access/rows.ts';
import { ACME, forgetTokens, mendMicrosoft, ROLES, WITHOUT_WAITS } from '../domain/support.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

const MEETING = `id recordings { id createdAt } transcripts { id text } attendanceReports { id participantCount startedAt endedAt records { emailAddress name role totalSeconds } }
  artifactCapture { state attempts lastAttemptAt nextAttemptAt failure { code remedy } }`;

export interface CapturedMeeting {
  id: string;
  recordings: { id: string; createdAt: string }[];
  transcripts: { id: string; text: string }[];
  attendanceReports: {
    id: string;
    participantCount: number;
    records: { emailAddress: string | null; name: string | null; role: string | null; totalSeconds: number }[];
  }[];
  artifactCapture: {
    state: string;
    attempts: number;
    lastAttemptAt: string | null;
    nextAttemptAt: string | null;
    failure: { code: string; remedy: string | null } | null;
  };
}

export let subgraph: TestSubgraph;
export let admin: string;
let appointments = 0;
let advancedMs = 0;

/** A subgraph with an active tenant; every test begins with a Microsoft in good state and the time as it is. */
export function useCapture(options: TestSubgraphOptions = {}): void {
  beforeAll(async () => {
    subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS, ...options });
  });
  beforeEach(async () => {
    await mendMicrosoft(subgraph);
    await subgraph.database.query('DELETE FROM online_meetings');
    await subgraph.database.query('DELETE FROM artifact_cursors');
    await subgraph.database.query('DELETE FROM graphile_worker._private_jobs');
    await activate(subgraph);
    admin = await lastingToken();
    await subgraph.runJobs();
    await subgraph.simulator.clearRequests();
  });
  afterEach(() => {
    subgraph.advanceClock(-advancedMs);
    advancedMs = 0;
  });
  afterAll(() => subgraph.close());
}

/** An administrator's token that is good for as long as a test moves the clock. */
function lastingToken(): Promise<string> {
  return subgraph.tokens.sign(
    { sub: 'user-admin', kind: 'msp', permissions: [...PERMISSIONS], tenant_id: 'tenant-a' },
    { expiresAt: Math.floor(Date.now() / 1000) + 90 * 24 * 3600 },
  );
}

/** Moves the subgraph's clock until the test is over. */
export function advanceClock(milliseconds: number): void {
  advancedMs += milliseconds;
  subgraph.advanceClock(milliseconds);
}

export const scopeOf = (tenantId = 'tenant-a'): Scope => ({
  viewer: backgroundViewer(tenantId),
  db: subgraph.db.forTenant(tenantId),
});

/** A meeting that has ended so long ago; negative for one that ends in the future. */
export function endedMeeting(agoMs = 10 * MINUTE_MS, token = admin): Promise<CreatedMeeting> {
  appointments += 1;
  const end = Math.trunc((Date.now() + advancedMs - agoMs) / 1000) * 1000;
  return createMeeting(subgraph, token, {
    appointmentId: `appt-capture-${appointments}`,
    startsAt: new Date(end - HOUR_MS).toISOString(),
    endsAt: new Date(end).toISOString(),
  });
}

/** Lets it happen; by default with one recording and one transcript. */
export const takesPlace = (
  { joinUrl }: CreatedMeeting,
  over: Partial<MeetingTookPlaceInput> = {},
): Promise<MeetingTookPlaceResult> =>
  subgraph.simulator.meetingTookPlace({ directoryId: ACME.directoryId, joinUrl: joinUrl ?? '', ...over });

/**
 * Stores meetings that took place an hour ago and are in the organizer's calendar, their ids at Teams known or not;
 * resolves with their join links.
 */
export async function storeMany(count: number, { areResolved = true } = {}): Promise<string[]> {
  const graph = await subgraph.services.microsoftApp.graphFor(scopeOf());
  if (graph === null) throw new Error('no app is connected');
  const startsAt = new Date(Date.now() - 2 * HOUR_MS);
  const endsAt = new Date(Date.now() - HOUR_MS);
  const numbers = Array.from({ length: count }, (_, i) => i);
  const joinUrls: string[] = [];
  for (let at = 0; at < count; at += 4) {
    const made = await Promise.all(
      numbers.slice(at, at + 4).map((i) =>
        graph.events.create(ACME.organizer, {
          subject: `Meeting ${i}`,
          startsAt,
          endsAt,
          bodyHtml: '',
          attendees: [],
          transactionId: randomUUID(),
        }),
      ),
    );
    joinUrls.push(...made.flatMap(({ joinUrl }) => joinUrl ?? []));
  }
  const meetings = await subgraph.simulator.listMeetings(ACME.directoryId, ACME.organizer);
  const idOf = new Map(meetings.map(({ id, joinWebUrl }) => [joinWebUrl, id]));
  for (const joinUrl of joinUrls) {
    await storeMeeting(subgraph, 'tenant-a', {
      startsAt,
      endsAt,
      appointmentId: joinUrl,
      joinUrl,
      graphOnlineMeetingId: areResolved ? (idOf.get(joinUrl) ?? null) : null,
      organizerObjectId: ACME.organizerId,
    });
  }
  return joinUrls;
}

/** What the job that runs every few minutes does. */
export const capture = (tenantId = 'tenant-a') => subgraph.services.capture.tenant(scopeOf(tenantId));

/** As the MSP's own users see it. */
export async function read({ id }: { id: string }, token = admin): Promise<CapturedMeeting> {
  const query = `query ($id: ID!) { teamsMeeting(id: $id) { ${MEETING} } }`;
  const { data, errors } = await subgraph.send<{ teamsMeeting: CapturedMeeting | null }>(token, query, { id });
  expect(errors).toEqual([]);
  if (!data?.teamsMeeting) throw new Error(`there is no meeting ${id}`);
  return data.teamsMeeting;
}

export const stateOf = async (meeting: { id: string }) => (await read(meeting)).artifactCapture.state;

/** How many calls of Graph went out, a batch being one. */
export async function roundTrips(): Promise<number> {
  return (await subgraph.simulator.requests({ host: 'graph' })).length;
}

interface BatchBody {
  requests?: { url: string }[];
}

/** How many reads of Graph have a path like this, those inside batches among them. */
export async function calls(path: RegExp): Promise<number> {
  const asked = await subgraph.simulator.requests({ host: 'graph' });
  const paths = asked.flatMap((request) => {
    const inside = (request.body as BatchBody | null)?.requests;
    return inside === undefined ? [request.path] : inside.map(({ url }) => `/v1.0${url.split('?')[0]}`);
  });
  return paths.filter((one) => path.test(decodeURIComponent(one))).length;
}

export async function setRoles(change: { without?: string; with?: string }): Promise<void> {
  const roles = [...ROLES.filter((role) => role !== change.without), ...(change.with ? [change.with] : [])];
  await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { roles });
  await forgetTokens(subgraph);
}
