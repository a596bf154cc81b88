/**
 * W6: how long it takes to look at 1,000 meetings that are over, where each round trip to Microsoft takes 50 ms, beside
 * the least that Graph's limits allow: 20 reads a batch, four round trips at a time to one mailbox. Once with nothing to
 * be had, which is what most looks find, and once with a recording and a transcript of each.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { loadConfig } from '../../src/config.ts';
import { openServices } from '../../src/open-services.ts';
import { createMetrics, type MetricsRegistry } from '../../src/server/metrics.ts';
import type { Scope } from '../../src/services/scope.ts';
import { backgroundViewer } from '../../src/services/viewer.ts';
import { MICROSOFT } from '../../tests/support/setup.ts';
import type { Measure, WorkloadResult } from '../report/result.ts';
import { ourEnvironment, type Surroundings } from '../support/environment.ts';
import { startMicrosoft } from '../support/microsoft.ts';
import { median } from '../support/statistics.ts';

const MEETINGS = 1_000;
const ROUND_TRIP_MS = 50;
/** Microsoft Learn: json-batching. */
const READS_A_BATCH = 20;
/** Microsoft Learn: throttling-limits, Outlook. */
const AT_ONCE = 4;
const MINUTE_MS = 60_000;
const TENANT = 'tenant-a';
const ACME = MICROSOFT[TENANT];

/** A batch, and what goes out by itself. What is read inside a batch takes no time of its own: a batch is one round trip. */
const ROUND_TRIPS = '^/v1\\.0/(\\$batch|.*/(content|delta))';

/** The application's services with an active tenant at a simulated Microsoft. */
async function openCapture(surroundings: Surroundings) {
  const microsoft = await startMicrosoft();
  const superuser = new pg.Client({ connectionString: surroundings.databaseUrl });
  await superuser.connect();
  const silent = () => undefined;
  const trips = { count: 0, seconds: 0 };
  const metrics: MetricsRegistry = {
    ...createMetrics(),
    callEnded({ seconds }) {
      trips.count += 1;
      trips.seconds += seconds;
    },
  };
  const { database, services } = await openServices(
    loadConfig(ourEnvironment(surroundings, { GRAPH_BASE_URL: microsoft.url, ENTRA_BASE_URL: microsoft.url })),
    {
      clock: () => new Date(),
      logger: { debug: silent, info: silent, warn: silent, error: console.error },
      metrics,
    },
  );
  const scope: Scope = { viewer: backgroundViewer(TENANT), db: database.forTenant(TENANT) };
  const { clientId, directoryId, secret: clientSecret, organizer: organizerUserPrincipalName } = ACME;
  const userErrors = [
    ...(await services.microsoftApp.connect(scope, { clientId, directoryId, clientSecret, cloud: 'GLOBAL' })),
    ...(await services.settings.update(scope, { organizerUserPrincipalName })),
    ...(await services.settings.update(scope, { installStatus: 'ACTIVE' })),
  ];
  if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
  return {
    microsoft,
    trips,
    superuser,
    services,
    scope,
    async close() {
      await services.idle();
      await database.close();
      await superuser.end();
      await microsoft.stop();
    },
  };
}

type Opened = Awaited<ReturnType<typeof openCapture>>;

/** Makes meetings that ended ten minutes ago, in the organizer's calendar and here. */
async function makeMeetings({ microsoft, superuser, services, scope }: Opened): Promise<string[]> {
  const graph = await services.microsoftApp.graphFor(scope);
  if (graph === null) throw new Error('no app is connected');
  const endsAt = new Date(Date.now() - 10 * MINUTE_MS);
  const startsAt = new Date(endsAt.getTime() - 30 * MINUTE_MS);
  await Promise.all(
    Array.from({ length: MEETINGS }, (_, n) =>
      graph.events.create(
        ACME.organizer,
        { subject: `Meeting ${n}`, startsAt, endsAt, bodyHtml: '', attendees: [], transactionId: randomUUID() },
        { signal: AbortSignal.timeout(10 * MINUTE_MS) },
      ),
    ),
  );
  const online = await microsoft.control.listMeetings(ACME.directoryId, ACME.organizer);
  await superuser.query(
    `INSERT INTO online_meetings (tenant_id, id, appointment_id, client_id, status, subject, starts_at, ends_at, time_zone,
         join_url, graph_online_meeting_id, organizer_upn, organizer_object_id, transaction_id, input_hash, created_by, created_at, updated_at)
       SELECT $1, m.id, m.id::text, 'client', 'SCHEDULED', 'Meeting', $2, $3, 'UTC', m."joinUrl", m."onlineMeetingId", $4, $5,
              m.id, 'hash', 'user', $2, $2
         FROM jsonb_to_recordset($6::jsonb) AS m(id uuid, "joinUrl" text, "onlineMeetingId" text)`,
    [
      TENANT,
      startsAt,
      endsAt,
      ACME.organizer,
      ACME.organizerId,
      JSON.stringify(online.map(({ id, joinWebUrl }) => ({ id: uuidv7(), joinUrl: joinWebUrl, onlineMeetingId: id }))),
    ],
  );
  await superuser.query('ANALYZE online_meetings');
  return online.map(({ joinWebUrl }) => joinWebUrl);
}

/** As if nobody had looked at any meeting yet. */
async function forgetLooks({ superuser }: Opened): Promise<void> {
  for (const table of ['meeting_recordings', 'meeting_transcripts', 'artifact_cursors'])
    await superuser.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [TENANT]);
  await superuser.query(
    `UPDATE online_meetings SET capture_state = 'PENDING', capture_next_at = NULL, capture_failure = NULL, capture_refused = '{}',
            capture_attempts = 0, capture_last_attempt_at = NULL, capture_leased_until = NULL WHERE tenant_id = $1`,
    [TENANT],
  );
}

interface CaptureRun {
  seconds: number;
  cpuSeconds: number;
  roundTrips: number;
  /** The least that Graph's limits allow for the same reads. */
  idealSeconds: number;
  /** The same with round trips as long as they were, which is longer where simulator and database share the processors. */
  idealAsSeenSeconds: number;
}

const unlooked = async ({ superuser }: Opened) =>
  (await superuser.query('SELECT FROM online_meetings WHERE tenant_id = $1 AND capture_attempts = 0', [TENANT]))
    .rowCount;

/** One capture of everything, as the job does it: a run ends after half a minute and leaves the rest to the next. */
async function runOnce(opened: Opened): Promise<CaptureRun> {
  const { microsoft, trips, services, scope } = opened;
  await forgetLooks(opened);
  await microsoft.control.clearRequests();
  Object.assign(trips, { count: 0, seconds: 0 });
  const cpu = process.cpuUsage();
  const began = performance.now();
  do await services.capture.tenant(scope);
  while (((await unlooked(opened)) ?? 0) > 0);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const asked = await microsoft.control.requests({ host: 'graph' });
  const batches = asked.flatMap(({ body }) => (body as { requests?: unknown[] } | null)?.requests?.length ?? []);
  const reads = batches.reduce((sum, size) => sum + size, 0);
  const needed = asked.length - batches.length + Math.ceil(reads / READS_A_BATCH);
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    roundTrips: asked.length,
    idealSeconds: (Math.ceil(needed / AT_ONCE) * ROUND_TRIP_MS) / 1000,
    idealAsSeenSeconds: Math.ceil(needed / AT_ONCE) * (trips.seconds / trips.count),
  };
}

function measuresOf(what: string, runs: readonly CaptureRun[]): Measure[] {
  const of = (pick: (run: CaptureRun) => number) => median(runs.map(pick));
  return [
    { what: `${what}: wall`, value: of(({ seconds }) => seconds), unit: 's' },
    { what: `${what}: the least by Graph's limits`, value: of(({ idealSeconds }) => idealSeconds), unit: 's' },
    { what: `${what}: wall ÷ least`, value: of(({ seconds, idealSeconds }) => seconds / idealSeconds), unit: '×' },
    {
      what: `${what}: wall ÷ least, by round trips as they were`,
      value: of(({ seconds, idealAsSeenSeconds }) => seconds / idealAsSeenSeconds),
      unit: '×',
    },
    { what: `${what}: round trips`, value: of(({ roundTrips }) => roundTrips), unit: 'calls' },
    { what: `${what}: processor time here`, value: of(({ cpuSeconds }) => cpuSeconds), unit: 's' },
  ];
}

export async function capture(surroundings: Surroundings, rounds: number): Promise<WorkloadResult> {
  const opened = await openCapture(surroundings);
  const { control } = opened.microsoft;
  try {
    const joinUrls = await makeMeetings(opened);
    await runOnce(opened);
    await control.addFault({ match: { path: ROUND_TRIPS }, times: null, delayMs: ROUND_TRIP_MS });
    const empty: CaptureRun[] = [];
    for (let round = 0; round < rounds; round += 1) empty.push(await runOnce(opened));

    for (const joinUrl of joinUrls.slice(0, 100))
      await control.meetingTookPlace({ directoryId: ACME.directoryId, joinUrl });
    const full = [await runOnce(opened)];
    return {
      name: 'W6',
      title: `capture of ${MEETINGS} meetings, ${ROUND_TRIP_MS} ms a round trip`,
      measures: [
        ...measuresOf('nothing there', empty),
        ...measuresOf('a recording, a transcript and attendance of each', full),
      ],
    };
  } finally {
    await setTimeout(0);
    await opened.close();
  }
}
