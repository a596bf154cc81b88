import type { Meeting } from './meeting.ts';

type Status = Meeting['status'];

/**
 * What moves a meeting from one state to another; the only source of every status that is written. docs/lifecycle.md
 * shows the same as a diagram, and a test holds the two together.
 */
export const LIFECYCLE = {
  PROVISIONING: {
    made: 'SCHEDULED',
    refused: 'FAILED',
    cancelled: 'CANCELLING',
    dropped: 'CANCELLED',
    deleted: 'CANCELLED',
    'given up': 'CANCELLED',
  },
  SCHEDULED: {
    made: 'SCHEDULED',
    refused: 'FAILED',
    cancelled: 'CANCELLING',
    deleted: 'CANCELLED',
    'given up': 'CANCELLED',
  },
  FAILED: {
    'wanted again': 'PROVISIONING',
    'changed again': 'SCHEDULED',
    cancelled: 'CANCELLING',
    dropped: 'CANCELLED',
    'given up': 'CANCELLED',
  },
  CANCELLING: { removed: 'CANCELLED', refused: 'CANCELLING', 'given up': 'CANCELLED' },
  CANCELLED: { removed: 'CANCELLED' },
} as const satisfies Record<Status, Record<string, Status>>;

type EventsOf<S> = S extends Status ? keyof (typeof LIFECYCLE)[S] : never;
export type LifecycleEvent = EventsOf<Status>;

/** @throws when the event cannot happen in that state: a bug of ours, which must not become a wrong row */
export function after(status: Status, event: LifecycleEvent): Status {
  const moves: Partial<Record<LifecycleEvent, Status>> = LIFECYCLE[status];
  const next = moves[event];
  if (next === undefined) throw new Error(`A meeting that is ${status} cannot be ${event}`);
  return next;
}

/** Where a meeting stands while a change of it is being brought about. A made one keeps its link. */
export function pending({ status, joinUrl }: Pick<Meeting, 'status' | 'joinUrl'>): Status {
  if (status !== 'FAILED') return status;
  return after(status, joinUrl === null ? 'wanted again' : 'changed again');
}
