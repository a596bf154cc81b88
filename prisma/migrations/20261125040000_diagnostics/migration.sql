-- CreateTable
CREATE TABLE "diagnostics_reports" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "set_up" TEXT NOT NULL,
    "overall" TEXT NOT NULL,
    "steps" JSONB NOT NULL,
    "permissions" JSONB NOT NULL,
    "recommendations" TEXT[],
    "ran_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "diagnostics_reports_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "diagnostics_reports_tenant_id_ran_at_idx" ON "diagnostics_reports"("tenant_id", "ran_at" DESC);

-- Row security, as in the first migration.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['diagnostics_reports'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')) '
                   'WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))', t);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, app);
    END IF;
  END LOOP;
END $$;
