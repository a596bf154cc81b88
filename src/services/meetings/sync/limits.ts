/**
 * How long one worker has a meeting for itself without saying so again, as it does before each change that it sends.
 * Longer than one call to Microsoft may take, its place in the mailbox's queue included.
 */
export const LEASE_MS = 45_000;

/** No new call to Microsoft is begun for a meeting after so long; longer than that takes the next job. */
export const RUN_MS = 40_000;

/** How long a caller waits for Microsoft before it is answered with what is known. */
export const ANSWER_WITHIN_MS = 8_000;

/** Waits up to this long between two tries are made at once, longer ones by a job. */
export const QUICK_WAIT_MS = 4_000;

/** How often is tried at once. */
export const QUICK_TRIES = 3;

/** After so long of passing failures it is given up: a person has to look. */
export const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/** For so long a create that was never answered may still come through at Microsoft. */
export const LATE_CREATE_MS = 2 * 60_000;

/** How often a cancelled meeting is looked for while that may happen. */
export const LOOK_AGAIN_MS = 20_000;
