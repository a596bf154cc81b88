import { describe, expect, it } from 'vitest';
import { type FailedAnswer, graphFailure } from '../../../src/graph/classify.ts';
import { entraFailure, msalFailure } from '../../../src/graph/classify-entra.ts';
import { networkFailure } from '../../../src/graph/network-failure.ts';
import type { GraphFailureKind } from '../../../src/graph/types.ts';

const NOW = new Date('2026-11-23T12:00:00Z');

function classify(answer: Partial<Omit<FailedAnswer, 'body'>> & { body?: unknown }) {
  return graphFailure({
    status: 400,
    headers: new Headers(),
    area: 'exchange',
    hasRequiredRole: null,
    now: NOW,
    ...answer,
    body: typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? ''),
  });
}

const error = (code: string, message = '', more: object = {}) => ({ error: { code, message, ...more } });

describe('the error bodies that Graph is known to send', () => {
  type Row = [name: string, status: number, area: FailedAnswer['area'], body: unknown, kind: GraphFailureKind];
  const rows: Row[] = [
    ['empty token', 401, 'exchange', error('InvalidAuthenticationToken', 'Access token is empty.'), 'UNAUTHORIZED'],
    [
      'expired token',
      401,
      'exchange',
      error('InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.'),
      'UNAUTHORIZED',
    ],
    ['401 without body', 401, 'directory', '', 'UNAUTHORIZED'],
    [
      'directory call without role',
      403,
      'directory',
      error('Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'),
      'ROLE_MISSING',
    ],
    [
      'Exchange call without role',
      403,
      'exchange',
      error('ErrorAccessDenied', 'Access is denied. Check credentials and try again.'),
      'ROLE_MISSING',
    ],
    [
      'onlineMeetings call without role',
      403,
      'onlineMeetings',
      error('Forbidden', 'Application is missing required permissions to call this API.'),
      'ROLE_MISSING',
    ],
    ['onlineMeetings call without role, no message', 403, 'onlineMeetings', error('Forbidden'), 'ROLE_MISSING'],
    ['onlineMeetings call without role, UnknownError', 403, 'onlineMeetings', error('UnknownError'), 'ROLE_MISSING'],
    [
      'unknown user of the directory',
      404,
      'directory',
      error(
        'Request_ResourceNotFound',
        "Resource 'x' does not exist or one of its queried reference-property objects…",
      ),
      'USER_NOT_FOUND',
    ],
    [
      'unknown user under events',
      404,
      'exchange',
      error('ErrorInvalidUser', "The requested user 'x' is invalid."),
      'USER_NOT_FOUND',
    ],
    [
      'user without mailbox',
      404,
      'exchange',
      error('MailboxNotEnabledForRESTAPI', 'The mailbox is either inactive, soft-deleted, or is hosted on-premise.'),
      'MAILBOX_UNAVAILABLE',
    ],
    ['on-premises mailbox', 404, 'exchange', error('MailboxNotHostedInExchangeOnline'), 'MAILBOX_UNAVAILABLE'],
    [
      'unknown event',
      404,
      'exchange',
      error('ErrorItemNotFound', 'The specified object was not found in the store.'),
      'NOT_FOUND',
    ],
    ['garbage event id', 400, 'exchange', error('ErrorInvalidIdMalformed', 'Id is malformed.'), 'INVALID_REQUEST'],
    ['bad JSON', 400, 'exchange', error('BadRequest', 'Unable to read JSON request payload.'), 'INVALID_REQUEST'],
    ['wrong path', 400, 'exchange', error('BadRequest', "Resource not found for the segment 'x'."), 'INVALID_REQUEST'],
    ['bad time zone', 400, 'exchange', error('TimeZoneNotSupportedException'), 'INVALID_REQUEST'],
    ['bad property', 400, 'exchange', error('ErrorPropertyValidationFailure'), 'INVALID_REQUEST'],
    ['bad recipients', 400, 'exchange', error('ErrorInvalidRecipients'), 'INVALID_REQUEST'],
    ['end before start', 400, 'exchange', error('ErrorCalendarEndDateIsEarlierThanStartDate'), 'INVALID_REQUEST'],
    ['stale change key', 412, 'exchange', error('ErrorIrresolvableConflict'), 'CHANGED'],
    ['conflict', 409, 'exchange', error('Conflict'), 'INVALID_REQUEST'],
    ['range that is not there', 416, 'recordings', '', 'INVALID_REQUEST'],
    ['gone', 410, 'recordings', error('Gone'), 'NOT_FOUND'],
    [
      'mailbox concurrency',
      429,
      'exchange',
      error('ApplicationThrottled', 'Application is over its MailboxConcurrency limit.'),
      'THROTTLED',
    ],
    [
      'generic throttle',
      429,
      'exchange',
      error('TooManyRequests', 'Please retry again later.', {
        innerError: { code: '429', message: 'Please retry after', status: '429' },
      }),
      'THROTTLED',
    ],
    ['server error without message', 500, 'exchange', error('UnknownError'), 'UNAVAILABLE'],
    ['InternalServerError', 500, 'exchange', error('InternalServerError'), 'UNAVAILABLE'],
    ['generalException', 500, 'exchange', error('generalException'), 'UNAVAILABLE'],
    ['gateway, HTML', 502, 'exchange', '<html><h1>Bad Gateway</h1></html>', 'UNAVAILABLE'],
    ['ServiceUnavailable', 503, 'exchange', error('ServiceUnavailable'), 'UNAVAILABLE'],
    ['serviceNotAvailable', 503, 'exchange', error('serviceNotAvailable'), 'UNAVAILABLE'],
    ['gateway time-out, empty', 504, 'exchange', '', 'UNAVAILABLE'],
    ['redirect of a write', 307, 'exchange', '', 'UNKNOWN'],
    // The Teams policy and its relatives.
    [
      'policy',
      403,
      'onlineMeetings',
      error('Forbidden', 'No application access policy found for this app'),
      'TEAMS_POLICY_MISSING',
    ],
    [
      'policy with a full stop',
      403,
      'onlineMeetings',
      error('Forbidden', 'No application access policy found for this app.'),
      'TEAMS_POLICY_MISSING',
    ],
    [
      'policy with the app id',
      403,
      'recordings',
      error('Forbidden', 'No Application Access Policy found for this app 1234 on the user.'),
      'TEAMS_POLICY_MISSING',
    ],
    [
      'transcript without policy or RSC',
      403,
      'transcripts',
      error(
        'Forbidden',
        "Application is not allowed to perform operations on the user 'x', neither is allowed access through RSC permission evaluation.",
      ),
      'TEAMS_POLICY_MISSING',
    ],
    [
      'policy of somebody else',
      403,
      'onlineMeetings',
      error('Forbidden', '3003: User does not have access to lookup meeting'),
      'TEAMS_POLICY_MISSING',
    ],
    [
      'older policy form',
      403,
      'onlineMeetings',
      error('Unauthorized', 'App x is not authorized to Create meeting on behalf of user y'),
      'TEAMS_POLICY_MISSING',
    ],
    ['corrupted meeting id', 400, 'onlineMeetings', error('BadRequest', 'Meeting Id is corrupted.'), 'INVALID_REQUEST'],
    ['1026', 400, 'onlineMeetings', error('BadRequest', '1026: An error has occurred.'), 'INVALID_REQUEST'],
    ['organizer mismatch', 404, 'onlineMeetings', error('NotFound', 'Organizer Id mismatch User Id: x'), 'NOT_FOUND'],
    [
      'Exchange scope',
      403,
      'exchange',
      error('ErrorAccessDenied', 'Access to OData is disabled.'),
      'EXCHANGE_SCOPE_DENIED',
    ],
    [
      'Exchange scope, live wording',
      403,
      'exchange',
      error(
        'ErrorAccessDenied',
        'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.',
      ),
      'EXCHANGE_SCOPE_DENIED',
    ],
    // The directory's transcript switches.
    [
      'transcript access off',
      403,
      'transcripts',
      error('Forbidden', 'Graph API access to transcripts is disabled for this tenant.', {
        innerError: { code: 'GraphAccessToTranscriptsDisabled' },
      }),
      'TRANSCRIPT_ACCESS_DISABLED',
    ],
    [
      'speaker attribution off',
      403,
      'transcripts',
      error('Forbidden', 'Speaker-attributed transcript content is disabled for this tenant.', {
        innerError: { code: 'SpeakerAttributionNotAllowed' },
      }),
      'SPEAKER_ATTRIBUTION_DISABLED',
    ],
    [
      'a switch spelt innererror, nested',
      403,
      'transcripts',
      error('Forbidden', '', { innererror: { code: 'x', innererror: { code: 'GraphAccessToTranscriptsDisabled' } } }),
      'TRANSCRIPT_ACCESS_DISABLED',
    ],
    ['plain text', 418, 'exchange', 'teapot', 'INVALID_REQUEST'],
    ['an array', 500, 'exchange', [1], 'UNAVAILABLE'],
  ];

  it.each(rows)('%s', (_name, status, area, body, kind) => {
    const failure = classify({ status, area, body });
    expect(failure.kind).toBe(kind);
    expect(failure.status).toBe(status);
  });

  it.each([
    ['holds the role', true, 'FORBIDDEN'],
    ['lacks the role', false, 'ROLE_MISSING'],
    ['is unknown', null, 'FORBIDDEN'],
  ] as const)('decides an ambiguous 403 by the roles of the token when it %s', (_name, hasRequiredRole, kind) => {
    const body = error('Forbidden', 'An error has occurred.');
    expect(classify({ status: 403, area: 'onlineMeetings', hasRequiredRole, body }).kind).toBe(kind);
  });

  it('says FORBIDDEN when access is denied although the token holds the role', () => {
    const denied = { status: 403, hasRequiredRole: true, body: error('ErrorAccessDenied', 'Access is denied.') };
    expect(classify(denied).kind).toBe('FORBIDDEN');
  });

  it('believes a missing permission that is named, whatever the token holds', () => {
    const body = error('Forbidden', 'Application is missing required permissions');
    expect(classify({ status: 403, area: 'onlineMeetings', hasRequiredRole: true, body }).kind).toBe('ROLE_MISSING');
  });

  it('reads the switch before the policy when a body tells of both', () => {
    const body = error('Forbidden', 'No application access policy found', {
      innerError: { code: 'GraphAccessToTranscriptsDisabled' },
    });
    expect(classify({ status: 403, area: 'transcripts', body }).kind).toBe('TRANSCRIPT_ACCESS_DISABLED');
  });

  it.each([
    [401, 'FORBIDDEN'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [503, 'UNAVAILABLE'],
  ] as const)('does not take a %i of another host for a refusal by Graph', (status, kind) => {
    const body = error('InvalidAuthenticationToken');
    expect(classify({ status, area: 'media', hasRequiredRole: false, body }).kind).toBe(kind);
  });

  it('keeps code, innermost code and request id', () => {
    const failure = classify({
      status: 403,
      area: 'transcripts',
      body: error('Forbidden', 'no', {
        innerError: { code: 'Inner', 'request-id': 'from-body', innerError: { code: 'Innermost' } },
      }),
    });
    expect(failure).toMatchObject({ code: 'Forbidden', innermostCode: 'Innermost', requestId: 'from-body' });
  });

  it('prefers the request id of the headers', () => {
    const headers = new Headers({ 'request-id': 'from-header' });
    const body = error('X', '', { innerError: { 'request-id': 'from-body' } });
    expect(classify({ headers, body }).requestId).toBe('from-header');
  });

  it('names the event that a repeated transaction id belongs to', () => {
    const body = error('ErrorDuplicateTransactionId', 'in use', { '@event.existingEventId': 'AAMkAG=' });
    expect(classify({ status: 400, body })).toMatchObject({
      kind: 'DUPLICATE_TRANSACTION',
      existingEventId: 'AAMkAG=',
    });
  });

  it.each([
    ['7', 7_000],
    ['Mon, 23 Nov 2026 12:00:20 GMT', 20_000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['soon', null],
  ])('reads Retry-After %s', (value, milliseconds) => {
    const headers = new Headers({ 'retry-after': value });
    expect(classify({ status: 429, headers }).retryAfterMs).toBe(milliseconds);
  });

  it('keeps HTML and long messages out of the message', () => {
    expect(classify({ status: 502, body: '<html>secret</html>' }).message).toBe('Microsoft Graph answered 502');
    expect(classify({ body: error('X', 'y'.repeat(9_999)) }).message.length).toBeLessThan(400);
  });

  it.each([
    ['THROTTLED', 429, true],
    ['UNAVAILABLE', 503, true],
    ['NOT_FOUND', 404, false],
  ] as const)('%s is transient: %s', (kind, status, isTransient) => {
    expect(classify({ status })).toMatchObject({ kind, isTransient });
  });
});

describe('the errors of the token endpoint', () => {
  type Row = [name: string, status: number, code: string, aadsts: number, kind: GraphFailureKind];
  const rows: Row[] = [
    ['wrong secret', 401, 'invalid_client', 7000215, 'CREDENTIALS_REJECTED'],
    ['expired secret', 401, 'invalid_client', 7000222, 'CREDENTIALS_REJECTED'],
    ['wrong certificate', 401, 'invalid_client', 700027, 'CREDENTIALS_REJECTED'],
    ['disabled service principal', 400, 'unauthorized_client', 7000112, 'CREDENTIALS_REJECTED'],
    ['unknown app', 400, 'unauthorized_client', 700016, 'APP_NOT_FOUND'],
    ['unknown tenant', 400, 'invalid_request', 90002, 'DIRECTORY_NOT_FOUND'],
    ['unknown tenant at discovery', 400, 'invalid_tenant', 90002, 'DIRECTORY_NOT_FOUND'],
    ['malformed tenant', 400, 'invalid_request', 900023, 'DIRECTORY_NOT_FOUND'],
    ['bad scope', 400, 'invalid_scope', 1002012, 'INVALID_REQUEST'],
    ['bad scope, older', 400, 'invalid_scope', 70011, 'INVALID_REQUEST'],
    ['another refusal of the client', 401, 'invalid_client', 700024, 'CREDENTIALS_REJECTED'],
    ['hiccup', 503, 'temporarily_unavailable', 90033, 'UNAVAILABLE'],
    ['hiccup with another status', 400, 'temporarily_unavailable', 90033, 'UNAVAILABLE'],
    ['throttled', 429, 'temporarily_unavailable', 90055, 'THROTTLED'],
  ];

  it.each(rows)('%s', (_name, status, code, aadsts, kind) => {
    const body = { error: code, error_description: 'x', error_codes: [aadsts], trace_id: 'trace' };
    const failure = entraFailure({ status, body, headers: new Headers() }, NOW);
    expect(failure).toMatchObject({ kind, status, code, innermostCode: `AADSTS${aadsts}`, requestId: 'trace' });
  });

  it('finds the number in the description when there is no list', () => {
    const body = { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided.' };
    expect(entraFailure({ status: 401, body, headers: new Headers() }, NOW).innermostCode).toBe('AADSTS7000215');
  });

  it.each([null, '<html>', 7])('survives the body %j', (body) => {
    const failure = entraFailure({ status: 503, body, headers: new Headers({ 'retry-after': '5' }) }, NOW);
    expect(failure).toMatchObject({ kind: 'UNAVAILABLE', code: null, innermostCode: null, retryAfterMs: 5_000 });
  });

  it('does not repeat what Entra says', () => {
    const body = { error: 'invalid_client', error_description: 'You sent the-secret-value' };
    expect(entraFailure({ status: 401, body, headers: new Headers() }, NOW).message).not.toContain('the-secret-value');
  });
});

describe('failures without an answer', () => {
  it("takes msal's local throttle for a wait", () => {
    const throttle = Object.assign(new Error(''), { name: 'ServerError', errorCode: '' });
    expect(msalFailure(throttle)).toMatchObject({ kind: 'THROTTLED', retryAfterMs: 60_000, isTransient: true });
  });

  it('does not guess at an unknown failure of msal', () => {
    const failure = msalFailure(
      Object.assign(new Error('x'), { name: 'ClientAuthError', errorCode: 'endpoints_resolution_error' }),
    );
    expect(failure.kind).toBe('UNKNOWN');
    expect(msalFailure('thrown text').kind).toBe('UNKNOWN');
  });

  it("names the system's code wherever it is in the chain of causes", () => {
    const inner = Object.assign(new Error('read'), { code: 'ECONNRESET' });
    const failure = networkFailure(
      'Microsoft Graph',
      new TypeError('fetch failed', { cause: new Error('x', { cause: inner }) }),
    );
    expect(failure).toMatchObject({
      kind: 'NETWORK',
      message: 'The connection to Microsoft Graph failed (ECONNRESET)',
    });
    expect(failure.cause).toBeUndefined();
  });
});

describe('what is gone', () => {
  it.each<[boolean, number, unknown]>([
    [true, 404, error('ErrorItemNotFound')],
    [false, 404, error('UnknownError')],
    [false, 404, ''],
    [false, 404, '<html>Not found</html>'],
    [false, 410, error('Gone')],
    [false, 404, error('ErrorInvalidUser')],
  ])('is said to be gone: %s, by %i %j', (isItemGone, status, body) => {
    expect(classify({ status, body })).toMatchObject({ isItemGone });
  });
});
