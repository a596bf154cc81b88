-- Distributes the tables by tenant: a tenant's rows of all tables lie on one worker. Run it once on the coordinator, after
-- 1-prepare.sql, while no server runs. A table is named after those that it refers to. A test compares this file with the
-- migrated tables: every table is here, distributed or local with the reason.

SET citus.shard_replication_factor = 1;

-- transcript_passages derives its words in a trigger. It changes the row that is written and looks at nothing else, so it
-- is right on every shard, whatever the name of this setting says.
SET citus.enable_unsafe_triggers = on;
SELECT create_distributed_function('transcript_passage_words()');
SELECT create_distributed_function('transcript_search()');
-- These two count over all tenants, for the operator: the coordinator calls them, and their statements go to all shards.
SELECT create_distributed_function('count_meetings_by_state()');
SELECT create_distributed_function('secret_keys_in_use()');

SELECT create_distributed_table('teams_integrations', 'tenant_id', colocate_with => 'none');
SELECT create_distributed_table('microsoft_apps', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('organizer_verifications', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('verification_runs', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('diagnostics_reports', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('audit_events', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('psa_events', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('outgoing_events', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('calendar_cursors', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('artifact_cursors', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('graph_subscriptions', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('graph_notifications', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('online_meetings', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('meeting_attendees', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('meeting_recordings', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('recording_copies', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('meeting_transcripts', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('transcript_passages', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('attendance_reports', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('artifact_tombstones', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('adoptions', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('adopted_meetings', 'tenant_id', colocate_with => 'teams_integrations');
SELECT create_distributed_table('invitation_mails', 'tenant_id', colocate_with => 'teams_integrations');

-- local: _prisma_migrations: the history of the database, read and written by who migrates.
-- local: graphile_worker: the whole schema of the job queue. A worker takes the next job of any tenant, which no single
-- shard knows, and its functions lock rows across tenants. A job and the change that calls for it are one transaction
-- over the coordinator and one worker, which Citus commits in two phases.
