-- AlterTable
ALTER TABLE "teams_integrations" ADD COLUMN     "transcript_language" TEXT;

-- AlterTable: what was stored as text becomes the bytes that it was read from.
ALTER TABLE "meeting_transcripts" ALTER COLUMN "vtt" SET DATA TYPE BYTEA USING convert_to("vtt", 'UTF8'),
ADD COLUMN     "cue_count" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "duration_seconds" DOUBLE PRECISION,
ADD COLUMN     "indexed_as" TEXT,
ADD COLUMN     "speakers" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "unparsed_lines" INTEGER[] DEFAULT ARRAY[]::INTEGER[];

-- CreateTable
CREATE TABLE "transcript_passages" (
    "tenant_id" TEXT NOT NULL DEFAULT current_setting('app.tenant_id'::text),
    "transcript_id" UUID NOT NULL,
    "index" INTEGER NOT NULL,
    "meeting_id" UUID NOT NULL,
    "first_cue" INTEGER NOT NULL,
    "last_cue" INTEGER NOT NULL,
    "cues" JSONB NOT NULL,
    "text" TEXT NOT NULL,
    "indexed_as" TEXT NOT NULL,
    "words" tsvector NOT NULL DEFAULT ''::tsvector,

    CONSTRAINT "transcript_passages_pkey" PRIMARY KEY ("tenant_id","transcript_id","index")
);

-- CreateIndex
CREATE INDEX "meeting_transcripts_tenant_id_indexed_as_id_idx" ON "meeting_transcripts"("tenant_id", "indexed_as", "id");

-- CreateIndex: written at once, because a search would have to go through all that is pending.
CREATE INDEX "transcript_passages_words_idx" ON "transcript_passages" USING GIN ("words") WITH (fastupdate = off);

-- AddForeignKey
ALTER TABLE "transcript_passages" ADD CONSTRAINT "transcript_passages_tenant_id_transcript_id_fkey" FOREIGN KEY ("tenant_id", "transcript_id") REFERENCES "meeting_transcripts"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- What is long lies beside the rows, so that going through those that match a common word is going through a few pages;
-- words are read in full by who ranks them, and not compressed.
ALTER TABLE "transcript_passages" SET (toast_tuple_target = 128);
ALTER TABLE "transcript_passages" ALTER COLUMN "words" SET STORAGE EXTERNAL;

-- The words that a passage is found by: as written, as its language's dictionary has them, and one for its tenant,
-- which no text can hold because it has a space in it.
CREATE FUNCTION "transcript_passage_words"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."words" := to_tsvector('pg_catalog.simple'::regconfig, NEW."text")
    || CASE WHEN NEW."indexed_as" = 'simple' THEN ''::tsvector ELSE to_tsvector(NEW."indexed_as"::regconfig, NEW."text") END
    || array_to_tsvector(ARRAY['tenant ' || md5(NEW."tenant_id")]);
  RETURN NEW;
END $$;

CREATE TRIGGER "transcript_passages_words" BEFORE INSERT OR UPDATE OF "tenant_id", "text", "indexed_as", "words"
  ON "transcript_passages" FOR EACH ROW EXECUTE FUNCTION "transcript_passage_words"();

-- What the transaction searches for (`app.search`, a tsquery as text) among the passages of its tenant; without it,
-- all of them.
CREATE FUNCTION "transcript_search"() RETURNS tsquery LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN coalesce(current_setting('app.search', true), '') = '' THEN own.query
              ELSE own.query && current_setting('app.search', true)::tsquery END
    FROM (SELECT ('''tenant ' || md5(NULLIF(current_setting('app.tenant_id', true), '')) || '''')::tsquery AS query) AS own
$$;

-- Row security, as in the first migration. The words looked for stand in the policy itself: `@@` is not LEAKPROOF, and
-- making it so takes a superuser, so that beside a policy it could never use the index (PostgreSQL manual, "Rules and
-- Privileges"); within one it does. It only ever hides more rows of the same tenant. As a query of its own it is
-- evaluated once and not for each row, and the planner, which cannot know its value, always goes by the index.
DO $$
DECLARE
  app constant text := 'teams_meetings_app';
BEGIN
  ALTER TABLE "transcript_passages" ENABLE ROW LEVEL SECURITY;
  ALTER TABLE "transcript_passages" FORCE ROW LEVEL SECURITY;
  CREATE POLICY tenant_reads ON "transcript_passages" FOR SELECT
    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '') AND "words" @@ (SELECT "transcript_search"()));
  CREATE POLICY tenant_inserts ON "transcript_passages" FOR INSERT
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''));
  CREATE POLICY tenant_updates ON "transcript_passages" FOR UPDATE
    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''))
    WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''));
  CREATE POLICY tenant_deletes ON "transcript_passages" FOR DELETE
    USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''));
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON "transcript_passages" TO %I', app);
    EXECUTE format('GRANT EXECUTE ON FUNCTION "transcript_search"(), "transcript_passage_words"() TO %I', app);
  END IF;
END $$;
