import { run, Logger as WorkerLogger } from 'graphile-worker';
import type { Database } from '../db/database.ts';
import type { Logger } from '../services/scope.ts';
import type { Services } from '../services/services.ts';
import { createTasks, JOB_TIME_LIMIT_MS, type JobObserver } from './tasks.ts';

const UNLOCK_EVERY_MS = 15_000;

/** graphile-worker's log in the form of ours; what it says of each job is for debugging. */
export function workerLogger(logger: Logger): WorkerLogger {
  return new WorkerLogger(() => (level, message, meta) => {
    const error: unknown = meta?.error;
    const fields = error === undefined ? {} : { err: error };
    if (level === 'error') logger.error(fields, message);
    else if (level === 'warning') logger.warn(fields, message);
    else logger.debug(fields, message);
  });
}

export interface Worker {
  /** Takes no new jobs, finishes those that run, and ends its connections. */
  stop(): Promise<void>;
}

export interface WorkerOptions {
  database: Database;
  services: Services;
  concurrency: number;
  logger: Logger;
  /** Default: nobody counts. */
  observer?: JobObserver;
}

/** Runs the jobs of all tenants until it is stopped. Any number of processes may do so at once. */
export async function startWorker({
  database,
  services,
  concurrency,
  logger,
  observer,
}: WorkerOptions): Promise<Worker> {
  const connections = database.openJobPool(concurrency + 2);
  const runner = await run({
    pgPool: connections.pool,
    taskList: createTasks(database, services, observer),
    crontab: '',
    concurrency,
    pollInterval: 1_000,
    noHandleSignals: true,
    logger: workerLogger(logger),
  });
  // No living worker holds a job beyond the time limit.
  const unlock = () =>
    connections
      .freeAbandoned(JOB_TIME_LIMIT_MS + 15_000)
      .catch((err: unknown) => logger.warn({ err }, 'the jobs of dead workers were not freed'));
  const timer = setInterval(unlock, UNLOCK_EVERY_MS);
  void unlock();
  return {
    async stop() {
      clearInterval(timer);
      await runner.stop();
      await connections.end();
    },
  };
}
