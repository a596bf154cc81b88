import { type QueueFacts, queueFacts } from '../../../db/job-queue.ts';
import { duration, type Finding, fail, pass, warn } from '../finding.ts';
import type { Look } from '../look.ts';

const WARN_FROM_MS = 2 * 60_000;
const FAIL_FROM_MS = 15 * 60_000;

function judge(queue: QueueFacts): Finding {
  const { waiting, running, planned, retrying, givenUp, oldestWaitMs, givenUpNames } = queue;
  const lost = givenUpNames.join(', ');
  const parts = [
    oldestWaitMs === null ? 'none waiting' : `${waiting} waiting, the oldest for ${duration(oldestWaitMs)}`,
    ...(running > 0 ? [`${running} running`] : []),
    `${planned} planned for later`,
    ...(retrying > 0 ? [`${retrying} tried in vain, to be tried again`] : []),
    ...(givenUp > 0 ? [`${givenUp} given up after too many tries: ${lost}`] : []),
  ];
  const detail = `This tenant’s background jobs: ${parts.join('; ')}.`;
  if (oldestWaitMs !== null && oldestWaitMs >= FAIL_FROM_MS)
    return queue.isStanding
      ? fail(`${detail} Nobody works on jobs.`, 'Start a worker: npm run serve -- --role=worker.')
      : fail(detail, 'Raise WORKER_CONCURRENCY or start another worker: there are more jobs than are done.');
  if (givenUp > 0) return warn(detail, `Look into the server’s log for why ${lost} fails, and report it.`);
  if (oldestWaitMs !== null && oldestWaitMs >= WARN_FROM_MS)
    return warn(detail, 'Run the diagnosis again in some minutes; if jobs still wait, raise WORKER_CONCURRENCY.');
  return pass(detail);
}

/** Whether the tenant's background jobs are being done. */
export const queueLook: Look = {
  name: 'queue',
  title: 'Background jobs',
  limitMs: 15_000,
  look: async ({ scope }) => judge(await scope.db.run(queueFacts)),
};
