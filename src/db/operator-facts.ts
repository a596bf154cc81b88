import type pg from 'pg';
import { GIVEN_UP_DAYS, HELD_SECONDS } from './job-limits.ts';

export type JobState = 'waiting' | 'running' | 'planned' | 'given_up';

/** What an operator may know of all tenants together: numbers, and nothing of anybody's. */
export interface OperatorFacts {
  /** The jobs in the queue; those that were given up for a week. */
  jobs: { task: string; state: JobState; count: number }[];
  /** For how long the job that has waited longest has been due; 0 when none is. */
  oldestWaitSeconds: number;
  /** Meetings that are to come, or ended within seven days. */
  meetings: { state: string; count: number }[];
}

/** A pool of connections at this moment. */
export interface PoolFacts {
  total: number;
  idle: number;
  /** Who waits for a connection. */
  waiting: number;
  max: number;
}

interface Row {
  jobs: OperatorFacts['jobs'] | null;
  oldest: number | null;
  meetings: OperatorFacts['meetings'] | null;
}

/** One row, in one statement. A job whose key was taken is one that a newer one took the place of: it is not lost. */
const OPERATOR_FACTS = `
  WITH job AS (
    SELECT t.identifier AS task, j.run_at,
           CASE WHEN j.locked_at > now() - interval '${HELD_SECONDS} seconds' THEN 'running'
                WHEN j.attempts >= j.max_attempts THEN 'given_up'
                WHEN j.run_at <= now() THEN 'waiting' ELSE 'planned' END AS state,
           j.key IS NOT NULL AND j.run_at > now() - interval '${GIVEN_UP_DAYS} days' AS is_told
      FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id
  ), jobs AS (
    SELECT task, state, count(*) AS count, min(run_at) AS first FROM job WHERE state <> 'given_up' OR is_told GROUP BY 1, 2
  )
  SELECT (SELECT json_agg(json_build_object('task', task, 'state', state, 'count', count)) FROM jobs) AS jobs,
         (SELECT extract(epoch FROM now() - min(first))::float8 FROM jobs WHERE state = 'waiting') AS oldest,
         (SELECT json_agg(json_build_object('state', state, 'count', count)) FROM count_meetings_by_state()) AS meetings`;

/** @param send runs one statement under the application role, bound to no tenant */
export async function readOperatorFacts(send: (text: string) => Promise<pg.QueryResult<Row>>): Promise<OperatorFacts> {
  const [row] = (await send(OPERATOR_FACTS)).rows;
  return { jobs: row?.jobs ?? [], oldestWaitSeconds: row?.oldest ?? 0, meetings: row?.meetings ?? [] };
}
