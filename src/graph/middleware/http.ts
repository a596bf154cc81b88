import type { Middleware } from '@microsoft/microsoft-graph-client';
import { request } from 'undici';
import type { GraphCall } from '../call.ts';
import { isHostOfOtherCloud, isLoopback } from '../clouds.ts';
import { unanswered } from '../network-failure.ts';
import type { MicrosoftCloudName } from '../types.ts';
import { link } from './link.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;
/** Statuses whose answers must not be constructed with a body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([304]);
/** Of a streamed body, what may wait here for whoever reads it. */
const AHEAD_BYTES = 256 * 1024;

/**
 * The end of the chain: global fetch, and undici's `request` where the body is handed on as a stream. A call goes to the origin of Graph and nowhere else, whatever link it was made
 * of. Redirects of a GET are followed by hand: content may lie on another host, which gets neither the bearer nor our
 * other headers and is never one of another cloud; whatever else Graph answers comes from Graph itself. They lead to
 * https only, or to this computer when Graph itself is overridden to be on it.
 */
export function http(graphBaseUrl: string, cloud: MicrosoftCloudName): Middleware {
  const graph = new URL(graphBaseUrl);

  return link(async (call, context) => {
    let url = new URL(String(context.request));
    if (url.origin !== graph.origin) throw unanswered('INVALID_REQUEST', 'the address is not one of Microsoft Graph');
    let headers = headersFor(url, new Headers(context.options?.headers), graph, call);
    for (let redirects = 0; ; redirects += 1) {
      const response = call.plan.isStreamed
        ? await openStreamed(url, headers, call)
        : await fetch(url, {
            method: call.plan.method,
            headers,
            body: context.options?.body,
            redirect: 'manual',
            signal: call.trySignal,
          });
      const location = response.headers.get('location');
      if (call.plan.method !== 'GET' || !REDIRECTS.has(response.status) || location === null) {
        call.isAnsweredByGraph = url.origin === graph.origin;
        context.response = response;
        return;
      }
      await response.body?.cancel();
      if (redirects === MAX_REDIRECTS) throw unanswered('UNKNOWN', 'Microsoft Graph redirected too often');
      url = redirectTarget(location, url, { graph, cloud, isContent: call.plan.isContent ?? false });
      headers = headersFor(url, new Headers(context.options?.headers), graph, call);
    }
  });
}

/**
 * A GET whose successful answer leaves its body to the call. fetch's own body, a web stream, takes half as much processor
 * time again for each byte. undici's `request` follows no redirects.
 */
async function openStreamed(url: URL, wanted: Headers, call: GraphCall): Promise<Response> {
  const answer = await request(url, {
    method: 'GET',
    headers: Object.fromEntries(wanted),
    signal: call.trySignal,
    highWaterMark: AHEAD_BYTES,
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers))
    for (const one of [value ?? []].flat()) headers.append(name, one);
  const { statusCode: status, body } = answer;
  // Whoever lets go of it before its end is not interested in how it ends.
  body.on('error', () => undefined);
  if (status >= 200 && status < 300) {
    call.content = body;
    return new Response(null, { status, headers });
  }
  return new Response(WITHOUT_BODY.has(status) ? null : await body.text(), { status, headers });
}

function headersFor(url: URL, wanted: Headers, graph: URL, call: GraphCall): Headers {
  if (url.origin === graph.origin) {
    if (call.token !== null) wanted.set('authorization', `Bearer ${call.token.value}`);
    return wanted;
  }
  const headers = new Headers();
  for (const name of ['accept', 'accept-encoding', 'range']) {
    const value = wanted.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}

function redirectTarget(
  location: string,
  from: URL,
  { graph, cloud, isContent }: { graph: URL; cloud: MicrosoftCloudName; isContent: boolean },
): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : null;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url) && isLoopback(graph));
  const isOurs = url?.origin === graph.origin || (isContent && !isHostOfOtherCloud(url?.hostname ?? '', cloud));
  if (url === null || !isSafe || !isOurs) {
    throw unanswered('UNKNOWN', 'Microsoft Graph redirected to an address that is not followed');
  }
  return url;
}
