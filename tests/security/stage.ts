import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';
import { expect } from 'vitest';
import { PERMISSIONS } from '../../src/services/viewer.ts';
import { storeMeeting, vttOf } from '../integration/access/rows.ts';
import { newSecret } from '../integration/psa-events/support.ts';
import { activate, captureMeeting, createMeeting, MICROSOFT, type TestTenant } from '../support/setup.ts';
import { startTestSubgraph, type TestSubgraph, type TestSubgraphOptions } from '../support/subgraph.ts';

/** What of a tenant can be asked for, and what nobody else may be told. */
export interface Target {
  tenantId: TestTenant;
  meetingId: string;
  appointmentId: string;
  interactionId: string;
  recordingId: string;
  transcriptId: string;
  /** Said in a transcript, and part of every subject. */
  word: string;
  /** Texts of which none may be in an answer to somebody else. */
  secrets: string[];
}

export interface Stage {
  subgraph: TestSubgraph;
  psaSecret: string;
  /** The victim, whose client is `client-acme`. */
  a: Target;
  /** The tenant of the attacker. */
  b: Target;
  /** `GET /health/live` and so on, as Fastify has them. */
  routes: readonly string[];
  /** Runs an attempt that must change nothing in any table of any tenant. */
  withoutEffect<T>(attempt: () => Promise<T>): Promise<T>;
  /** The same for the tables of one tenant: what happens to the attacker's own is the attacker's business. */
  withoutEffectOn<T>(tenantId: TestTenant, attempt: () => Promise<T>): Promise<T>;
  /** To be called after something that was meant to change the database. */
  wasChanged(): void;
}

/** Runs `work` and tells the routes of the subgraph that it made; the simulator is made with Fastify as well. */
async function withRoutes<T>(work: () => Promise<T>): Promise<{ made: T; routes: string[] }> {
  const apps: string[][] = [];
  const listen = (message: unknown) => {
    const routes: string[] = [];
    apps.push(routes);
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) routes.push(`${one} ${url}`);
    });
  };
  subscribe('fastify.initialization', listen);
  try {
    const made = await work();
    return { made, routes: apps.find((routes) => routes.includes('POST /graphql')) ?? [] };
  } finally {
    unsubscribe('fastify.initialization', listen);
  }
}

async function target(subgraph: TestSubgraph, tenantId: TestTenant, word: string): Promise<Target> {
  const admin = await activate(subgraph, tenantId, { showArtifactsInClientPortal: true });
  const owned = { clientId: 'client-acme', attendees: [{ emailAddress: `${word}@acme.example` }] };
  const [appointmentId, interactionId] = [`appt-${word}`, `int-${word}`];
  const meeting = await createMeeting(subgraph, admin, { ...owned, appointmentId, subject: `About the ${word}` });
  await captureMeeting(subgraph, admin, meeting, tenantId);
  const transcripts = [vttOf([`nobody else may hear of the ${word}`])];
  const stored = await storeMeeting(subgraph, tenantId, {
    clientId: 'client-acme',
    interactionId,
    subject: `More of the ${word}`,
    transcripts,
  });
  const { clientId, directoryId, organizer, organizerId } = MICROSOFT[tenantId];
  const [recording] = await subgraph.database.query<{ id: string }>(
    'SELECT id FROM meeting_recordings WHERE meeting_id = $1',
    [meeting.id],
  );
  const recordingId = recording?.id ?? '';
  const transcriptId = stored.transcriptIds[0] ?? '';
  return {
    tenantId,
    meetingId: meeting.id,
    appointmentId,
    interactionId,
    recordingId,
    transcriptId,
    word,
    secrets: [
      ...[word, meeting.id, stored.id, recordingId, transcriptId, meeting.joinUrl ?? ''],
      ...[clientId, directoryId, organizer, organizerId],
    ],
  };
}

/** A fingerprint of every row of every table, the queue of jobs included. */
async function makeFingerprint(subgraph: TestSubgraph): Promise<(tenantId?: string) => Promise<string>> {
  const tables = await subgraph.database.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1",
  );
  const ofRows = (name: string, where: string) =>
    `SELECT '${name}' AS name, md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) AS sum FROM ${name} t ${where}`;
  const all = [
    ...tables.map(({ name }) => ofRows(`public."${name}"`, "WHERE $1 = '' OR tenant_id = $1")),
    ofRows('graphile_worker._private_jobs', "WHERE $1 = '' OR payload->>'tenantId' = $1"),
  ].join(' UNION ALL ');
  const sql = `SELECT json_object_agg(name, sum)::text AS sums FROM (${all}) sums`;
  return async (tenantId = '') => (await subgraph.database.query<{ sums: string }>(sql, [tenantId]))[0]?.sums ?? '';
}

/** Two tenants with everything set up, each with meetings, recordings and transcripts, behind one subgraph. */
export async function setTheStage(options: TestSubgraphOptions = {}): Promise<Stage> {
  const psaSecret = newSecret();
  const { made: subgraph, routes } = await withRoutes(() =>
    startTestSubgraph({ psaWebhookSecrets: [psaSecret], notificationsPerMinute: 1_000_000, ...options }),
  );
  const a = await target(subgraph, 'tenant-a', 'aardvark');
  const b = await target(subgraph, 'tenant-b', 'bumblebee');
  const fingerprint = await makeFingerprint(subgraph);
  const known = new Map<string, string>();

  async function unchanged<T>(tenantId: string, attempt: () => Promise<T>): Promise<T> {
    const before = known.get(tenantId) ?? (await fingerprint(tenantId));
    const answer = await attempt();
    const after = await fingerprint(tenantId);
    // An attempt that got through must not make all that follow fail.
    known.clear();
    known.set(tenantId, after);
    expect(JSON.parse(after), 'the attempt changed the database').toEqual(JSON.parse(before));
    return answer;
  }

  return {
    subgraph,
    psaSecret,
    a,
    b,
    routes,
    withoutEffect: (attempt) => unchanged('', attempt),
    withoutEffectOn: unchanged,
    wasChanged: () => known.clear(),
  };
}

/** A token with every permission of another tenant. */
export function tokenOfB({ subgraph }: Stage): Promise<string> {
  return subgraph.tokens.sign({ sub: 'user-b', tenant_id: 'tenant-b', kind: 'msp', permissions: [...PERMISSIONS] });
}

/** A token with every permission of the victim's own tenant. */
export function tokenOfA({ subgraph }: Stage, permissions: readonly string[] = PERMISSIONS): Promise<string> {
  return subgraph.tokens.sign({ sub: 'user-a', tenant_id: 'tenant-a', kind: 'msp', permissions: [...permissions] });
}

/** Fails when an answer holds anything of the target that was not sent to get it. */
export function expectNothingOf({ secrets }: Target, answer: string, sent = ''): void {
  expect(secrets.filter((secret) => answer.includes(secret) && !sent.includes(secret))).toEqual([]);
}
