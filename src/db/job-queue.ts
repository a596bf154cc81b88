import { runMigrations } from 'graphile-worker';
import pg from 'pg';
import { currentTraceparent } from '../telemetry/tracing.ts';
import type { TenantPrisma } from './database.ts';
import { GIVEN_UP_DAYS, HELD_SECONDS } from './job-limits.ts';
import { APPLICATION_ROLE, JOB_SCHEMA } from './names.ts';

/** graphile-worker's tables are its owner's alone; the application role writes and runs jobs. */
const LET_THE_APPLICATION_IN = `
DO $$
DECLARE
  app constant text := '${APPLICATION_ROLE}';
  t text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN RETURN; END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA ${JOB_SCHEMA} TO %I', app);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${JOB_SCHEMA} TO %I', app);
  EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${JOB_SCHEMA} TO %I', app);
  EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${JOB_SCHEMA} TO %I', app);
  FOR t IN SELECT relname FROM pg_class WHERE relnamespace = '${JOB_SCHEMA}'::regnamespace AND relkind = 'r' AND relrowsecurity LOOP
    IF NOT EXISTS (SELECT FROM pg_policies WHERE schemaname = '${JOB_SCHEMA}' AND tablename = t AND policyname = 'application_works') THEN
      EXECUTE format('CREATE POLICY application_works ON ${JOB_SCHEMA}.%I TO %I USING (true) WITH CHECK (true)', t, app);
    END IF;
  END LOOP;
END $$`;

/**
 * Makes or updates the tables of the job queue and lets the application role use them.
 *
 * @param connectionString of the role that owns the tables
 * @param lockTimeoutMs how long a statement may wait for a lock
 */
export async function installJobQueue(connectionString: string, lockTimeoutMs: number): Promise<void> {
  const pool = new pg.Pool({
    connectionString,
    max: 2,
    onConnect: async (client: pg.ClientBase) => {
      await client.query(`SET lock_timeout = ${lockTimeoutMs}`);
    },
  });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    await runMigrations({ pgPool: pool, schema: JOB_SCHEMA });
    await pool.query(LET_THE_APPLICATION_IN);
  } finally {
    await pool.end();
  }
}

/** Every job that there is, and what its payload carries besides the tenant. */
export interface JobPayloads {
  /** Brings a meeting at Microsoft to what is wanted here. */
  sync_meeting: { meetingId: string };
  /** Looks over a tenant: what got stuck, and what changed in the organizer's calendar. Schedules itself again. */
  sweep_tenant: Record<string, never>;
  /** Takes up again the meetings that waited for a person, after settings changed. Later rounds say when it began. */
  retry_blocked_meetings: { gaveUpBefore?: string };
  /** Looks for the artifacts of a tenant's meetings that are over. Schedules itself again. */
  capture_tenant: Record<string, never>;
  /** Looks for the artifacts of one meeting, by its id at Teams. */
  capture_online_meeting: { organizerObjectId: string; onlineMeetingId: string };
  /** Reads what is new of all meetings of an organizer. */
  capture_organizer: { organizerObjectId: string };
  /** Does what a stored event of the PSA asks for. */
  apply_psa_event: { eventId: string };
  /** Delivers a meeting's events to the PSA, oldest first. */
  deliver_events: { meetingId: string };
  /** Sends one invitation mail. */
  send_invitation: { mailId: string };
  /** Derives from stored transcripts what is searched, while any has none or another language's. */
  index_transcripts: Record<string, never>;
  /** Brings the tenant's subscriptions at Microsoft to what is wanted. Schedules itself again. */
  ensure_subscriptions: Record<string, never>;
  /** Copies a recording into the own store, a slice a run. */
  store_recording: { recordingId: string };
  /** Removes the event of a verification that broke off, by its marker, while an app of the same home is connected. */
  remove_verification_event: { homes: string[]; organizerId: string; eventMarker: string; isLastLook: boolean };
  /** Gives a new meeting the options that the tenant's meetings start with. */
  apply_meeting_defaults: { meetingId: string };
  /** Deletes what has been kept for long enough. Schedules itself again. */
  apply_retention: Record<string, never>;
}

export type JobName = keyof JobPayloads;

export interface JobOptions {
  /** Jobs of one key and tenant are one job: a new one takes the place of one that has not begun. */
  key: string;
  /** From now; default 0. */
  delayMs?: number;
  /** Keeps an earlier time of a job that waits already. */
  keepTime?: boolean;
  /**
   * Jobs of one name, tenant and `serial` never run at the same time. The key alone does not promise that: a job that
   * is added while one of the same key runs is a second job, which another worker may begin at once.
   */
  serial?: string;
}

/**
 * A queue of graphile-worker runs one job at a time. Its row stays for ever, so that there is a fixed number of them:
 * jobs that share one by chance wait for each other, which costs time and nothing else.
 */
const SERIAL_QUEUES = 64;

/** The payload with the trace that it belongs to, where there is one: a job that runs later goes on with it. */
function traced(payload: object): object {
  const traceparent = currentTraceparent();
  return traceparent === undefined ? payload : { ...payload, traceparent };
}

/** Each try sees what the one before ran into; nobody takes a job away so often in a row. */
const ADDING_TRIES = 5;

/**
 * graphile-worker adds nothing and says nothing where a worker takes a job of the same key at that moment: it looks for
 * running ones first, and then finds one locked. Once more, it sees that one run, and adds a job beside it.
 *
 * @param add tells how many were added
 */
async function untilAdded(expected: number, add: () => Promise<{ added: number }[]>): Promise<void> {
  for (let tries = 0; tries < ADDING_TRIES; tries += 1) {
    const [row] = await add();
    if (row?.added === expected) return;
  }
  throw new Error(`A job was taken each time it was added, ${ADDING_TRIES} times`);
}

/**
 * Adds a job in the transaction of `prisma`, so that the job is there exactly if the change is. Its tenant is the one
 * that the connection is bound to: no caller can name another. The flag says it to whoever shares out the workers.
 */
export async function addJob<Name extends JobName>(
  prisma: TenantPrisma,
  name: Name,
  payload: JobPayloads[Name],
  { key, delayMs = 0, keepTime = false, serial }: JobOptions,
): Promise<void> {
  const mode = keepTime ? 'preserve_run_at' : 'replace';
  await untilAdded(
    1,
    () => prisma.$queryRaw`
    SELECT count(id)::int AS added FROM graphile_worker.add_job(
      identifier => ${name}::text,
      payload => (${JSON.stringify(traced(payload))}::jsonb || jsonb_build_object('tenantId', current_setting('app.tenant_id')))::json,
      queue_name => CASE WHEN ${serial ?? null}::text IS NULL THEN NULL ELSE
        ${name}::text || ':' || (hashtext(concat_ws(':', current_setting('app.tenant_id'), ${serial ?? null}::text)) & ${SERIAL_QUEUES - 1}::int) END,
      run_at => now() + ${delayMs}::float8 * interval '1 millisecond',
      max_attempts => 25,
      job_key => concat_ws(':', ${name}::text, current_setting('app.tenant_id'), ${key}::text),
      job_key_mode => ${mode}::text,
      flags => ARRAY['tenant:' || current_setting('app.tenant_id')]
    )`,
  );
}

/** The same for many jobs of one name at once, in one statement; of several with one key the last counts. */
export async function addJobs<Name extends JobName>(
  prisma: TenantPrisma,
  name: Name,
  jobs: readonly { payload: JobPayloads[Name]; key: string; serial?: string }[],
): Promise<void> {
  if (jobs.length === 0) return;
  const distinct = [...new Map(jobs.map((job) => [job.key, { ...job, payload: traced(job.payload) }])).values()];
  await untilAdded(
    distinct.length,
    () => prisma.$queryRaw`
    SELECT count(id)::int AS added FROM graphile_worker.add_jobs(ARRAY(
      SELECT (
        ${name}::text,
        (job.payload || jsonb_build_object('tenantId', current_setting('app.tenant_id')))::json,
        CASE WHEN job.serial IS NULL THEN NULL ELSE
          ${name}::text || ':' || (hashtext(concat_ws(':', current_setting('app.tenant_id'), job.serial)) & ${SERIAL_QUEUES - 1}::int) END,
        now(),
        25::smallint,
        concat_ws(':', ${name}::text, current_setting('app.tenant_id'), job.key),
        NULL::smallint,
        ARRAY['tenant:' || current_setting('app.tenant_id')]
      )::graphile_worker.job_spec
      FROM jsonb_to_recordset(${JSON.stringify(distinct)}::jsonb) AS job(payload jsonb, key text, serial text)
    ))`,
  );
}

/** Takes back a job that has not begun; one that runs is left alone. */
export async function removeJob(prisma: TenantPrisma, name: JobName, key: string): Promise<void> {
  await prisma.$executeRaw`
    SELECT graphile_worker.remove_job(concat_ws(':', ${name}::text, current_setting('app.tenant_id'), ${key}::text))`;
}

/** How a tenant's jobs stand, by the database's clock. */
export interface QueueFacts {
  /** Due, and not begun. */
  waiting: number;
  /** For how long the oldest of them has been due; null when none is. */
  oldestWaitMs: number | null;
  running: number;
  /** Planned for later. */
  planned: number;
  /** Failed at their last try, and will be tried again. */
  retrying: number;
  /** Failed so often that they are not tried again, within the last week. */
  givenUp: number;
  /** The names of those, by the alphabet. */
  givenUpNames: string[];
  /** Whether nobody works at all: anybody's jobs have been due for a quarter of an hour and none is being done. */
  isStanding: boolean;
}

/**
 * Counts the jobs of the tenant that the connection is bound to. Of others it says only whether anything moves. graphile-worker takes the
 * key from a job, and lets it not be tried again, when it runs and a newer one takes its place: that one is not lost.
 */
export async function queueFacts(prisma: TenantPrisma): Promise<QueueFacts> {
  const rows = await prisma.$queryRaw<QueueFacts[]>`
    WITH job AS (
      SELECT j.key, j.run_at, j.attempts, t.identifier,
             coalesce(j.locked_at > now() - ${HELD_SECONDS}::int * interval '1 second', false) AS is_running,
             j.attempts >= j.max_attempts AS is_given_up,
             j.payload->>'tenantId' = current_setting('app.tenant_id') AS is_ours
        FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id
    ), state AS (
      SELECT *, NOT is_running AND NOT is_given_up AND run_at <= now() AS is_waiting,
             is_ours AND key IS NOT NULL AND is_given_up AND NOT is_running
               AND run_at > now() - ${GIVEN_UP_DAYS}::int * interval '1 day' AS is_lost
        FROM job
    )
    SELECT (count(*) FILTER (WHERE is_ours AND is_waiting))::int AS "waiting",
           (extract(epoch FROM now() - min(run_at) FILTER (WHERE is_ours AND is_waiting)) * 1000)::float8 AS "oldestWaitMs",
           (count(*) FILTER (WHERE is_ours AND is_running))::int AS "running",
           (count(*) FILTER (WHERE is_ours AND NOT is_running AND NOT is_given_up AND run_at > now()))::int AS "planned",
           (count(*) FILTER (WHERE is_ours AND attempts > 0 AND NOT is_running AND NOT is_given_up))::int AS "retrying",
           (count(*) FILTER (WHERE is_lost))::int AS "givenUp",
           coalesce(array_agg(DISTINCT identifier) FILTER (WHERE is_lost), '{}') AS "givenUpNames",
           coalesce(min(run_at) FILTER (WHERE is_waiting) < now() - interval '15 minutes', false) AND NOT coalesce(bool_or(is_running), false)
             AS "isStanding"
      FROM state`;
  const [row] = rows;
  if (row === undefined) throw new Error('Postgres did not count');
  return row;
}

/** Deletes the tenant's jobs that were given up before then; resolves with how many. One that is added anew is a new one. */
export function deleteGivenUpJobs(prisma: TenantPrisma, before: Date): Promise<number> {
  return prisma.$executeRaw`
    DELETE FROM graphile_worker._private_jobs
     WHERE payload->>'tenantId' = current_setting('app.tenant_id')
       AND attempts >= max_attempts AND locked_at IS NULL AND run_at < ${before}`;
}
