import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from './database.ts';

/** Our own DDL of the tables that are read of an alga-psa database (release of August 2026), as far as they concern meetings. */
const DDL = `
CREATE TABLE teams_integrations (
  tenant uuid PRIMARY KEY, selected_profile_id uuid,
  install_status text NOT NULL DEFAULT 'not_configured' CHECK (install_status IN ('not_configured', 'install_pending', 'active', 'error')),
  default_meeting_organizer_upn text, default_meeting_organizer_object_id text,
  send_meeting_invites boolean NOT NULL DEFAULT true, download_recordings boolean NOT NULL DEFAULT false,
  expose_recordings_in_portal boolean NOT NULL DEFAULT false,
  recordings_subscription_id text, transcripts_subscription_id text, meeting_artifact_webhook_secret text, last_error text);
CREATE TABLE microsoft_profiles (
  tenant uuid, profile_id uuid, display_name text, client_id text NOT NULL DEFAULT '', tenant_id text NOT NULL DEFAULT 'common',
  client_secret_ref text, is_default boolean NOT NULL DEFAULT false, is_archived boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, profile_id));
CREATE TABLE online_meetings (
  tenant uuid, meeting_id uuid, provider text NOT NULL DEFAULT 'teams', provider_meeting_id text, provider_event_id text,
  join_url text, organizer_upn text, organizer_user_id text, subject text, start_time timestamptz NOT NULL,
  end_time timestamptz NOT NULL CHECK (end_time >= start_time), status text NOT NULL, error_code text,
  recording_fetch_attempts int NOT NULL DEFAULT 0, last_fetch_at timestamptz, appointment_request_id uuid, interaction_id uuid,
  schedule_entry_id uuid, created_by uuid, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, meeting_id), UNIQUE (tenant, provider, provider_meeting_id));
CREATE TABLE online_meeting_artifacts (
  tenant uuid, artifact_id uuid, meeting_id uuid NOT NULL, artifact_type text NOT NULL, provider_artifact_id text NOT NULL,
  content_url text, document_id uuid, file_id uuid, created_date_time timestamptz, created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant, artifact_id),
  UNIQUE (tenant, meeting_id, artifact_type, provider_artifact_id));`;

const TABLES = ['teams_integrations', 'microsoft_profiles', 'online_meetings', 'online_meeting_artifacts'] as const;
type Table = (typeof TABLES)[number];
type Values = Record<string, string | number | boolean | Date | null>;

/** An alga-psa database for one test file. */
export interface AlgaDatabase extends TestDatabase {
  insert(table: Table, row: Values): Promise<void>;
  /** A meeting of next week in the calendar, of an appointment of its own; returns its id. */
  meeting(tenant: string, over?: Values & { meeting_id?: string }): Promise<string>;
  recording(tenant: string, meetingId: string, graphId: string, over?: Values): Promise<void>;
  /** Every row of every table, to tell whether anything has changed. */
  everything(): Promise<string>;
  empty(): Promise<void>;
}

export const inDays = (days: number) => new Date(Math.trunc(Date.now() / 60_000 + days * 1_440) * 60_000);

export async function createAlgaDatabase(): Promise<AlgaDatabase> {
  const database = await createTestDatabase('template0');
  await database.query(DDL);
  const insert = async (table: Table, row: Values) => {
    const names = Object.keys(row);
    const places = names.map((_, index) => `$${index + 1}`).join(', ');
    await database.query(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`, Object.values(row));
  };
  return {
    ...database,
    insert,
    async meeting(tenant, over = {}) {
      const { meeting_id: id = randomUUID() } = over;
      await insert('online_meetings', {
        tenant,
        meeting_id: id,
        provider_meeting_id: `online-${id}`,
        provider_event_id: `event-${id}`,
        join_url: `https://teams.microsoft.com/l/meetup-join/19%3ameeting_${id}%40thread.v2/0?context=%7b%22Tid%22%3a%22x%22%7d`,
        organizer_upn: 'scheduling@acme.example',
        organizer_user_id: 'AAAAAAAA-0000-4000-8000-00000000000A',
        subject: 'Quarterly review',
        start_time: inDays(7),
        end_time: new Date(inDays(7).getTime() + 3_600_000),
        status: 'scheduled',
        schedule_entry_id: randomUUID(),
        ...over,
      });
      return id;
    },
    recording: (tenant, meetingId, graphId, over = {}) =>
      insert('online_meeting_artifacts', {
        tenant,
        artifact_id: randomUUID(),
        meeting_id: meetingId,
        artifact_type: 'recording',
        provider_artifact_id: graphId,
        created_date_time: inDays(-1),
        ...over,
      }),
    async everything() {
      const rows = await Promise.all(
        TABLES.map((table) =>
          database.query(`SELECT to_jsonb(t)::text || t.xmin::text AS row FROM ${table} t ORDER BY 1`),
        ),
      );
      return JSON.stringify(rows);
    },
    empty: async () => void (await database.query(`TRUNCATE ${TABLES.join(', ')}`)),
  };
}
