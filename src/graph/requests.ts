import { Readable } from 'node:stream';
import { Client, type GraphRequest, ResponseType } from '@microsoft/microsoft-graph-client';
import type { z } from 'zod';
import type { AccessToken, TokenSource } from './auth.ts';
import { type CallPlan, GraphCall } from './call.ts';
import { GraphRequestError } from './errors.ts';
import type { GraphLogger } from './log.ts';
import { authorization } from './middleware/authorization.ts';
import { http } from './middleware/http.ts';
import { mailboxQueue } from './middleware/mailbox-queue.ts';
import { outcome } from './middleware/outcome.ts';
import { requestHeaders } from './middleware/request-headers.ts';
import { retry } from './middleware/retry.ts';
import { timeOut } from './middleware/time-out.ts';
import { unanswered } from './network-failure.ts';
import type { GraphObserver } from './observer.ts';
import type { RetryLimits } from './retry.ts';
import { parsedJson, shaped } from './shape.ts';
import type { MailboxQueues } from './throttle.ts';
import type { MicrosoftCloudName } from './types.ts';

export interface RequestsOptions {
  cloud: MicrosoftCloudName;
  graphBaseUrl: string;
  tokens: TokenSource;
  queues: MailboxQueues;
  /** What the queues of this app registration's mailboxes have in common. */
  appKey: string;
  limits: RetryLimits;
  perTryTimeoutMs: number;
  clock: () => Date;
  logger: GraphLogger;
  observer: GraphObserver;
}

/** Sends planned calls. Every method rejects with `GraphRequestError`, or with the reason of the caller's signal. */
export interface GraphRequests {
  readonly graphBaseUrl: string;
  readonly limits: RetryLimits;
  /** How long a stream may go without a chunk while somebody waits for one. */
  readonly perTryTimeoutMs: number;
  readonly clock: () => Date;
  readonly logger: GraphLogger;
  readonly observer: GraphObserver;
  /** A successful answer. */
  send(plan: CallPlan): Promise<Response>;
  /** A successful answer of a streamed plan, and beside it its body, which the caller reads to its end or destroys. */
  open(plan: CallPlan & { isStreamed: true }): Promise<{ response: Response; body: Readable }>;
  /** The answer's JSON in the shape of `schema`; anything else is an UNKNOWN failure. */
  json<T>(plan: CallPlan, schema: z.ZodType<T>): Promise<T>;
  /** As `json`, with what tells whose answer it is. */
  exchange<T>(plan: CallPlan, schema: z.ZodType<T>): Promise<Exchange<T>>;
}

export interface Exchange<T> {
  value: T;
  /** The token that was accepted. */
  token: AccessToken | null;
  requestId: string | null;
}

/** Builds the Graph SDK's client of one app registration with this module's own chain of middleware. */
export function createRequests(options: RequestsOptions): GraphRequests {
  const { graphBaseUrl, limits, logger, clock, perTryTimeoutMs, observer } = options;
  const client = Client.initWithMiddleware({
    baseUrl: graphBaseUrl,
    defaultVersion: 'v1.0',
    middleware: [
      requestHeaders(),
      retry(limits, logger),
      authorization(options.tokens),
      mailboxQueue(options.queues, options.appKey),
      outcome(logger, clock, observer),
      timeOut(perTryTimeoutMs),
      http(graphBaseUrl, options.cloud),
    ],
  });

  async function run(call: GraphCall): Promise<Response> {
    const { plan } = call;
    const request = client.api(plan.path).middlewareOptions([call]).responseType(ResponseType.RAW);
    try {
      return await execute(request, plan);
    } catch (error) {
      if (call.failure instanceof GraphRequestError) throw call.failure;
      if (plan.signal?.aborted) throw plan.signal.reason;
      // Only its name: the message may quote a header.
      throw unanswered('UNKNOWN', `${plan.operation} could not be sent (${nameOf(call.failure ?? error)})`);
    }
  }

  async function exchange<T>(plan: CallPlan, schema: z.ZodType<T>): Promise<Exchange<T>> {
    const call = new GraphCall(plan);
    const response = await run(call);
    const { operation } = plan;
    const requestId = response.headers.get('request-id');
    const source = { operation, status: response.status, requestId };
    const value = shaped(parsedJson(await response.text()), schema, source);
    return { value, token: call.token, requestId };
  }

  return {
    graphBaseUrl,
    limits,
    perTryTimeoutMs,
    clock,
    logger,
    observer,
    send: (plan) => run(new GraphCall(plan)),
    async open(plan) {
      const call = new GraphCall(plan);
      const response = await run(call);
      return { response, body: call.content ?? Readable.from([]) };
    },
    json: async (plan, schema) => (await exchange(plan, schema)).value,
    exchange,
  };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function execute(request: GraphRequest, plan: CallPlan): Promise<Response> {
  if (plan.method === 'POST') return request.post(plan.body);
  if (plan.method === 'PATCH') return request.patch(plan.body);
  return plan.method === 'DELETE' ? request.delete() : request.get();
}
