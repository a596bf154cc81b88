import { setTimeout } from 'node:timers/promises';
import { type Runner, run, Logger as WorkerLogger } from 'graphile-worker';
import type { Database } from '../db/database.ts';
import type { Logger } from '../services/scope.ts';
import type { Services } from '../services/services.ts';
import { createTasks, JOB_TIME_LIMIT_MS, type JobObserver } from './tasks.ts';
import { createTenantTurns } from './tenant-turns.ts';

const UNLOCK_EVERY_MS = 15_000;
const START_AGAIN_MS = 1_000;

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
  const taskList = createTasks(database, services, observer);
  function begin(): Promise<Runner> {
    const { events, forbidden: forbiddenFlags } = createTenantTurns(concurrency);
    return run({
      pgPool: connections.pool,
      taskList,
      crontab: '',
      concurrency,
      pollInterval: 1_000,
      noHandleSignals: true,
      events,
      forbiddenFlags,
      logger: workerLogger(logger),
    });
  }
  let isStopping = false;
  let runner = await begin();

  /** A runner gives up when the database is away for too long. Nobody else would take its place. */
  async function keepRunning(current: Runner): Promise<void> {
    const ended = await current.promise.then(
      () => null,
      (err: unknown) => err,
    );
    if (isStopping) return;
    logger.error({ err: ended }, 'the worker has ended, and is started again');
    while (!isStopping) {
      await setTimeout(START_AGAIN_MS);
      try {
        runner = await begin();
        if (isStopping) await runner.stop();
        else void keepRunning(runner);
        return;
      } catch (err) {
        logger.warn({ err }, 'the worker could not be started again');
      }
    }
  }
  void keepRunning(runner);

  // No living worker holds a job beyond the time limit.
  const unlock = () =>
    connections
      .freeAbandoned(JOB_TIME_LIMIT_MS + 15_000)
      .catch((err: unknown) => logger.warn({ err }, 'the jobs of dead workers were not freed'));
  const timer = setInterval(unlock, UNLOCK_EVERY_MS);
  void unlock();
  return {
    async stop() {
      isStopping = true;
      clearInterval(timer);
      // One that has ended by itself has nothing to stop.
      await runner.stop().catch((err: unknown) => logger.warn({ err }, 'the worker did not stop by itself'));
      await connections.end();
    },
  };
}
