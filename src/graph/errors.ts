import type { GraphFailureKind } from './failure-kinds.ts';

export interface GraphErrorFields {
  kind: GraphFailureKind;
  message: string;
  /** HTTP status; null when there was no answer. */
  status: number | null;
  /** `error.code` of Graph, `error` of Entra; null when the body had none. */
  code: string | null;
  /** The most specific code found: the deepest `innerError.code`, or `AADSTS<n>` of Entra. */
  innermostCode: string | null;
  requestId: string | null;
  /** How long Microsoft asked us to wait. */
  retryAfterMs: number | null;
  /** For DUPLICATE_TRANSACTION: the event that the transaction id already made. */
  existingEventId?: string | null;
  /** For SUBSCRIPTION_EXISTS: the one that exists, where the answer names it. */
  existingSubscriptionId?: string | null;
  /** Default false. */
  mayHaveWorked?: boolean;
  cause?: unknown;
}

/** The one error that leaves `src/graph`. `kind` is what callers branch on. */
export class GraphRequestError extends Error {
  override readonly name = 'GraphRequestError';
  readonly kind: GraphFailureKind;
  readonly status: number | null;
  readonly code: string | null;
  readonly innermostCode: string | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  readonly existingEventId: string | null;
  readonly existingSubscriptionId: string | null;
  /**
   * Whether the call may have taken effect at Microsoft all the same: one of its tries ended without a certain
   * refusal, that is in silence, in a cut connection, in a 5xx or in an answer that could not be read. False for a
   * 4xx, and for a call that was never sent: no token, no place in the mailbox's queue, no connection.
   */
  readonly mayHaveWorked: boolean;

  constructor(fields: GraphErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.kind = fields.kind;
    this.status = fields.status;
    this.code = fields.code;
    this.innermostCode = fields.innermostCode;
    this.requestId = fields.requestId;
    this.retryAfterMs = fields.retryAfterMs;
    this.existingEventId = fields.existingEventId ?? null;
    this.existingSubscriptionId = fields.existingSubscriptionId ?? null;
    this.mayHaveWorked = fields.mayHaveWorked ?? false;
  }

  /**
   * Whether Exchange itself says that the item is gone (`ErrorItemNotFound`). Any other 404 may be a gateway's or a
   * passing one, and must not be taken for a deletion.
   */
  get isItemGone(): boolean {
    return this.kind === 'NOT_FOUND' && this.code?.toLowerCase() === 'erroritemnotfound';
  }

  /** Whether the same call may succeed later without anybody changing anything. */
  get isTransient(): boolean {
    return (
      this.kind === 'THROTTLED' || this.kind === 'UNAVAILABLE' || this.kind === 'TIMEOUT' || this.kind === 'NETWORK'
    );
  }
}

/** The same failure, of a call that may have taken effect all the same. */
export function havingMaybeWorked(failure: GraphRequestError): GraphRequestError {
  if (failure.mayHaveWorked) return failure;
  const { kind, message, status, code, innermostCode, requestId, retryAfterMs, existingEventId, cause } = failure;
  const { existingSubscriptionId } = failure;
  return new GraphRequestError({
    kind,
    message,
    status,
    code,
    innermostCode,
    requestId,
    retryAfterMs,
    existingEventId,
    existingSubscriptionId,
    cause,
    mayHaveWorked: true,
  });
}
