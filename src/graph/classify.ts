import { type GraphErrorFields, GraphRequestError } from './errors.ts';
import { parseRetryAfter } from './retry.ts';
import type { GraphFailureKind } from './types.ts';

/** Which Microsoft service answers a path; `media` is a host to which Graph redirected for content. */
export type GraphArea =
  | 'directory'
  | 'exchange'
  | 'onlineMeetings'
  | 'recordings'
  | 'transcripts'
  | 'subscriptions'
  | 'media';

/** An answer that is no success, with what is needed to tell its cause. */
export interface FailedAnswer {
  status: number;
  /** The body as text: Graph's JSON, or nothing, or a gateway's HTML. */
  body: string;
  headers: Headers;
  area: GraphArea;
  /** Whether the token carries an app role that permits the call; null when that is not known. */
  hasRequiredRole: boolean | null;
  now: Date;
  /** Of the call that carried this one, for an answer that has none of its own. */
  carrierRequestId?: string | null;
}

interface ErrorBody {
  code: string | null;
  message: string;
  /** From the innermost `innerError.code` outwards to `error.code`. */
  codes: string[];
  requestId: string | null;
  existingEventId: string | null;
}

/**
 * Codes that mean one thing wherever they stand (Microsoft Learn: "Microsoft Graph error responses", calltranscript-get;
 * bodies seen in the field). Keys are lower case.
 */
const KIND_BY_CODE: ReadonlyMap<string, GraphFailureKind> = new Map<string, GraphFailureKind>([
  ['graphaccesstotranscriptsdisabled', 'TRANSCRIPT_ACCESS_DISABLED'],
  ['speakerattributionnotallowed', 'SPEAKER_ATTRIBUTION_DISABLED'],
  ['errorduplicatetransactionid', 'DUPLICATE_TRANSACTION'],
  ['errorirresolvableconflict', 'CHANGED'],
  ['mailboxnotenabledforrestapi', 'MAILBOX_UNAVAILABLE'],
  ['mailboxnothostedinexchangeonline', 'MAILBOX_UNAVAILABLE'],
  ['errorinvaliduser', 'USER_NOT_FOUND'],
  ['request_resourcenotfound', 'USER_NOT_FOUND'],
  ['erroritemnotfound', 'NOT_FOUND'],
  ['invalidauthenticationtoken', 'UNAUTHORIZED'],
  ['applicationthrottled', 'THROTTLED'],
  ['toomanyrequests', 'THROTTLED'],
]);

/** Microsoft gives these causes no code of their own; the stems are what all seen variants have in common. */
const TEAMS_POLICY_STEMS: readonly string[] = [
  'no application access policy found',
  '3003:',
  'is not allowed to perform operations on the user',
  'is not authorized to create meeting on behalf of user',
];
const EXCHANGE_SCOPE_STEM = 'access to odata is disabled';
const MISSING_PERMISSIONS_STEM = 'application is missing required permissions';

const VALIDATION_STEMS: readonly string[] = ['validation request', 'notification endpoint', 'notificationurl'];
const LIMIT_STEMS: readonly string[] = ['quota', 'limit', 'maximum number of subscriptions'];

const ROLE_CODES: ReadonlySet<string> = new Set(['erroraccessdenied', 'authorization_requestdenied']);

/**
 * Tells the cause of a failed answer of Graph: by the innermost code that is known, then by the wording of a 403
 * that has no telling code, then by the status. Survives empty and HTML bodies.
 */
export function graphFailure(answer: FailedAnswer): GraphRequestError {
  const body = parseErrorBody(answer.body);
  const kind = kindOf(answer, body);
  const fields: GraphErrorFields = {
    kind,
    message: describe(answer, body),
    status: answer.status,
    code: body.code,
    innermostCode: body.codes[0] ?? null,
    requestId: answer.headers.get('request-id') ?? body.requestId ?? answer.carrierRequestId ?? null,
    retryAfterMs: parseRetryAfter(answer.headers.get('retry-after'), answer.now),
    existingEventId: kind === 'DUPLICATE_TRANSACTION' ? body.existingEventId : null,
    existingSubscriptionId: kind === 'SUBSCRIPTION_EXISTS' ? existingSubscriptionId(body) : null,
    // Only a 4xx says for certain that nothing was done.
    mayHaveWorked: answer.status < 400 || answer.status >= 500,
  };
  return new GraphRequestError(fields);
}

function kindOf(answer: FailedAnswer, body: ErrorBody): GraphFailureKind {
  // The codes of another host are not Graph's, and its refusal says nothing about roles or policies.
  if (answer.area === 'media') return kindOfStatus(answer.status === 401 ? 403 : answer.status);
  const ofSubscriptions = answer.area === 'subscriptions' ? kindOfSubscriptions(answer, body) : null;
  if (ofSubscriptions !== null) return ofSubscriptions;
  for (const code of body.codes) {
    const kind = KIND_BY_CODE.get(code.toLowerCase());
    if (kind !== undefined) return kind;
  }
  return answer.status === 403 ? kindOfRefusal(answer, body) : kindOfStatus(answer.status);
}

function kindOfRefusal(answer: FailedAnswer, body: ErrorBody): GraphFailureKind {
  const message = body.message.toLowerCase();
  if (TEAMS_POLICY_STEMS.some((stem) => message.includes(stem))) return 'TEAMS_POLICY_MISSING';
  if (message.includes(EXCHANGE_SCOPE_STEM)) return 'EXCHANGE_SCOPE_DENIED';
  if (message.includes(MISSING_PERMISSIONS_STEM)) return 'ROLE_MISSING';
  if (answer.hasRequiredRole !== null) return answer.hasRequiredRole ? 'FORBIDDEN' : 'ROLE_MISSING';
  const hasRoleCode = body.codes.some((code) => ROLE_CODES.has(code.toLowerCase()));
  const isTeams = answer.area !== 'directory' && answer.area !== 'exchange';
  return hasRoleCode || (isTeams && message === '') ? 'ROLE_MISSING' : 'FORBIDDEN';
}

/**
 * Refusals that only subscriptions know (Microsoft Learn: subscription-post-subscriptions,
 * change-notifications-delivery-webhooks). Their codes differ between sources, the wording of the quota is not
 * documented: status and stems are what can be told by.
 */
function kindOfSubscriptions({ status }: FailedAnswer, body: ErrorBody): GraphFailureKind | null {
  if (status === 409) return 'SUBSCRIPTION_EXISTS';
  const message = body.message.toLowerCase();
  if (status === 400 && VALIDATION_STEMS.some((stem) => message.includes(stem))) return 'NOTIFICATION_URL_REFUSED';
  if (status === 403 && LIMIT_STEMS.some((stem) => message.includes(stem))) return 'SUBSCRIPTION_LIMIT';
  return null;
}

/** The message is the only place where Graph names it. */
function existingSubscriptionId({ message }: ErrorBody): string | null {
  return /subscription id <?([\w-]{8,64})>? already exists/i.exec(message)?.[1] ?? null;
}

function kindOfStatus(status: number): GraphFailureKind {
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 404 || status === 410) return 'NOT_FOUND';
  if (status === 412) return 'CHANGED';
  if (status === 429) return 'THROTTLED';
  if (status >= 500) return 'UNAVAILABLE';
  return status >= 400 ? 'INVALID_REQUEST' : 'UNKNOWN';
}

function describe(answer: FailedAnswer, body: ErrorBody): string {
  const who = answer.area === 'media' ? 'The host of the content' : 'Microsoft Graph';
  const code = body.codes[0] === undefined ? '' : ` ${body.codes[0]}`;
  const message = body.message === '' ? '' : `: ${body.message.slice(0, 300)}`;
  return `${who} answered ${answer.status}${code}${message}`;
}

function parseErrorBody(text: string): ErrorBody {
  const error = recordOf(recordOf(parseJson(text))?.error);
  const body: ErrorBody = { code: null, message: '', codes: [], requestId: null, existingEventId: null };
  if (error === null) return body;
  body.code = textOf(error.code);
  body.message = textOf(error.message) ?? '';
  body.existingEventId = textOf(error['@event.existingEventId']);
  let level: Record<string, unknown> | null = error;
  // Bodies nest two or three levels; the bound is for hostile ones.
  for (let depth = 0; level !== null && depth < 10; depth += 1) {
    const code = textOf(level.code);
    if (code !== null) body.codes.unshift(code);
    body.requestId ??= textOf(level['request-id']);
    level = recordOf(level.innerError ?? level.innererror);
  }
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function recordOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
