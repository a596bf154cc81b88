import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Context } from '@microsoft/microsoft-graph-client';
import type { AccessToken } from './auth.ts';
import type { GraphArea } from './classify.ts';
import type { GraphPath } from './path.ts';
import type { CallOptions } from './types.ts';

/** Everything that is known of a call before it is sent. */
export interface CallPlan {
  /** The method of `GraphClient`, for the log. */
  operation: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** The path with names for ids, for the log. */
  template: string;
  /** The path and query after the version, percent-encoded once. */
  path: string;
  /** A nextLink: sent exactly as it came, instead of `path`. */
  url?: string;
  body?: unknown;
  headers?: Record<string, string>;
  area: GraphArea;
  /** App roles of which any one permits the call (Microsoft Graph permissions reference). */
  roles: readonly string[];
  /** The user in the path; calls to the same user share one queue. */
  user: string;
  /** Lets other calls to the user go first. */
  yields?: boolean;
  /** False for a call whose repetition could do something twice. */
  isIdempotent: boolean;
  /** The answer is a file, which may lie on another host than Graph's: a redirect to one is followed. */
  isContent?: boolean;
  /** The body is handed on as a stream instead of being read within the time-out. */
  isStreamed?: boolean;
  signal: AbortSignal | undefined;
  /** Replaces the service's number of tries for this call. */
  maxTries: number | undefined;
  /** Replaces the service's time for one try. */
  perTryTimeoutMs?: number;
  /** Told the request id of each answer. */
  onRequestId?: CallOptions['onRequestId'];
  /** A token that Graph has refused for a part of this call; it is sent with another one. */
  rejectedToken?: string;
}

export type ReadPlanner = (
  operation: string,
  user: string,
  path: GraphPath,
  options: CallOptions | undefined,
) => CallPlan;

/** Makes the plans of a resource that is only read. */
export function readPlanner(area: GraphArea, roles: readonly string[]): ReadPlanner {
  return (operation, user, path, options) => ({
    operation,
    method: 'GET',
    ...path,
    area,
    roles,
    user,
    isIdempotent: true,
    signal: options?.signal,
    maxTries: options?.maxTries,
    onRequestId: options?.onRequestId,
  });
}

/** One call on its way through the middleware: the plan, and what the links of the chain tell each other. */
export class GraphCall {
  readonly plan: CallPlan;
  /** Stays the same over all tries, so that Microsoft's support finds them together. */
  readonly clientRequestId = randomUUID();
  /** Aborts when the caller does, or when the time for all tries is over. */
  signal: AbortSignal;
  /** Aborts with `signal`, or when the time for this try is over. */
  trySignal: AbortSignal;
  tryNumber = 0;
  token: AccessToken | null = null;
  /** Whether the last answer came from Graph itself rather than from a host it redirected to. */
  isAnsweredByGraph = true;
  /** The body of a streamed plan's successful answer, which the answer itself then lacks. */
  content: Readable | null = null;
  /** Why the call failed. The SDK wraps what middleware throws into an error of its own; this is the original. */
  failure: unknown;

  constructor(plan: CallPlan) {
    this.plan = plan;
    this.signal = plan.signal ?? new AbortController().signal;
    this.trySignal = this.signal;
  }
}

/** Whether the token has a role that permits the call; null when there is no token to tell it by. */
export function hasRequiredRole(token: AccessToken | null, { roles }: Pick<CallPlan, 'roles'>): boolean | null {
  return token === null ? null : roles.some((role) => token.roles.has(role));
}

/** The call to which the SDK's context belongs. */
export function callOf(context: Context): GraphCall {
  const call = context.middlewareControl?.getMiddlewareOptions(GraphCall);
  if (!(call instanceof GraphCall)) throw new TypeError('the request was not made by this module');
  return call;
}
