/** The role under which row security binds: it owns nothing. Named in the migrations too. */
export const APPLICATION_ROLE = 'teams_meetings_app';

/** The schema in which graphile-worker keeps its jobs. */
export const JOB_SCHEMA = 'graphile_worker';
