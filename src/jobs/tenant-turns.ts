import { EventEmitter } from 'node:events';
import type { WorkerEvents } from 'graphile-worker';

/** Shares the workers of a process out among tenants. */
export interface TenantTurns {
  /** Where the workers say what they do. */
  events: WorkerEvents;
  /** Called when a worker looks for a job: the flags of jobs that it is not to take; null for none. */
  forbidden(): string[] | null;
}

/**
 * Jobs are taken in the order in which they are due, and flagged with their tenant: whoever has a hundred thousand of
 * them would keep everybody waiting for as long as they take. So a tenant has half of a process's workers at most, and
 * the others are for the others. Workers that are looking for a job count for each tenant whose jobs came last.
 */
export function createTenantTurns(concurrency: number): TenantTurns {
  const most = Math.ceil(concurrency / 2);
  const running = new Map<string, number>();
  const latest: string[] = [];
  let looking = 0;

  const events: WorkerEvents = new EventEmitter();
  const found = () => {
    looking = Math.max(0, looking - 1);
  };
  events.on('worker:getJob:empty', found);
  events.on('worker:getJob:error', found);
  events.on('job:start', ({ job }) => {
    found();
    for (const flag of Object.keys(job.flags ?? {})) {
      running.set(flag, (running.get(flag) ?? 0) + 1);
      latest.unshift(flag);
    }
    latest.splice(concurrency);
  });
  events.on('job:complete', ({ job }) => {
    for (const flag of Object.keys(job.flags ?? {})) {
      const left = (running.get(flag) ?? 1) - 1;
      if (left === 0) running.delete(flag);
      else running.set(flag, left);
    }
  });

  return {
    events,
    forbidden() {
      looking += 1;
      // One worker alone has nobody to leave the others to.
      if (concurrency === 1) return null;
      const flags = new Set([...running.keys(), ...latest]);
      const full = [...flags].filter((flag) => (running.get(flag) ?? 0) + looking > most);
      return full.length === 0 ? null : full;
    },
  };
}
