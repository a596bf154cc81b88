import { describe, expect, it } from 'vitest';
import { GraphRequestError } from '../../../src/graph/errors.ts';
import type { GraphFailureKind } from '../../../src/graph/types.ts';
import {
  explain,
  invalid,
  toStoredFailure,
  toUserError,
  USER_ERROR_CODES,
  type UserErrorCode,
} from '../../../src/services/failures.ts';

/** Every cause that Microsoft can give, and the code that a user sees. The type makes a forgotten one an error. */
const CODES: Record<GraphFailureKind, UserErrorCode> = {
  CREDENTIALS_REJECTED: 'CREDENTIALS_REJECTED',
  APP_NOT_FOUND: 'CREDENTIALS_REJECTED',
  DIRECTORY_NOT_FOUND: 'CREDENTIALS_REJECTED',
  UNAUTHORIZED: 'CREDENTIALS_REJECTED',
  ROLE_MISSING: 'PERMISSION_MISSING',
  FORBIDDEN: 'PERMISSION_MISSING',
  TEAMS_POLICY_MISSING: 'POLICY_MISSING',
  EXCHANGE_SCOPE_DENIED: 'MAILBOX_SCOPE_DENIED',
  USER_NOT_FOUND: 'ORGANIZER_NOT_FOUND',
  MAILBOX_UNAVAILABLE: 'MAILBOX_UNAVAILABLE',
  TRANSCRIPT_ACCESS_DISABLED: 'TRANSCRIPT_ACCESS_DISABLED',
  SPEAKER_ATTRIBUTION_DISABLED: 'TRANSCRIPT_ACCESS_DISABLED',
  NOT_FOUND: 'NOT_FOUND',
  DUPLICATE_TRANSACTION: 'CONFLICT',
  CHANGED: 'CONFLICT',
  SUBSCRIPTION_EXISTS: 'CONFLICT',
  SUBSCRIPTION_LIMIT: 'GRAPH_THROTTLED',
  NOTIFICATION_URL_REFUSED: 'NOT_CONFIGURED',
  INVALID_REQUEST: 'GRAPH_UNAVAILABLE',
  THROTTLED: 'GRAPH_THROTTLED',
  UNAVAILABLE: 'GRAPH_UNAVAILABLE',
  TIMEOUT: 'GRAPH_UNAVAILABLE',
  NETWORK: 'GRAPH_UNAVAILABLE',
  UNKNOWN: 'GRAPH_UNAVAILABLE',
};
const KINDS = Object.keys(CODES) as GraphFailureKind[];

function failure(kind: GraphFailureKind): GraphRequestError {
  return new GraphRequestError({
    kind,
    message: 'Graph answered 403: Bearer secret',
    status: 403,
    code: 'x',
    innermostCode: 'y',
    requestId: 'request-1',
    retryAfterMs: null,
  });
}

describe('a failure at Microsoft', () => {
  it.each(KINDS)('%s has a code, a message and a remedy for a person', (kind) => {
    const { code, message, remedy, graphRequestId } = explain(failure(kind));
    expect(code).toBe(CODES[kind]);
    expect(USER_ERROR_CODES).toContain(code);
    expect(message).toMatch(/^[A-Z].{15,}\.$/);
    expect(remedy.length).toBeGreaterThan(15);
    expect(graphRequestId).toBe('request-1');
  });

  it('tells apart what one code stands for: no two causes have the same message', () => {
    expect(new Set(KINDS.map((kind) => explain(failure(kind)).message)).size).toBe(KINDS.length);
  });

  it('never shows what Microsoft or a library wrote', () => {
    for (const kind of KINDS)
      expect(JSON.stringify([toUserError(failure(kind)), toStoredFailure(failure(kind), new Date())])).not.toContain(
        'Bearer secret',
      );
  });

  it('becomes a user error, with its path where there is one', () => {
    expect(toUserError(failure('THROTTLED'))).toEqual({
      code: 'GRAPH_THROTTLED',
      message: expect.any(String),
      remedy: expect.any(String),
    });
    expect(toUserError(failure('THROTTLED'), ['recordings']).path).toEqual(['recordings']);
  });

  it('is stored with its time and Graph’s request id', () => {
    const now = new Date('2026-01-02T03:04:05Z');
    expect(toStoredFailure(failure('TIMEOUT'), now)).toMatchObject({
      code: 'GRAPH_UNAVAILABLE',
      occurredAt: '2026-01-02T03:04:05.000Z',
      graphRequestId: 'request-1',
    });
  });
});

describe('any other error', () => {
  it.each([new TypeError('x is undefined'), new Error('connection terminated'), 'text', null])(
    '%s is a bug and is thrown on',
    (error) => {
      const thrown = (work: () => unknown) => {
        try {
          work();
        } catch (caught) {
          return caught;
        }
        return 'nothing was thrown';
      };
      expect(thrown(() => explain(error))).toBe(error);
      expect(thrown(() => toUserError(error))).toBe(error);
      expect(thrown(() => toStoredFailure(error, new Date()))).toBe(error);
    },
  );
});

it('an invalid input has a remedy only where there is one', () => {
  expect(invalid(['input', 'subject'], 'Empty.')).toEqual({
    code: 'INVALID_INPUT',
    message: 'Empty.',
    path: ['input', 'subject'],
  });
  expect(invalid(['input'], 'Empty.', 'Fill it.').remedy).toBe('Fill it.');
});
