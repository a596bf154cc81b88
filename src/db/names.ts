/** The role under which row security binds: it owns nothing. Named in the migrations too. */
export const APPLICATION_ROLE = 'teams_meetings_app';

/** The login of the server where this project makes the cluster itself: development, the demo and tests. */
export const DEVELOPMENT_LOGIN = 'teams_meetings_server';

/** The schema in which graphile-worker keeps its jobs. */
export const JOB_SCHEMA = 'graphile_worker';
