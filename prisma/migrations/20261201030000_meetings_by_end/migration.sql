-- Meetings of all tenants are counted by their state for the operator: those that are to come or have just ended, never
-- all. Alone in its migration, because an index that is built beside the writes cannot be in a transaction.
CREATE INDEX CONCURRENTLY "online_meetings_ends_at_status_idx" ON "online_meetings"("ends_at", "status");
