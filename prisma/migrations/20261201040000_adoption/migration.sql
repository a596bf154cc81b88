-- CreateTable
CREATE TABLE "adoptions" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "app_client_id" TEXT,
    "app_directory_id" TEXT,
    "settings_fingerprint" TEXT,
    "settings_updated_at" TIMESTAMPTZ(3),
    "adopted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "adoptions_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "adopted_meetings" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "meeting_id" UUID NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "adopted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "adopted_meetings_pkey" PRIMARY KEY ("tenant_id","meeting_id")
);

-- AddForeignKey
ALTER TABLE "adopted_meetings" ADD CONSTRAINT "adopted_meetings_tenant_id_meeting_id_fkey" FOREIGN KEY ("tenant_id", "meeting_id") REFERENCES "online_meetings"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Row security, as in the first migration.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['adoptions', 'adopted_meetings'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')) '
                   'WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))', t);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, app);
    END IF;
  END LOOP;
END $$;
