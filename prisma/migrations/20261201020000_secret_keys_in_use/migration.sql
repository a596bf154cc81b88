-- Which keys the stored secrets of all tenants need: what rotating a key asks for, and nobody else may see. Row security
-- binds the owner too, so these policies let the owner alone past it, and only while the function below runs.
CREATE POLICY "owner_lists_secrets" ON "microsoft_apps" FOR SELECT TO CURRENT_USER
  USING (current_setting('app.lists_secrets', true) = 'on');
CREATE POLICY "owner_lists_secrets" ON "graph_subscriptions" FOR SELECT TO CURRENT_USER
  USING (current_setting('app.lists_secrets', true) = 'on');

-- One row a tenant and key; no ciphertext leaves it. SECURITY DEFINER: it runs as the owner of the tables.
CREATE FUNCTION "secret_keys_in_use"() RETURNS TABLE ("tenant_id" text, "key_id" text, "secrets" bigint)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  -- Tables that were given to another owner leave their policies behind. Seeing nothing must not read as "none".
  IF EXISTS (
    SELECT FROM unnest(ARRAY['microsoft_apps', 'graph_subscriptions']::regclass[]) AS t(name)
     WHERE row_security_active(t.name) AND NOT EXISTS (
       SELECT FROM pg_policy p JOIN pg_roles r ON r.oid = ANY (p.polroles)
        WHERE p.polrelid = t.name AND p.polname = 'owner_lists_secrets' AND pg_has_role(current_user, r.oid, 'USAGE'))
  ) THEN
    RAISE EXCEPTION 'The owner of the tables has changed, and may not list which keys are in use'
      USING HINT = format('As the owner, run for microsoft_apps and graph_subscriptions: ALTER POLICY owner_lists_secrets ON … TO %I', current_user);
  END IF;
  PERFORM set_config('app.lists_secrets', 'on', true);
  RETURN QUERY
    SELECT s.owner, split_part(s.ciphertext, ':', 2), count(*)
      FROM (SELECT a.tenant_id, a.credential_ciphertext FROM microsoft_apps a
            UNION ALL
            SELECT g.tenant_id, g.former_credential_ciphertext FROM graph_subscriptions g
             WHERE g.former_credential_ciphertext IS NOT NULL) AS s(owner, ciphertext)
     GROUP BY 1, 2;
  PERFORM set_config('app.lists_secrets', '', true);
END $$;

DO $$
BEGIN
  -- A function of another schema must not stand in the way of one that is named above.
  EXECUTE format('ALTER FUNCTION "secret_keys_in_use"() SET search_path = %I, pg_temp', current_schema());
  REVOKE ALL ON FUNCTION "secret_keys_in_use"() FROM PUBLIC;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'teams_meetings_app') THEN
    GRANT EXECUTE ON FUNCTION "secret_keys_in_use"() TO "teams_meetings_app";
  END IF;
END $$;
