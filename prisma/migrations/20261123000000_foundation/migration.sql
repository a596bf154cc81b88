-- CreateEnum
CREATE TYPE "install_status" AS ENUM ('NOT_CONFIGURED', 'INSTALL_PENDING', 'ACTIVE', 'ERROR');

-- CreateEnum
CREATE TYPE "lobby_bypass" AS ENUM ('ORGANIZER', 'INVITED', 'ORGANIZATION', 'EVERYONE');

-- CreateEnum
CREATE TYPE "allowed_presenters" AS ENUM ('EVERYONE', 'ORGANIZATION', 'ROLE_IS_PRESENTER', 'ORGANIZER');

-- CreateEnum
CREATE TYPE "microsoft_cloud" AS ENUM ('GLOBAL', 'US_GOV_L4', 'US_GOV_L5', 'CHINA');

-- CreateEnum
CREATE TYPE "credential_kind" AS ENUM ('CLIENT_SECRET', 'CERTIFICATE');

-- CreateEnum
CREATE TYPE "meeting_status" AS ENUM ('PROVISIONING', 'SCHEDULED', 'CANCELLING', 'CANCELLED', 'FAILED');

-- CreateEnum
CREATE TYPE "attendee_kind" AS ENUM ('CONTACT', 'USER', 'EMAIL');

-- CreateEnum
CREATE TYPE "attendee_response" AS ENUM ('NONE', 'TENTATIVE', 'ACCEPTED', 'DECLINED');

-- CreateEnum
CREATE TYPE "recording_storage" AS ENUM ('GRAPH', 'INTERNAL');

-- CreateTable
CREATE TABLE "teams_integrations" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "install_status" "install_status" NOT NULL DEFAULT 'NOT_CONFIGURED',
    "organizer_upn" TEXT,
    "organizer_object_id" TEXT,
    "organizer_display_name" TEXT,
    "organizer_resolved_at" TIMESTAMPTZ(3),
    "send_meeting_invites" BOOLEAN NOT NULL DEFAULT true,
    "download_recordings" BOOLEAN NOT NULL DEFAULT false,
    "show_artifacts_in_client_portal" BOOLEAN NOT NULL DEFAULT false,
    "artifact_retention_days" INTEGER,
    "record_automatically" BOOLEAN NOT NULL DEFAULT false,
    "lobby_bypass" "lobby_bypass" NOT NULL DEFAULT 'ORGANIZATION',
    "allowed_presenters" "allowed_presenters" NOT NULL DEFAULT 'EVERYONE',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "teams_integrations_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "microsoft_apps" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "client_id" TEXT NOT NULL,
    "directory_id" TEXT NOT NULL,
    "cloud" "microsoft_cloud" NOT NULL,
    "credential_kind" "credential_kind" NOT NULL,
    "credential_ciphertext" TEXT NOT NULL,
    "credential_hint" TEXT NOT NULL,
    "credential_expires_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "microsoft_apps_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "organizer_verifications" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "outcome" TEXT NOT NULL,
    "checks" JSONB NOT NULL,
    "ran_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "organizer_verifications_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "online_meetings" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "appointment_id" TEXT,
    "interaction_id" TEXT,
    "client_id" TEXT,
    "contact_id" TEXT,
    "status" "meeting_status" NOT NULL,
    "subject" TEXT NOT NULL,
    "description" TEXT,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "time_zone" TEXT NOT NULL,
    "join_url" TEXT,
    "is_calendar_backed" BOOLEAN NOT NULL DEFAULT true,
    "graph_event_id" TEXT,
    "graph_online_meeting_id" TEXT,
    "ical_uid" TEXT,
    "organizer_upn" TEXT NOT NULL,
    "organizer_object_id" TEXT,
    "organizer_display_name" TEXT,
    "transaction_id" TEXT NOT NULL,
    "idempotency_key" TEXT,
    "input_hash" TEXT NOT NULL,
    "leased_until" TIMESTAMPTZ(3),
    "failure" JSONB,
    "capture_attempts" INTEGER NOT NULL DEFAULT 0,
    "capture_last_attempt_at" TIMESTAMPTZ(3),
    "capture_failure" JSONB,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "online_meetings_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "meeting_attendees" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "meeting_id" UUID NOT NULL,
    "email_address" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "name" TEXT,
    "kind" "attendee_kind" NOT NULL,
    "contact_id" TEXT,
    "user_id" TEXT,
    "response" "attendee_response" NOT NULL DEFAULT 'NONE',
    "responded_at" TIMESTAMPTZ(3),

    CONSTRAINT "meeting_attendees_pkey" PRIMARY KEY ("tenant_id","meeting_id","email_address")
);

-- CreateTable
CREATE TABLE "meeting_recordings" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "meeting_id" UUID NOT NULL,
    "graph_recording_id" TEXT NOT NULL,
    "call_id" TEXT,
    "content_correlation_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "content_type" TEXT NOT NULL DEFAULT 'video/mp4',
    "size_bytes" BIGINT,
    "storage" "recording_storage" NOT NULL DEFAULT 'GRAPH',

    CONSTRAINT "meeting_recordings_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "meeting_transcripts" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "meeting_id" UUID NOT NULL,
    "graph_transcript_id" TEXT NOT NULL,
    "call_id" TEXT,
    "content_correlation_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "is_speaker_attributed" BOOLEAN NOT NULL,
    "vtt" TEXT NOT NULL,

    CONSTRAINT "meeting_transcripts_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "audit_events" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "actor" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "meeting_id" UUID,
    "outcome" TEXT NOT NULL,
    "detail" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "organizer_verifications_tenant_id_ran_at_idx" ON "organizer_verifications"("tenant_id", "ran_at" DESC);

-- CreateIndex
CREATE INDEX "online_meetings_tenant_id_starts_at_id_idx" ON "online_meetings"("tenant_id", "starts_at", "id");

-- CreateIndex
CREATE INDEX "online_meetings_tenant_id_client_id_starts_at_id_idx" ON "online_meetings"("tenant_id", "client_id", "starts_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "online_meetings_one_active_per_appointment" ON "online_meetings"("tenant_id", "appointment_id") WHERE (status <> 'CANCELLED'::meeting_status);

-- CreateIndex
CREATE UNIQUE INDEX "online_meetings_one_active_per_interaction" ON "online_meetings"("tenant_id", "interaction_id") WHERE (status <> 'CANCELLED'::meeting_status);

-- CreateIndex
CREATE UNIQUE INDEX "online_meetings_tenant_id_idempotency_key_key" ON "online_meetings"("tenant_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "meeting_attendees_tenant_id_user_id_idx" ON "meeting_attendees"("tenant_id", "user_id");

-- CreateIndex
CREATE INDEX "meeting_attendees_tenant_id_contact_id_idx" ON "meeting_attendees"("tenant_id", "contact_id");

-- CreateIndex
CREATE UNIQUE INDEX "meeting_recordings_tenant_id_meeting_id_graph_recording_id_key" ON "meeting_recordings"("tenant_id", "meeting_id", "graph_recording_id");

-- CreateIndex
CREATE UNIQUE INDEX "meeting_transcripts_tenant_id_meeting_id_graph_transcript_i_key" ON "meeting_transcripts"("tenant_id", "meeting_id", "graph_transcript_id");

-- CreateIndex
CREATE INDEX "audit_events_tenant_id_meeting_id_at_idx" ON "audit_events"("tenant_id", "meeting_id", "at");

-- AddForeignKey
ALTER TABLE "meeting_attendees" ADD CONSTRAINT "meeting_attendees_tenant_id_meeting_id_fkey" FOREIGN KEY ("tenant_id", "meeting_id") REFERENCES "online_meetings"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "meeting_recordings" ADD CONSTRAINT "meeting_recordings_tenant_id_meeting_id_fkey" FOREIGN KEY ("tenant_id", "meeting_id") REFERENCES "online_meetings"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "meeting_transcripts" ADD CONSTRAINT "meeting_transcripts_tenant_id_meeting_id_fkey" FOREIGN KEY ("tenant_id", "meeting_id") REFERENCES "online_meetings"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Checks that Prisma's schema language cannot express.
ALTER TABLE "online_meetings"
  ADD CONSTRAINT "online_meetings_one_subject" CHECK (num_nonnulls("appointment_id", "interaction_id") = 1),
  ADD CONSTRAINT "online_meetings_ends_after_start" CHECK ("ends_at" > "starts_at");

-- Row security. The application role owns nothing; where the server may only have the owner's role, FORCE binds
-- the owner too. Without a bound tenant current_setting() gives NULL or '', which NULLIF makes one: no row matches it.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
  t text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', app);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE NOTICE 'role % was not created: this role may not create roles; row security then rests on FORCE', app;
    END;
  END IF;

  IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
    BEGIN
      EXECUTE format('GRANT %I TO CURRENT_USER', app);
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), app);
  END IF;

  FOREACH t IN ARRAY ARRAY['teams_integrations', 'microsoft_apps', 'organizer_verifications', 'online_meetings',
                           'meeting_attendees', 'meeting_recordings', 'meeting_transcripts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')) '
                   'WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))', t);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, app);
    END IF;
  END LOOP;

  -- The audit trail is append-only: there is no policy for UPDATE or DELETE, so both find no row.
  ALTER TABLE "audit_events" ENABLE ROW LEVEL SECURITY;
  ALTER TABLE "audit_events" FORCE ROW LEVEL SECURITY;
  CREATE POLICY tenant_reads ON "audit_events" FOR SELECT
    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''));
  CREATE POLICY tenant_appends ON "audit_events" FOR INSERT
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''));
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
    EXECUTE format('GRANT SELECT, INSERT ON "audit_events" TO %I', app);
  END IF;
END $$;
