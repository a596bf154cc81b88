import type { GraphArea } from './classify.ts';
import { GraphRequestError } from './errors.ts';
import type { GraphFailureKind } from './failure-kinds.ts';

/** How a call came out: `ABORTED` is one that its caller gave up. */
export type CallOutcome = 'SUCCESS' | 'ABORTED' | GraphFailureKind;

/** Who counts what is asked of Microsoft. None of it names a directory, a mailbox or a person. */
export interface GraphObserver {
  /** One try of a call ended. */
  callEnded(call: { operation: string; area: GraphArea; outcome: CallOutcome; seconds: number }): void;
  /** One of the calls that a `$batch` carried ended; the batch itself is a call of its own. */
  partEnded(part: { operation: string; area: GraphArea; outcome: CallOutcome }): void;
  /** Entra was asked for a token. */
  tokenRequested(outcome: CallOutcome): void;
}

/** Counts nothing. */
export const NO_OBSERVER: GraphObserver = {
  callEnded: () => undefined,
  partEnded: () => undefined,
  tokenRequested: () => undefined,
};

/** The outcome of what threw this. */
export function outcomeOf(error: unknown): CallOutcome {
  return error instanceof GraphRequestError ? error.kind : 'ABORTED';
}
