-- CreateEnum
CREATE TYPE "subscription_kind" AS ENUM ('RECORDINGS', 'TRANSCRIPTS');

-- CreateTable
CREATE TABLE "graph_subscriptions" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "id" UUID NOT NULL,
    "organizer_object_id" TEXT NOT NULL,
    "kind" "subscription_kind" NOT NULL,
    "app_client_id" TEXT NOT NULL,
    "app_directory_id" TEXT NOT NULL,
    "app_cloud" "microsoft_cloud" NOT NULL,
    "former_credential_ciphertext" TEXT,
    "directory_id" TEXT,
    "subscription_id" TEXT,
    "nonce" TEXT,
    "key_id" TEXT,
    "public_url" TEXT,
    "expires_at" TIMESTAMPTZ(3),
    "renewed_at" TIMESTAMPTZ(3),
    "retired_at" TIMESTAMPTZ(3),
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,
    "failed_attempts" INTEGER NOT NULL DEFAULT 0,
    "last_failure" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "graph_subscriptions_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "graph_notifications" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "graph_subscription_id" UUID NOT NULL,
    "artifact_id" TEXT NOT NULL,
    "online_meeting_id" TEXT NOT NULL,
    "times" INTEGER NOT NULL DEFAULT 1,
    "first_received_at" TIMESTAMPTZ(3) NOT NULL,
    "last_received_at" TIMESTAMPTZ(3) NOT NULL,
    "queued_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "graph_notifications_pkey" PRIMARY KEY ("tenant_id","graph_subscription_id","artifact_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "graph_subscriptions_one_per_app_organizer_and_kind" ON "graph_subscriptions"("tenant_id", "app_client_id", "app_directory_id", "app_cloud", "organizer_object_id", "kind");

-- CreateIndex
CREATE UNIQUE INDEX "graph_subscriptions_tenant_id_subscription_id_key" ON "graph_subscriptions"("tenant_id", "subscription_id");

-- CreateIndex
CREATE INDEX "graph_notifications_tenant_id_last_received_at_idx" ON "graph_notifications"("tenant_id", "last_received_at");

-- AddForeignKey
ALTER TABLE "graph_notifications" ADD CONSTRAINT "graph_notifications_tenant_id_graph_subscription_id_fkey" FOREIGN KEY ("tenant_id", "graph_subscription_id") REFERENCES "graph_subscriptions"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Row security, as in the first migration.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['graph_subscriptions', 'graph_notifications'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')) '
                   'WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))', t);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, app);
    END IF;
  END LOOP;
END $$;
