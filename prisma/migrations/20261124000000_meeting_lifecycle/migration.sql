-- DropIndex
DROP INDEX "online_meetings_one_active_per_appointment";

-- DropIndex
DROP INDEX "online_meetings_one_active_per_interaction";

-- AlterTable
ALTER TABLE "online_meetings" ADD COLUMN     "cancel_reason" TEXT,
ADD COLUMN     "create_unconfirmed" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "failed_attempts" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "failing_since" TIMESTAMPTZ(3),
ADD COLUMN     "late_create_until" TIMESTAMPTZ(3),
ADD COLUMN     "lease_token" UUID,
ADD COLUMN     "mails_invitations" BOOLEAN,
ADD COLUMN     "next_attempt_at" TIMESTAMPTZ(3),
ADD COLUMN     "operation" TEXT NOT NULL DEFAULT 'create',
ADD COLUMN     "sends_invites" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "synced_version" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "meeting_attendees" ADD COLUMN     "is_removed" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "calendar_cursors" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "organizer_object_id" TEXT NOT NULL,
    "delta_link" TEXT NOT NULL,
    "window_ends_at" TIMESTAMPTZ(3) NOT NULL,
    "read_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "calendar_cursors_pkey" PRIMARY KEY ("tenant_id","organizer_object_id")
);

-- CreateTable
CREATE TABLE "psa_events" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "applied_at" TIMESTAMPTZ(3),
    "outcome" TEXT,

    CONSTRAINT "psa_events_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "outgoing_events" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "meeting_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "delivered_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,

    CONSTRAINT "outgoing_events_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "invitation_mails" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "meeting_id" UUID NOT NULL,
    "email_address" TEXT NOT NULL,
    "name" TEXT,
    "method" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "sent_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,

    CONSTRAINT "invitation_mails_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "psa_events_tenant_id_subject_id_occurred_at_idx" ON "psa_events"("tenant_id", "subject_id", "occurred_at");

-- CreateIndex
CREATE INDEX "outgoing_events_tenant_id_meeting_id_id_idx" ON "outgoing_events"("tenant_id", "meeting_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "invitation_mails_tenant_id_meeting_id_email_address_sequenc_key" ON "invitation_mails"("tenant_id", "meeting_id", "email_address", "sequence", "method");

-- CreateIndex
CREATE INDEX "online_meetings_tenant_id_next_attempt_at_idx" ON "online_meetings"("tenant_id", "next_attempt_at");

-- CreateIndex
CREATE INDEX "online_meetings_tenant_id_graph_event_id_idx" ON "online_meetings"("tenant_id", "graph_event_id");

-- CreateIndex
CREATE UNIQUE INDEX "online_meetings_one_active_per_appointment" ON "online_meetings"("tenant_id", "appointment_id") WHERE ((status <> 'CANCELLED'::meeting_status) AND (status <> 'CANCELLING'::meeting_status));

-- CreateIndex
CREATE UNIQUE INDEX "online_meetings_one_active_per_interaction" ON "online_meetings"("tenant_id", "interaction_id") WHERE ((status <> 'CANCELLED'::meeting_status) AND (status <> 'CANCELLING'::meeting_status));

-- AddForeignKey
ALTER TABLE "invitation_mails" ADD CONSTRAINT "invitation_mails_tenant_id_meeting_id_fkey" FOREIGN KEY ("tenant_id", "meeting_id") REFERENCES "online_meetings"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- What earlier releases left behind. Row security is forced upon the owner too, so it is lifted for these statements.
ALTER TABLE "online_meetings" NO FORCE ROW LEVEL SECURITY;
UPDATE "online_meetings" SET "synced_version" = "version" WHERE "status" IN ('SCHEDULED', 'CANCELLED');
UPDATE "online_meetings" SET "create_unconfirmed" = true WHERE "status" IN ('PROVISIONING', 'FAILED') AND "graph_event_id" IS NULL;
UPDATE "online_meetings" SET "next_attempt_at" = now() WHERE "status" = 'PROVISIONING';
ALTER TABLE "teams_integrations" NO FORCE ROW LEVEL SECURITY;
UPDATE "online_meetings" m SET "sends_invites" = false FROM "teams_integrations" t
 WHERE t."tenant_id" = m."tenant_id" AND NOT t."send_meeting_invites";
ALTER TABLE "teams_integrations" FORCE ROW LEVEL SECURITY;
ALTER TABLE "online_meetings" FORCE ROW LEVEL SECURITY;

-- Row security, as in the first migration.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['calendar_cursors', 'psa_events', 'outgoing_events', 'invitation_mails'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')) '
                   'WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))', t);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, app);
    END IF;
  END LOOP;
END $$;
