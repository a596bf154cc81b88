-- AlterTable
ALTER TABLE "microsoft_apps" ADD COLUMN     "directory_object_id" TEXT,
ADD COLUMN     "service_principal_id" TEXT;

-- AlterTable
ALTER TABLE "online_meetings" ADD COLUMN     "defaults_attempts" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "defaults_failure" JSONB,
ADD COLUMN     "defaults_next_at" TIMESTAMPTZ(3),
ADD COLUMN     "defaults_since" TIMESTAMPTZ(3),
ADD COLUMN     "defaults_wanted" JSONB,
ADD COLUMN     "left_in" TEXT;

-- AlterTable
ALTER TABLE "teams_integrations" ADD COLUMN     "meeting_defaults_chosen" TEXT[] DEFAULT ARRAY[]::TEXT[];
