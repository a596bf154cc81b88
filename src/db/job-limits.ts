/** No living worker holds a job for longer: its time limit is a minute. An older lock is one of a worker that was killed. */
export const HELD_SECONDS = 75;

/** What was given up before is the past; it would be told for ever. */
export const GIVEN_UP_DAYS = 7;
