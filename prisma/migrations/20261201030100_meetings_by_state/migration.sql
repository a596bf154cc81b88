-- How many meetings there are in each state, over all tenants, for the operator's metrics: numbers, and nothing of
-- anybody's. Row security binds every role that serves, and FORCE binds the owner. So the owner gets a policy for this
-- one function, which alone switches it on; the application role may call the function and has no part in the policy.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
  owner text;
BEGIN
  SELECT pg_get_userbyid(relowner) INTO owner FROM pg_class WHERE oid = to_regclass('online_meetings');

  EXECUTE format('CREATE POLICY counted_for_operator ON online_meetings FOR SELECT TO %I '
                 'USING (current_setting(''app.counts_meetings'', true) = ''on'')', owner);

  -- Switched by set_config: an owner that is no superuser may not attach a setting of our own to a function.
  EXECUTE format($create$
    CREATE FUNCTION count_meetings_by_state() RETURNS TABLE (state text, count bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
    AS $count$
    BEGIN
      PERFORM set_config('app.counts_meetings', 'on', true);
      RETURN QUERY
        SELECT CASE WHEN m.status::text = 'SCHEDULED' AND m.ends_at <= now() THEN 'ENDED' ELSE m.status::text END, count(*)
          FROM %I.online_meetings m WHERE m.ends_at > now() - interval '7 days' GROUP BY 1;
      PERFORM set_config('app.counts_meetings', 'off', true);
    END
    $count$
  $create$, current_schema());
  EXECUTE 'REVOKE ALL ON FUNCTION count_meetings_by_state() FROM PUBLIC';

  IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
    EXECUTE format('GRANT EXECUTE ON FUNCTION count_meetings_by_state() TO %I', app);
  END IF;
END $$;
