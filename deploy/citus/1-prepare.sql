-- What has to be different on Citus, in statements of plain Postgres. Run it on the coordinator after `npm run db:migrate`
-- and before 2-distribute.sql. It may be run again.

-- Citus allows no subquery in a policy of a distributed table (citus: src/backend/distributed/commands/policy.c). The
-- function is STABLE, so that it still is evaluated once for each scan of the index; only the planner may now guess
-- another plan for common words.
ALTER POLICY tenant_reads ON "transcript_passages"
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '') AND "words" @@ "transcript_search"());

-- Citus opens its connections to the workers as the role that the session has lowered itself to, which must be able to
-- log in there. How it proves who it is, pg_hba.conf or pg_dist_authinfo says.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'teams_meetings_app') THEN
    ALTER ROLE "teams_meetings_app" LOGIN;
  END IF;
END $$;
