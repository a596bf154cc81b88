import type { Json } from './errors.ts';
import { badRequest, GraphFailure } from './errors.ts';
import { jsonBody } from './graph-call.ts';
import { requestIds } from './headers.ts';
import type { Answer, ServedCall } from './serve.ts';
import { isStream } from './serve.ts';

interface BatchItem {
  id: string;
  method: string;
  /** Relative, with its query. */
  url: string;
  headers: Record<string, string>;
  body: unknown;
  dependsOn: string | null;
}

/** Serves an item as if it had come alone; `url` is its whole path and query. */
export type ServeItem = (call: ServedCall, url: string) => Promise<Answer>;

const MAX_ITEMS = 20;
const METHODS = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];
/** Graph sends no more than four at once to one mailbox's Outlook service. Source: the Graph page on throttling limits. */
const ITEMS_AT_ONCE = 4;

/**
 * `POST /$batch`: 200 with an answer for every item, in any order; an item whose dependency failed is a 424. Refuses
 * the whole batch with 400 when it is too large, has an id twice or cannot be understood. Source: the Graph page on
 * JSON batching; texts of the refusals beyond the first are not documented.
 */
export async function answerBatch(call: ServedCall, serveItem: ServeItem): Promise<Answer> {
  if (call.method !== 'POST') {
    throw new GraphFailure(405, 'BadRequest', 'Specified HTTP method is not allowed for the request target.');
  }
  const items = readItems(jsonBody(call));
  const answers = new Map<string, Promise<Answer>>();
  const lanes = Array.from({ length: ITEMS_AT_ONCE }, () => Promise.resolve());
  let turns = 0;

  async function run(item: BatchItem): Promise<Answer> {
    const needed = items.find((one) => one.id === item.dependsOn);
    if (needed !== undefined && (await answerTo(needed)).status >= 400) return failedDependency();
    const lane = turns % ITEMS_AT_ONCE;
    turns += 1;
    const path = `/v1.0/${item.url.replace(/^\/+/, '')}`;
    const answer = (lanes[lane] ?? Promise.resolve()).then(() => serveItem(itemCall(call, item, path), path));
    lanes[lane] = answer.then(
      () => undefined,
      () => undefined,
    );
    return answer;
  }
  function answerTo(item: BatchItem): Promise<Answer> {
    const answer = answers.get(item.id) ?? run(item);
    answers.set(item.id, answer);
    return answer;
  }

  const responses = await Promise.all(items.map(async (item) => ({ id: item.id, ...wire(await answerTo(item)) })));
  return { status: 200, body: { responses: shuffled(responses, call.world.batchOrder) } };
}

function readItems(body: Json): BatchItem[] {
  const { requests } = body;
  if (!Array.isArray(requests) || requests.length === 0) throw badRequest('Invalid batch payload format.');
  if (requests.length > MAX_ITEMS) {
    throw new GraphFailure(
      400,
      'MaximumValueExceeded',
      `Number of batch request steps exceeds the maximum value of ${MAX_ITEMS}.`,
    );
  }
  const items = requests.map(readItem);
  const ids = new Set(items.map(({ id }) => id.toLowerCase()));
  if (ids.size < items.length) throw badRequest('Request ids of a batch must be unique.');
  for (const item of items) checkDependencies(items, item);
  return items;
}

function readItem(value: unknown): BatchItem {
  const { id, method, url, headers, body, dependsOn }: Json =
    typeof value === 'object' && value !== null ? { ...value } : {};
  const [needed = null, ...more] = Array.isArray(dependsOn) ? dependsOn : [];
  const isReadable =
    typeof id === 'string' &&
    id !== '' &&
    typeof method === 'string' &&
    METHODS.includes(method.toUpperCase()) &&
    typeof url === 'string' &&
    !/^(\w+:)?\/\//.test(url) &&
    (needed === null || typeof needed === 'string');
  if (!isReadable) throw badRequest('Invalid batch payload format.');
  // Source: the Graph page on known issues.
  if (more.length > 0) throw badRequest(`Request '${id}' may depend on one other request only.`);
  const lowerCase = lowerCaseHeaders(headers);
  if (body !== undefined && lowerCase['content-type'] === undefined) {
    throw badRequest(`Request '${id}' has a body but no Content-Type header.`);
  }
  return { id, method: method.toUpperCase(), url, headers: lowerCase, body, dependsOn: needed };
}

function lowerCaseHeaders(headers: unknown): Record<string, string> {
  const given: Json = typeof headers === 'object' && headers !== null ? { ...headers } : {};
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** A dependency must be in the batch, and may not lead back. */
function checkDependencies(items: BatchItem[], item: BatchItem): void {
  let needed = item.dependsOn;
  for (let steps = 0; needed !== null; steps += 1) {
    const next = items.find(({ id }) => id === needed);
    if (next === undefined || steps > items.length) throw badRequest(`Request '${item.id}' has no valid dependency.`);
    needed = next.dependsOn;
  }
}

/** The item as a call of its own, in the name of the batch's caller. */
function itemCall(call: ServedCall, item: BatchItem, url: string): ServedCall {
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const isBytes = typeof item.body === 'string';
  return {
    ...call,
    ids: requestIds({}),
    method: item.method,
    path,
    query: new URLSearchParams(query),
    headers: { ...item.headers, authorization: call.headers.authorization },
    rawBody:
      item.body === undefined
        ? null
        : isBytes
          ? Buffer.from(String(item.body), 'base64')
          : Buffer.from(JSON.stringify(item.body)),
  };
}

/** JSON stands in a batch as it is, everything else in base64. */
function wire({ status, headers = {}, body }: Answer): Json {
  const names = Object.entries(headers).map(([name, value]) => [
    name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()),
    value,
  ]);
  const answer = { status, headers: Object.fromEntries(names) };
  if (body === undefined) return answer;
  if (typeof body === 'string') return { ...answer, body: Buffer.from(body).toString('base64') };
  return { ...answer, body: isStream(body) ? Buffer.concat([...body.chunks]).toString('base64') : body };
}

function failedDependency(): Answer {
  const error = { code: 'FailedDependency', message: 'A request on which this one depends has failed.' };
  return { status: 424, headers: { 'content-type': 'application/json' }, body: { error } };
}

function shuffled<T>(all: T[], random: () => number): T[] {
  const keyed = all.map((one) => ({ one, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
}
