import { authorize, withExchangeRoles } from './access.ts';
import { answerBatch } from './batch.ts';
import { badRequest, GraphFailure, graphErrorBody, invalidToken, usualFailure } from './errors.ts';
import type { GraphCall, UserRoute } from './graph-call.ts';
import { preferencesOf, segmentsOf } from './graph-call.ts';
import { graphHeaders, ODATA_JSON } from './headers.ts';
import { matchRoute } from './router.ts';
import { routes } from './routes.ts';
import type { Answer, Host, ServedCall } from './serve.ts';
import { meetFaults } from './serve.ts';
import { findUser } from './state.ts';
import { type Caller, verifyBearer } from './tokens.ts';

/** Microsoft Graph v1.0. */
export const graphHost: Host = {
  name: 'graph',
  headers: graphHeaders,
  enter: enterMailbox,
  work: answerGraph,
  usualFault(status, call) {
    const failure = usualFailure(status);
    return failure === null ? { status } : failureAnswer(failure, call);
  },
  logsBody: true,
};

/** @throws GraphFailure 401 */
function callerOf(call: ServedCall): Promise<Caller> {
  call.verified ??= verifyBearer(call.headers.authorization, call.now);
  return call.verified;
}

async function answerGraph(call: ServedCall): Promise<Answer> {
  try {
    const segments = segmentsOf(call.path);
    if (segments[0]?.toLowerCase() === 'me') {
      throw badRequest('/me request is only valid with delegated authentication flow.');
    }
    if (segments[0] === '$batch' && segments.length === 1) {
      // Whether Graph looks at the token before the items is not documented.
      await callerOf(call);
      return withODataHeaders(await answerBatch(call, serveItem));
    }
    const match = matchRoute(routes, call.method, segments);
    if (match instanceof GraphFailure) throw match;
    const caller = await callerOf(call);
    const directory = call.world.directories.get(caller.directoryId);
    if (directory === undefined) throw invalidToken('Access token validation failure.');
    const graphCall = { ...call, params: match.params, prefer: preferencesOf(call), caller, directory };
    const { route } = match;
    const answer = route.area === 'app' ? await route.handle(graphCall) : answerOfUser(graphCall, route);
    return isJson(answer) ? withODataHeaders(answer) : answer;
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error;
    return failureAnswer(error, call);
  }
}

function answerOfUser(graphCall: GraphCall, route: UserRoute): Answer {
  const call = withExchangeRoles(graphCall, route);
  return route.handle({ ...call, user: authorize(call, route) });
}

/** An item of a batch. Its connection is not its own: where a fault cuts it, the service behind Graph did not answer. */
async function serveItem(call: ServedCall, url: string): Promise<Answer> {
  if (segmentsOf(call.path)[0] === '$batch') return failureAnswer(badRequest('A batch cannot hold another.'), call);
  const outcome = await meetFaults(graphHost, call, url);
  return outcome === 'cut' ? { status: 504 } : outcome.answer;
}

function isJson(answer: Answer): boolean {
  return typeof answer.body === 'object' && !('chunks' in answer.body);
}

function withODataHeaders(answer: Answer): Answer {
  return { ...answer, headers: { 'content-type': ODATA_JSON, 'odata-version': '4.0', ...answer.headers } };
}

function failureAnswer(failure: GraphFailure, call: ServedCall): Answer {
  const { requestId, clientRequestId } = call.ids;
  return {
    status: failure.status,
    headers: failure.details.headers,
    body: graphErrorBody(failure, { now: call.now, requestId, clientRequestId }),
  };
}

/**
 * Takes one of the four places that an app has in a mailbox, for calls that Exchange serves. A call that cannot be
 * told to be one (no valid token, no such user) takes none: it is refused later, for its own reason.
 */
async function enterMailbox(call: ServedCall): Promise<Answer | (() => void)> {
  const none = () => {};
  const match = matchRoute(routes, call.method, segmentsOf(call.path));
  if (match instanceof GraphFailure || match.route.area !== 'exchange') return none;
  const caller = await callerOf(call).catch(() => null);
  if (caller === null) return none;
  const user = findUser(call.world, caller.directoryId, match.params.user ?? '');
  if (user === undefined) return none;
  const place = call.world.concurrency.enter(caller.directoryId, caller.appId, user.id);
  if (place !== null) return place;
  return failureAnswer(
    new GraphFailure(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.', {
      headers: { 'retry-after': '1' },
    }),
    call,
  );
}
