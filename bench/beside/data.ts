import pg from 'pg';
import { LARGE_TENANTS, MEETINGS_OF_LARGE, MEETINGS_OF_SMALL, SMALL_TENANTS } from './workloads.ts';

/** An id that is the same in every run, from a text. */
const ID = (text: string) => `md5(${text})::uuid`;

const ALL: ReadonlyMap<string, number> = new Map([
  ...LARGE_TENANTS.map((tenant) => [tenant, MEETINGS_OF_LARGE] as const),
  ...SMALL_TENANTS.map((tenant) => [tenant, MEETINGS_OF_SMALL] as const),
]);

/**
 * Fills a migrated database: each meeting has three attendees, every second one two recordings and a transcript. All
 * are over, so that what is answered does not depend on the time of the run.
 *
 * @param sizes how many meetings each tenant has
 */
export async function fill(connectionString: string, sizes: ReadonlyMap<string, number> = ALL): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(
    `CREATE TEMP TABLE held AS
       SELECT t.tenant_id, n, ${ID("t.tenant_id || '/' || n")} AS id,
              timestamptz '2026-01-01T08:00:00Z' + n * interval '17 minutes' AS starts_at
         FROM jsonb_to_recordset($1::jsonb) AS t(tenant_id text, meetings int), generate_series(0, t.meetings - 1) AS n`,
    [JSON.stringify([...sizes].map(([tenant_id, meetings]) => ({ tenant_id, meetings })))],
  );
  await client.query(
    `INSERT INTO teams_integrations (tenant_id, install_status, created_at, updated_at)
       SELECT DISTINCT tenant_id, 'ACTIVE'::install_status, now(), now() FROM held`,
  );
  await client.query(
    `INSERT INTO online_meetings (tenant_id, id, appointment_id, client_id, status, subject, starts_at, ends_at, time_zone,
         join_url, organizer_upn, transaction_id, input_hash, created_by, created_at, updated_at)
       SELECT tenant_id, id, 'appointment-' || n, 'client-' || n % 50, 'SCHEDULED', 'Review no. ' || n, starts_at,
              starts_at + interval '30 minutes', 'Europe/Berlin',
              'https://teams.microsoft.com/l/meetup-join/19%3ameeting_' || replace(id::text, '-', '') || '%40thread.v2/0',
              'scheduling@msp.example', id, 'hash', 'user-' || n % 20, starts_at - interval '3 days', starts_at
         FROM held`,
  );
  await client.query(
    `INSERT INTO meeting_attendees (tenant_id, meeting_id, email_address, position, name, kind, contact_id, response)
       SELECT tenant_id, id, 'person-' || n * 3 + a || '@client.example', a, 'Person ' || n * 3 + a,
              (ARRAY['CONTACT', 'USER', 'EMAIL'])[a + 1]::attendee_kind,
              CASE a WHEN 0 THEN 'contact-' || n END, (ARRAY['ACCEPTED', 'TENTATIVE', 'NONE'])[a + 1]::attendee_response
         FROM held, generate_series(0, 2) AS a`,
  );
  await client.query(
    `INSERT INTO meeting_recordings (tenant_id, id, meeting_id, graph_recording_id, created_at, ended_at, content_type, storage)
       SELECT tenant_id, ${ID("id::text || 'r' || r")}, id, 'recording-' || n || '-' || r, starts_at + r * interval '15 minutes',
              starts_at + (r + 1) * interval '15 minutes', 'video/mp4', 'GRAPH'
         FROM held, generate_series(0, 1) AS r WHERE n % 2 = 0`,
  );
  await client.query(
    `INSERT INTO meeting_transcripts (tenant_id, id, meeting_id, graph_transcript_id, created_at, ended_at, vtt, is_speaker_attributed)
       SELECT tenant_id, ${ID("id::text || 't'")}, id, 'transcript-' || n, starts_at, starts_at + interval '30 minutes',
              convert_to(E'WEBVTT\\n\\n00:00.000 --> 00:01.000\\n' || repeat('Good morning. ', 200), 'UTF8'), true
         FROM held WHERE n % 2 = 0`,
  );
  await client.query('VACUUM ANALYZE');
  await client.end();
}
