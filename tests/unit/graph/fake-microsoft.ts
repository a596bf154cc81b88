import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGraphService, type GraphServiceOptions } from '../../../src/graph/service.ts';
import type { GraphClient, GraphEventDraft, GraphService, MicrosoftAppRegistration } from '../../../src/graph/types.ts';

export interface SeenRequest {
  method: string;
  /** As received: percent-encoded, with the query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Answerer = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

export const EVENT_DRAFT: GraphEventDraft = {
  subject: 'Review',
  startsAt: new Date('2026-12-01T09:00:00Z'),
  endsAt: new Date('2026-12-01T10:00:00Z'),
  bodyHtml: '<p>x</p>',
  attendees: [],
  transactionId: 'transaction-1',
};

export interface FakeMicrosoft {
  url: string;
  /** Calls of Graph, in the order of their arrival. */
  graphRequests: SeenRequest[];
  tokenRequests: SeenRequest[];
  /** Answers the next Graph calls, one each; the last one answers all further calls. */
  answerGraph(...answerers: Answerer[]): void;
  /** The same for token requests; without it every one gets a new token. */
  answerTokens(...answerers: Answerer[]): void;
  close(): Promise<void>;
}

/** A server on a free port that speaks for Entra (`/{directory}/oauth2/…`) and for Graph (`/v1.0/…`). */
export async function startFakeMicrosoft(): Promise<FakeMicrosoft> {
  const graphRequests: SeenRequest[] = [];
  const tokenRequests: SeenRequest[] = [];
  let graphAnswerers: Answerer[] = [];
  let tokenAnswerers: Answerer[] = [issueToken()];
  const next = (answerers: Answerer[]): Answerer =>
    (answerers.length > 1 ? answerers.shift() : answerers[0]) ?? json(500);

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', async () => {
      const { method = '', url = '', headers } = incoming;
      const request: SeenRequest = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
      const isToken = url.includes('/oauth2/v2.0/token');
      (isToken ? tokenRequests : graphRequests).push(request);
      await next(isToken ? tokenAnswerers : graphAnswerers)(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    graphRequests,
    tokenRequests,
    answerGraph: (...answerers) => {
      graphAnswerers = answerers;
    },
    answerTokens: (...answerers) => {
      tokenAnswerers = answerers;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function json(status: number, body?: unknown, headers: Record<string, string> = {}): Answerer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'request-1', ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
}

export function graphError(
  status: number,
  code: string,
  message = '',
  more: { innerError?: unknown; headers?: Record<string, string> } = {},
): Answerer {
  return json(status, { error: { code, message, innerError: more.innerError } }, more.headers);
}

/** A token whose `roles` claim is as given; each one differs from all others. */
export function issueToken(roles?: string[]): Answerer {
  return (request, response) => {
    const claims = Buffer.from(JSON.stringify({ roles, jti: randomUUID() })).toString('base64url');
    json(200, { token_type: 'Bearer', expires_in: 3599, access_token: `header.${claims}.signature` })(
      request,
      response,
    );
  };
}

export function entraError(
  status: number,
  error: string,
  aadsts: number,
  headers: Record<string, string> = {},
): Answerer {
  return json(
    status,
    { error, error_description: `AADSTS${aadsts}: not this way.`, error_codes: [aadsts], trace_id: 'trace-1' },
    headers,
  );
}

/** Resets the connection without an answer. */
export const reset: Answerer = (_request, response) => {
  response.socket?.resetAndDestroy();
};

/** Never answers. */
export const silence: Answerer = () => undefined;

export const APP: MicrosoftAppRegistration = {
  clientId: 'aaaaaaaa-0000-4000-8000-000000000001',
  directoryId: '11111111-1111-4111-8111-111111111111',
  cloud: 'GLOBAL',
  credential: { kind: 'CLIENT_SECRET', clientSecret: 'the-secret-value' },
};

export interface LogEntry {
  level: 'debug' | 'info' | 'warn';
  fields: Record<string, unknown>;
  message: string;
}

export interface ServiceUnderTest {
  service: GraphService;
  client: GraphClient;
  log: LogEntry[];
  /** The waits that were slept through, in milliseconds; they take no time. */
  waits: number[];
}

/** A service against the fake whose sleeps take no time and whose jitter is none. */
export function serviceFor(fake: FakeMicrosoft, options: Partial<GraphServiceOptions> = {}): ServiceUnderTest {
  const log: LogEntry[] = [];
  const waits: number[] = [];
  const at = (level: LogEntry['level']) => (fields: Record<string, unknown>, message: string) => {
    log.push({ level, fields, message });
  };
  const service = createGraphService({
    graphBaseUrl: fake.url,
    entraBaseUrl: fake.url,
    logger: { debug: at('debug'), info: at('info'), warn: at('warn') },
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      waits.push(milliseconds);
    },
    random: () => 1,
    ...options,
  });
  return { service, client: service.forApp(APP), log, waits };
}
