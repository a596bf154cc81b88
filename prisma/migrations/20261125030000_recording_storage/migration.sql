-- AlterTable
ALTER TABLE "meeting_recordings" ADD COLUMN     "checksum" TEXT,
ADD COLUMN     "gone_at" TIMESTAMPTZ(3),
ADD COLUMN     "stored_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "recording_copies" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "recording_id" UUID NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "upload_id" TEXT,
    "parts" JSONB NOT NULL DEFAULT '[]',
    "expected_bytes" BIGINT,
    "source_tag" TEXT,
    "completed_at" TIMESTAMPTZ(3),
    "verified_parts" INTEGER NOT NULL DEFAULT 0,
    "failed_attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "recording_copies_pkey" PRIMARY KEY ("tenant_id","recording_id")
);

-- CreateTable
CREATE TABLE "artifact_tombstones" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "meeting_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "graph_id" TEXT NOT NULL,
    "deleted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "artifact_tombstones_pkey" PRIMARY KEY ("tenant_id","meeting_id","kind","graph_id")
);

-- CreateIndex
CREATE INDEX "meeting_recordings_tenant_id_created_at_idx" ON "meeting_recordings"("tenant_id", "created_at");

-- CreateIndex
CREATE INDEX "meeting_transcripts_tenant_id_created_at_idx" ON "meeting_transcripts"("tenant_id", "created_at");

-- AddForeignKey
ALTER TABLE "recording_copies" ADD CONSTRAINT "recording_copies_tenant_id_recording_id_fkey" FOREIGN KEY ("tenant_id", "recording_id") REFERENCES "meeting_recordings"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "artifact_tombstones" ADD CONSTRAINT "artifact_tombstones_tenant_id_meeting_id_fkey" FOREIGN KEY ("tenant_id", "meeting_id") REFERENCES "online_meetings"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Checks that Prisma's schema language cannot express.
ALTER TABLE "artifact_tombstones" ADD CONSTRAINT "artifact_tombstones_kind" CHECK ("kind" IN ('RECORDING', 'TRANSCRIPT'));

-- Row security, as in the first migration.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['recording_copies', 'artifact_tombstones'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')) '
                   'WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))', t);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, app);
    END IF;
  END LOOP;
END $$;
