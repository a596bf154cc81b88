import pg from 'pg';
import { JOB_SCHEMA } from './names.ts';
import { isUnavailable } from './unavailable.ts';

/** The connections on which graphile-worker lives: under the application role, bound to no tenant. */
export interface JobPool {
  readonly pool: pg.Pool;
  /** Frees the jobs that a worker has held for longer than this; graphile-worker itself does so after four hours. */
  freeAbandoned(olderThanMs: number): Promise<void>;
  end(): Promise<void>;
}

/** Postgres's code for a server that takes no connections now, which graphile-worker waits for and tries again. */
const CANNOT_CONNECT_NOW = '57P03';

/** Says of any lost connection that it may be there again later: noting a job's end must not fail for good by it. */
function mayPass(error: unknown): never {
  if (error instanceof Error && isUnavailable(error)) Object.assign(error, { code: CANNOT_CONNECT_NOW });
  throw error;
}

class PatientClient extends pg.Client {
  override query(...args: unknown[]): never {
    const send = super.query as (...args: unknown[]) => unknown;
    const answer = send.apply(this, args);
    return (answer instanceof Promise ? answer.catch(mayPass) : answer) as never;
  }
}

class PatientPool extends pg.Pool {
  override connect(callback?: (...args: never[]) => void): never {
    const open = super.connect as (callback?: unknown) => Promise<unknown> | undefined;
    return open.call(this, callback)?.catch(mayPass) as never;
  }
}

export function openJobPool(connectionString: string, role: string | undefined, max: number): JobPool {
  const pool = new PatientPool({
    connectionString,
    Client: PatientClient,
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
