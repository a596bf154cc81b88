import type { z } from 'zod';
import { type BatchCall, readBatched } from './batch.ts';
import type { CallPlan } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { unanswered } from './network-failure.ts';
import { Pages, pageOf } from './paging.ts';
import type { GraphRequests } from './requests.ts';
import type { Outcome } from './types.ts';

/**
 * Reads many whole collections by `$batch`, in the sense of `listAll`: the first pages of all, then the further pages
 * of those that have some. Each collection has an outcome of its own.
 * @returns the outcomes in the order of `plans`.
 * @throws the reason of the caller's signal.
 */
export async function listAllBatched<T extends { id: string }>(
  requests: GraphRequests,
  call: BatchCall,
  plans: readonly (() => CallPlan)[],
  item: z.ZodType<T>,
): Promise<Outcome<T[]>[]> {
  const outcomes = new Map<number, Outcome<T[]>>();
  let open = plans.map((plan, index) => ({ index, plan, pages: new Pages<T>() }));
  while (open.length > 0) {
    const answers = await readBatched(
      requests,
      call,
      open.map(({ plan }) => plan),
      pageOf(item),
    );
    const unfinished: typeof open = [];
    for (const [place, list] of open.entries()) {
      const { value: page, error } = answers[place] ?? {};
      if (error !== undefined) outcomes.set(list.index, { error });
      if (page === undefined) continue;
      try {
        const plan = list.plan();
        const url = list.pages.take(page, plan, requests);
        if (url === undefined) outcomes.set(list.index, { value: list.pages.items });
        else unfinished.push({ ...list, plan: () => ({ ...plan, url }) });
      } catch (failure) {
        if (!(failure instanceof GraphRequestError)) throw failure;
        outcomes.set(list.index, { error: failure });
      }
    }
    open = unfinished;
  }
  return plans.map((_plan, index) => outcomes.get(index) ?? { error: unanswered('UNKNOWN', 'the list was not read') });
}
