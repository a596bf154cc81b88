-- CreateEnum
CREATE TYPE "capture_state" AS ENUM ('PENDING', 'READY', 'NONE', 'BLOCKED', 'NOT_SUPPORTED');

-- AlterTable
ALTER TABLE "meeting_recordings" ADD COLUMN     "captured_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- AlterTable
ALTER TABLE "meeting_transcripts" ADD COLUMN     "captured_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- AlterTable
ALTER TABLE "online_meetings" ADD COLUMN     "capture_leased_until" TIMESTAMPTZ(3),
ADD COLUMN     "capture_next_at" TIMESTAMPTZ(3),
ADD COLUMN     "capture_refused" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "capture_state" "capture_state" NOT NULL DEFAULT 'PENDING';

-- CreateTable
CREATE TABLE "attendance_reports" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "meeting_id" UUID NOT NULL,
    "graph_report_id" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3) NOT NULL,
    "participant_count" INTEGER NOT NULL,
    "records" JSONB NOT NULL,

    CONSTRAINT "attendance_reports_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "artifact_cursors" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "organizer_object_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "delta_link" TEXT,
    "window_ends_at" TIMESTAMPTZ(3),
    "read_at" TIMESTAMPTZ(3) NOT NULL,
    "failure" JSONB,

    CONSTRAINT "artifact_cursors_pkey" PRIMARY KEY ("tenant_id","organizer_object_id","kind")
);

-- CreateIndex
CREATE UNIQUE INDEX "attendance_reports_tenant_id_meeting_id_graph_report_id_key" ON "attendance_reports"("tenant_id", "meeting_id", "graph_report_id");

-- CreateIndex
CREATE INDEX "online_meetings_tenant_id_ends_at_idx" ON "online_meetings"("tenant_id", "ends_at");

-- CreateIndex
CREATE INDEX "online_meetings_tenant_id_capture_next_at_idx" ON "online_meetings"("tenant_id", "capture_next_at");

-- CreateIndex
CREATE INDEX "online_meetings_tenant_id_graph_online_meeting_id_idx" ON "online_meetings"("tenant_id", "graph_online_meeting_id");

-- AddForeignKey
ALTER TABLE "attendance_reports" ADD CONSTRAINT "attendance_reports_tenant_id_meeting_id_fkey" FOREIGN KEY ("tenant_id", "meeting_id") REFERENCES "online_meetings"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;
-- A lasting refusal of an earlier release is looked at anew; a meeting without a calendar event never has artifacts.
-- Row security is forced upon the owner too, so it is lifted for these statements.
ALTER TABLE "online_meetings" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "meeting_recordings" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "meeting_transcripts" NO FORCE ROW LEVEL SECURITY;
UPDATE "online_meetings" SET "capture_state" = 'NOT_SUPPORTED' WHERE NOT "is_calendar_backed";
UPDATE "online_meetings" m SET "capture_state" = 'READY' WHERE "is_calendar_backed" AND (
  EXISTS (SELECT FROM "meeting_recordings" r WHERE r."tenant_id" = m."tenant_id" AND r."meeting_id" = m."id") OR
  EXISTS (SELECT FROM "meeting_transcripts" t WHERE t."tenant_id" = m."tenant_id" AND t."meeting_id" = m."id"));
UPDATE "online_meetings" SET "capture_next_at" = now()
 WHERE "is_calendar_backed" AND "join_url" IS NOT NULL AND "capture_last_attempt_at" >= "ends_at" AND "ends_at" > now() - interval '60 days';
UPDATE "meeting_recordings" SET "captured_at" = "created_at";
UPDATE "meeting_transcripts" SET "captured_at" = "created_at";
ALTER TABLE "meeting_transcripts" FORCE ROW LEVEL SECURITY;
ALTER TABLE "meeting_recordings" FORCE ROW LEVEL SECURITY;
ALTER TABLE "online_meetings" FORCE ROW LEVEL SECURITY;

-- Row security, as in the first migration.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['attendance_reports', 'artifact_cursors'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')) '
                   'WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))', t);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, app);
    END IF;
  END LOOP;
END $$;
