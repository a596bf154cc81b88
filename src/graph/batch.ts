import { z } from 'zod';
import { answersById, type BatchItem, batchRequest, itemOutcome } from './batch-item.ts';
import type { CallPlan } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { unanswered } from './network-failure.ts';
import type { GraphRequests } from './requests.ts';
import { backoff, isRetried } from './retry.ts';
import type { CallOptions, Outcome } from './types.ts';

/** What the reads of one call have in common. */
export interface BatchCall {
  operation: string;
  /** All of the reads are of this user: each batch holds one place in that mailbox's queue. */
  user: string;
  options: CallOptions | undefined;
}

interface SentBatch<T> {
  outcomes: { item: BatchItem; outcome: Outcome<T> }[];
  /** The token that carried the batch; null when the batch failed as a whole. */
  token: string | null;
  requestId: string | null;
}

/** Microsoft Learn: json-batching. */
const MAX_ITEMS = 20;
/** One less than a mailbox's queue has places, so that a long run of batches does not keep others from their turn. */
const BATCHES_AT_ONCE = 3;

const envelope = z.object({ responses: z.array(z.unknown()) });

/**
 * Sends many reads by `$batch`, 20 a round trip. Each read has an outcome of its own: an answer in the shape of
 * `schema`, or the failure that a call of its own would have had. Those that were throttled or found the service
 * unavailable go again in a later batch, after the longest wait that Microsoft asked for, within the limits of single
 * calls; a 401 inside a batch renews the token once. A batch that fails as a whole, after its own tries, is the failure
 * of each read in it; when all batches under way do, what was not sent yet fails likewise. Microsoft Learn:
 * json-batching.
 * @param plans makes the plan of each read; a `GraphRequestError` that it throws is that read's failure.
 * @returns the outcomes in the order of `plans`.
 * @throws the reason of the caller's signal, and nothing that Microsoft does.
 */
export async function readBatched<T>(
  requests: GraphRequests,
  call: BatchCall,
  plans: readonly (() => CallPlan)[],
  schema: z.ZodType<T>,
): Promise<Outcome<T>[]> {
  const settled = new Map<number, Outcome<T>>();
  let pending = plannedItems(plans, settled);
  let rejectedToken: string | undefined;
  while (pending.length > 0) {
    const wave = chunksOf(pending.splice(0, MAX_ITEMS * BATCHES_AT_ONCE), MAX_ITEMS);
    const batches = await Promise.all(wave.map((items) => sendBatch(requests, call, items, rejectedToken, schema)));
    const again: BatchItem[] = [];
    let longestWaitMs = 0;
    for (const batch of batches) {
      for (const { item, outcome } of batch.outcomes) {
        const waitMs = batch.token === null ? null : waitBeforeNextTry(requests, call, item, outcome.error);
        if (waitMs === null) {
          settled.set(item.index, outcome);
          continue;
        }
        again.push(item);
        longestWaitMs = Math.max(longestWaitMs, waitMs);
        if (outcome.error?.kind === 'UNAUTHORIZED') rejectedToken = batch.token ?? undefined;
      }
      logFailures(requests, call, batch, new Set(again));
    }
    const outage = outageIn(batches);
    if (outage !== null) for (const item of pending.splice(0)) settled.set(item.index, { error: outage });
    if (longestWaitMs > 0) await requests.limits.sleep(longestWaitMs, call.options?.signal);
    for (const item of again) item.waitedMs += longestWaitMs;
    pending = [...again, ...pending];
  }
  return plans.map((_plan, index) => settled.get(index) ?? { error: unanswered('UNKNOWN', 'the read was not sent') });
}

function plannedItems<T>(plans: readonly (() => CallPlan)[], settled: Map<number, Outcome<T>>): BatchItem[] {
  return plans.flatMap((plan, index) => {
    try {
      return [{ index, plan: plan(), tries: 0, firstSentAt: null, waitedMs: 0, hasRenewed: false }];
    } catch (error) {
      settled.set(index, { error: failureOf(error) });
      return [];
    }
  });
}

async function sendBatch<T>(
  requests: GraphRequests,
  call: BatchCall,
  items: BatchItem[],
  rejectedToken: string | undefined,
  schema: z.ZodType<T>,
): Promise<SentBatch<T>> {
  for (const item of items) {
    item.tries += 1;
    item.firstSentAt ??= performance.now();
  }
  try {
    const plan = batchPlan(requests, call, items, rejectedToken);
    const { value, token, requestId } = await requests.exchange(plan, envelope);
    const answers = answersById(value.responses);
    const carrier = { requests, token, requestId };
    const outcomes = items.map((item) => ({
      item,
      outcome: itemOutcome(item, answers.get(String(item.index)), schema, carrier),
    }));
    for (const { item, outcome } of outcomes) {
      const { operation, area } = item.plan;
      requests.observer.partEnded({ operation, area, outcome: outcome.error?.kind ?? 'SUCCESS' });
    }
    return { outcomes, token: token?.value ?? null, requestId };
  } catch (error) {
    call.options?.signal?.throwIfAborted();
    const failure = failureOf(error);
    const outcomes = items.map((item) => ({ item, outcome: { error: failure } }));
    return { outcomes, token: null, requestId: failure.requestId };
  }
}

/** The failure of every batch under way: then the next ones would only wait for the same in their turn. */
function outageIn<T>(batches: SentBatch<T>[]): GraphRequestError | null {
  const failures = batches.map(({ outcomes: [first], token }) => (token === null ? first?.outcome.error : undefined));
  const [failure] = failures;
  const isOutage = failures.every((one) => one !== undefined && one.kind !== 'INVALID_REQUEST');
  return isOutage ? (failure ?? null) : null;
}

/** A POST that only reads, so it may be repeated. Its answer takes longer than the slowest of its parts. */
function batchPlan(
  requests: GraphRequests,
  { operation, user, options }: BatchCall,
  items: BatchItem[],
  rejectedToken: string | undefined,
): CallPlan {
  return {
    operation,
    method: 'POST',
    path: '/$batch',
    template: '/$batch',
    headers: { 'content-type': 'application/json' },
    body: { requests: items.map((item) => batchRequest(item, requests)) },
    area: items[0]?.plan.area ?? 'onlineMeetings',
    roles: [...new Set(items.flatMap((item) => item.plan.roles))],
    user,
    // Batches are long and come in long runs: whoever waits for one call must not wait for all of them.
    yields: true,
    isIdempotent: true,
    signal: options?.signal,
    maxTries: options?.maxTries,
    perTryTimeoutMs: 2 * requests.perTryTimeoutMs,
    rejectedToken,
  };
}

/** Milliseconds until the read may be sent again; null when its outcome stands. */
function waitBeforeNextTry(
  { limits }: GraphRequests,
  { options }: BatchCall,
  item: BatchItem,
  failure: GraphRequestError | undefined,
): number | null {
  if (failure?.kind === 'UNAUTHORIZED' && !item.hasRenewed) {
    item.hasRenewed = true;
    return 0;
  }
  if (failure === undefined || !isRetried(failure) || item.tries >= (options?.maxTries ?? limits.maxTries)) return null;
  const waitMs = failure.retryAfterMs ?? backoff(item.tries, limits.random);
  const elapsedMs = Math.max(performance.now() - (item.firstSentAt ?? 0), item.waitedMs);
  return elapsedMs + waitMs >= limits.totalTimeoutMs ? null : waitMs;
}

/** One line a batch, with the request id of each read that failed. */
function logFailures<T>(
  { logger }: GraphRequests,
  { operation }: BatchCall,
  { outcomes, token, requestId }: SentBatch<T>,
  again: ReadonlySet<BatchItem>,
): void {
  const failed = outcomes.flatMap(({ item, outcome: { error } }) => {
    if (error === undefined) return [];
    const { kind, status, innermostCode } = error;
    const willBeTriedAgain = again.has(item);
    return [{ path: item.plan.template, kind, status, innermostCode, requestId: error.requestId, willBeTriedAgain }];
  });
  if (failed.length === 0) return;
  const fields = { operation, requestId, count: outcomes.length };
  if (token !== null) logger.warn({ ...fields, failed }, 'Microsoft Graph batch: parts of it failed');
  else logger.warn({ ...fields, ...failed[0] }, 'Microsoft Graph batch failed');
}

function failureOf(error: unknown): GraphRequestError {
  if (error instanceof GraphRequestError) return error;
  throw error;
}

function chunksOf<T>(all: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, chunk) =>
    all.slice(chunk * size, (chunk + 1) * size),
  );
}
