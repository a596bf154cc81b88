-- AlterTable
ALTER TABLE "organizer_verifications" ADD COLUMN     "set_up" TEXT;

-- CreateTable
CREATE TABLE "verification_runs" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "run_id" UUID NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "leased_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "verification_runs_pkey" PRIMARY KEY ("tenant_id")
);

-- Row security, as in the first migration.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['verification_runs'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')) '
                   'WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))', t);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, app);
    END IF;
  END LOOP;
END $$;
