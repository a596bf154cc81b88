import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FaultInput, LoggedRequest } from './control-types.ts';
import type { Json } from './errors.ts';
import type { RequestIds } from './headers.ts';
import { requestIds } from './headers.ts';
import { decodePath, safeHeaders } from './request-log.ts';
import type { World } from './state.ts';
import type { Caller } from './tokens.ts';

/** Content that is streamed; faults may slow it down or cut it. */
export interface StreamBody {
  chunks: Iterable<Uint8Array>;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON, text and bytes as they are, undefined as nothing. */
  body?: Json | string | StreamBody;
}

/** What one host (Entra, Graph, media) does with a call. */
export interface Host {
  name: LoggedRequest['host'];
  /** Headers of every answer. */
  headers(ids: RequestIds, now: Date): Record<string, string>;
  /** Takes a place before anything else; the returned function gives it back. An answer refuses. */
  enter?(call: ServedCall): Promise<Answer | (() => void)>;
  work(call: ServedCall): Promise<Answer> | Answer;
  /** The answer for a fault that names a status but no body. */
  usualFault(status: number, call: ServedCall): Answer;
  /** Whether the log may keep the parsed JSON body. */
  logsBody: boolean;
}

export interface ServedCall {
  world: World;
  ids: RequestIds;
  now: Date;
  method: string;
  /** As received, without the query. */
  path: string;
  query: URLSearchParams;
  headers: FastifyRequest['headers'];
  /** The bytes of the body; null without one. */
  rawBody: Buffer | null;
  /** `http://host:port` as the caller addressed the simulator. */
  baseUrl: string;
  /** What came of looking at its token, once somebody has; the items of a batch are of one caller. */
  verified?: Promise<Caller>;
}

/** Serves one call: logs it, meets faults, does the work, gives the answer its headers. */
export async function serve(
  world: World,
  host: Host,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const call = callOf(world, request);
  const entry = world.log.add(logEntry(host, call));
  const outcome = await meetFaults(host, call, request.raw.url ?? '');
  if (outcome === 'cut') return cut(request, reply);
  return send(host, call, entry, reply, outcome.answer, outcome.fault);
}

/** What becomes of a call: an answer, with the fault that may still strike its stream, or a connection that is reset. */
export async function meetFaults(
  host: Host,
  call: ServedCall,
  url: string,
): Promise<{ answer: Answer; fault?: FaultInput } | 'cut'> {
  const place = (await host.enter?.(call)) ?? (() => {});
  if (typeof place !== 'function') return { answer: place };
  try {
    const { faults } = call.world;
    const fault = faults.take(call.method, decodePath(url));
    if (fault?.delayMs !== undefined) await faults.delay(fault.delayMs);
    if (fault?.cut === 'before') return 'cut';
    const faulted = fault?.status === undefined ? null : faultAnswer(host, call, fault, fault.status);
    if (faulted !== null && !fault?.after) return { answer: faulted };
    const answer = await host.work(call);
    return fault?.cut === 'after' ? 'cut' : { answer: faulted ?? answer, fault };
  } finally {
    place();
  }
}

function callOf(world: World, request: FastifyRequest): ServedCall {
  const [path = '', query = ''] = (request.raw.url ?? '').split(/\?(.*)/s);
  return {
    world,
    ids: requestIds(request.headers),
    now: world.clock.now(),
    method: request.method,
    path,
    query: new URLSearchParams(query),
    headers: request.headers,
    rawBody: Buffer.isBuffer(request.body) && request.body.length > 0 ? request.body : null,
    baseUrl: `http://${request.host}`,
  };
}

function logEntry(host: Host, call: ServedCall): LoggedRequest {
  return {
    at: call.now.toISOString(),
    host: host.name,
    method: call.method,
    path: call.path,
    query: Object.fromEntries(call.query),
    headers: safeHeaders(call.headers),
    body: host.logsBody ? parsedOrNull(call.rawBody) : null,
    status: null,
    requestId: call.ids.requestId,
  };
}

function parsedOrNull(body: Buffer | null): unknown {
  try {
    return body === null ? null : JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

function faultAnswer(host: Host, call: ServedCall, fault: FaultInput, status: number): Answer {
  if (fault.body === undefined) {
    const usual = host.usualFault(status, call);
    return { ...usual, headers: fault.headers ?? usual.headers };
  }
  return { status, headers: fault.headers, body: fault.body ?? undefined };
}

function cut(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.resetAndDestroy();
  return reply;
}

function send(
  host: Host,
  call: ServedCall,
  entry: LoggedRequest,
  reply: FastifyReply,
  answer: Answer,
  fault: FaultInput | undefined,
): FastifyReply {
  entry.status = answer.status;
  reply.code(answer.status).headers({ ...host.headers(call.ids, call.now), ...answer.headers });
  if (answer.body === undefined) return reply.send();
  if (typeof answer.body === 'string') {
    if (!reply.hasHeader('content-type')) reply.header('content-type', 'text/plain; charset=utf-8');
    return reply.send(Buffer.from(answer.body));
  }
  if (isStream(answer.body)) {
    return reply.send(Readable.from(paced(call, answer.body, fault), { objectMode: false }));
  }
  if (!reply.hasHeader('content-type')) reply.header('content-type', 'application/json');
  // As bytes, since Fastify would add a charset to the type of text.
  return reply.send(Buffer.from(JSON.stringify(answer.body)));
}

export function isStream(body: Json | StreamBody): body is StreamBody {
  return 'chunks' in body;
}

async function* paced(call: ServedCall, body: StreamBody, fault: FaultInput | undefined): AsyncGenerator<Uint8Array> {
  let left = fault?.cutAfterBytes ?? Number.POSITIVE_INFINITY;
  for (const chunk of body.chunks) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      throw new Error('stream cut by a fault');
    }
    left -= chunk.length;
    yield chunk;
    if (fault?.chunkDelayMs !== undefined) await call.world.faults.delay(fault.chunkDelayMs);
  }
}
