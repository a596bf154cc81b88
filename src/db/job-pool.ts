import pg from 'pg';
import { JOB_SCHEMA } from './names.ts';

/** The connections on which graphile-worker lives: under the application role, bound to no tenant. */
export interface JobPool {
  readonly pool: pg.Pool;
  /** Frees the jobs that a worker has held for longer than this; graphile-worker itself does so after four hours. */
  freeAbandoned(olderThanMs: number): Promise<void>;
  end(): Promise<void>;
}

export function openJobPool(connectionString: string, role: string | undefined, max: number): JobPool {
  const pool = new pg.Pool({
    connectionString,
    max,
    keepAlive: true,
    onConnect: async (client: pg.ClientBase) => {
      if (role !== undefined) await client.query(`SET ROLE ${pg.escapeIdentifier(role)}`);
    },
  });
  // A connection that dies, idle or in use, is replaced; without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    pool,
    async freeAbandoned(olderThanMs) {
      await pool.query(
        `SELECT ${JOB_SCHEMA}.force_unlock_workers(array_agg(DISTINCT locked_by)) FROM ${JOB_SCHEMA}.jobs
          WHERE locked_at < now() - $1::float8 * interval '1 millisecond' HAVING count(*) > 0`,
        [olderThanMs],
      );
    },
    end: () => pool.end(),
  };
}
