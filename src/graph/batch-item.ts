import { z } from 'zod';
import type { AccessToken } from './auth.ts';
import { type CallPlan, hasRequiredRole } from './call.ts';
import { graphFailure } from './classify.ts';
import { GraphRequestError } from './errors.ts';
import { unanswered } from './network-failure.ts';
import type { GraphRequests } from './requests.ts';
import { parsedJson, shaped } from './shape.ts';
import type { Outcome } from './types.ts';

/** One read on its way through batches. */
export interface BatchItem {
  /** Its place among the reads of the call, and its id within a batch. */
  index: number;
  plan: CallPlan;
  tries: number;
  /** By the monotonic clock; null before the first batch. */
  firstSentAt: number | null;
  waitedMs: number;
  hasRenewed: boolean;
}

/** The batch that an answer came with. */
export interface Carrier {
  requests: GraphRequests;
  token: AccessToken | null;
  requestId: string | null;
}

const answer = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  status: z.number().int(),
  headers: z.record(z.string(), z.unknown()).nullish(),
  body: z.unknown().optional(),
});

export type BatchAnswer = z.infer<typeof answer>;

/** The answers by the id of their read; what is none is left out, and so its read counts as unanswered. */
export function answersById(responses: readonly unknown[]): Map<string, BatchAnswer> {
  const byId = new Map<string, BatchAnswer>();
  for (const response of responses) {
    const { success, data } = answer.safeParse(response);
    if (success && !byId.has(data.id)) byId.set(data.id, data);
  }
  return byId;
}

/**
 * A read as `$batch` takes it: a relative address, and the headers that a call of its own would have had.
 * @throws GraphRequestError when a nextLink leads elsewhere than to this version of Graph.
 */
export function batchRequest({ index, plan }: BatchItem, { graphBaseUrl }: GraphRequests): Record<string, unknown> {
  const headers = { accept: 'application/json', prefer: 'IdType="ImmutableId"', ...plan.headers };
  return { id: String(index), method: 'GET', url: relativeUrl(plan, `${graphBaseUrl}/v1.0`), headers };
}

/** What the answer says, judged as the answer of a single call is. */
export function itemOutcome<T>(
  { plan }: BatchItem,
  given: BatchAnswer | undefined,
  schema: z.ZodType<T>,
  { requests, token, requestId: carrierRequestId }: Carrier,
): Outcome<T> {
  try {
    if (given === undefined) throw unanswered('UNKNOWN', `${plan.operation}: the batch brought no answer`);
    const headers = readHeaders(given.headers ?? {});
    if (given.status < 200 || given.status > 299) {
      throw graphFailure({
        status: given.status,
        body: textOf(given.body),
        headers,
        area: plan.area,
        hasRequiredRole: hasRequiredRole(token, plan),
        now: requests.clock(),
        carrierRequestId,
      });
    }
    const requestId = headers.get('request-id') ?? carrierRequestId;
    const value = typeof given.body === 'string' ? parsedJson(given.body) : given.body;
    return { value: shaped(value, schema, { operation: plan.operation, status: given.status, requestId }) };
  } catch (error) {
    if (error instanceof GraphRequestError) return { error };
    throw error;
  }
}

function relativeUrl({ url, path, operation }: CallPlan, root: string): string {
  if (url === undefined) return path;
  if (url.startsWith(`${root}/`)) return url.slice(root.length);
  throw unanswered('UNKNOWN', `${operation}: a page's nextLink leads out of this version of Microsoft Graph`);
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  return body === undefined ? '' : JSON.stringify(body);
}

/** The headers that are read at all, whatever else an answer brings. */
function readHeaders(given: Record<string, unknown>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    const isRead = ['retry-after', 'request-id'].includes(name.toLowerCase());
    // `Headers` throws at what cannot stand on a line.
    if (isRead && /^[\x20-\x7e]+$/.test(String(value))) headers.set(name, String(value));
  }
  return headers;
}
