import type { TenantPrisma } from '../../db/database.ts';
import type { Scope, ServiceTools } from '../scope.ts';

/** Longer than all checks may take together; then a run belongs to a process that died. */
const LEASE_MS = 150_000;

const LOOK_EVERY_MS = 500;
/** How often somebody who waits looks before giving up: for a minute. */
const LOOKS = 120;

/** Lets go of the tenant; call it in the transaction that stores the result. */
export type EndRun = (prisma: TenantPrisma) => Promise<void>;

export interface SingleRunOptions<Result> {
  /** Does the work; its result must be stored under the id, together with `end`. */
  work: (runId: string, end: EndRun) => Promise<Result>;
  /** The stored result of a run that ended; null for one that has not, or that broke off. */
  find: (runId: string) => Promise<Result | null>;
  /** Whether the result of a run that was begun for somebody else will do. */
  isShareable: boolean;
}

/**
 * Runs a tenant's work once at a time, over all processes: a row with a lease says who is at it. Whoever comes meanwhile
 * waits and gets the same result, or, where that will not do, the next turn.
 *
 * @returns `busy` when the turn did not come within a minute
 */
export type SingleRun = <Result>(scope: Scope, options: SingleRunOptions<Result>) => Promise<Result | 'busy'>;

export function makeSingleRun(tools: ServiceTools): SingleRun {
  async function take(scope: Scope, runId: string): Promise<boolean> {
    const startedAt = tools.clock();
    const data = { runId, startedAt, leasedUntil: new Date(startedAt.getTime() + LEASE_MS) };
    return scope.db.transaction(async (prisma) => {
      const lapsed = await prisma.verificationRun.updateMany({ where: { leasedUntil: { lte: startedAt } }, data });
      if (lapsed.count > 0) return true;
      return (await prisma.verificationRun.createMany({ data, skipDuplicates: true })).count > 0;
    });
  }

  const endOf =
    (runId: string): EndRun =>
    async (prisma) => {
      await prisma.verificationRun.deleteMany({ where: { runId } });
    };

  async function runningNow(scope: Scope): Promise<string | null> {
    const row = await scope.db.run((prisma) => prisma.verificationRun.findFirst({ select: { runId: true } }));
    return row?.runId ?? null;
  }

  async function letGo(scope: Scope, runId: string): Promise<void> {
    // Usually gone already, with the result; where even this fails, the lease runs out.
    await scope.db.run(endOf(runId)).catch((err: unknown) => {
      tools.logger.warn({ err, tenantId: scope.db.tenantId }, '[TeamsMeetings] operation=verify was not let go');
    });
  }

  return async (scope, { work, find, isShareable }) => {
    let awaited: string | null = null;
    for (let look = 0; look < LOOKS; look += 1) {
      const runId = tools.newId();
      if (await take(scope, runId)) {
        try {
          // Only now is it certain that the one who was waited for has ended.
          const result = isShareable && awaited !== null ? await find(awaited) : null;
          return result ?? (await work(runId, endOf(runId)));
        } finally {
          await letGo(scope, runId);
        }
      }
      awaited = (await runningNow(scope)) ?? awaited;
      await tools.sleep(LOOK_EVERY_MS);
      const result = isShareable && awaited !== null ? await find(awaited) : null;
      if (result !== null) return result;
    }
    return 'busy';
  };
}
