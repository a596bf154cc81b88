import type { TestDatabase } from '../../support/database.ts';

const MEETING = '01890000-0000-7000-8000-000000000001';
const ROW = '01890000-0000-7000-8000-000000000002';

/** One statement a table, for the tenant $1. A new table needs one here: the tests of row security ask for it. */
const INSERTS = [
  `INSERT INTO teams_integrations (tenant_id, created_at, updated_at) VALUES ($1, now(), now())`,
  `INSERT INTO microsoft_apps (tenant_id, client_id, directory_id, cloud, credential_kind, credential_ciphertext, credential_hint, created_at, updated_at)
   VALUES ($1, 'app', 'directory', 'GLOBAL', 'CLIENT_SECRET', 'v1:k:n:c', 'abc…', now(), now())`,
  `INSERT INTO organizer_verifications (tenant_id, id, outcome, checks, ran_at) VALUES ($1, '${ROW}', 'VERIFIED', '[]', now())`,
  `INSERT INTO verification_runs (tenant_id, run_id, started_at, leased_until) VALUES ($1, '${ROW}', now(), now())`,
  `INSERT INTO online_meetings (tenant_id, id, appointment_id, status, subject, starts_at, ends_at, time_zone, organizer_upn, transaction_id, input_hash, created_by, created_at, updated_at)
   VALUES ($1, '${MEETING}', 'appointment', 'SCHEDULED', 'Review', now(), now() + interval '1 hour', 'UTC', 'organizer@msp.example', 'transaction', 'hash', 'user', now(), now())`,
  `INSERT INTO meeting_attendees (tenant_id, meeting_id, email_address, position, kind) VALUES ($1, '${MEETING}', 'jane@acme.example', 0, 'EMAIL')`,
  `INSERT INTO meeting_recordings (tenant_id, id, meeting_id, graph_recording_id, created_at) VALUES ($1, '${ROW}', '${MEETING}', 'recording', now())`,
  `INSERT INTO meeting_transcripts (tenant_id, id, meeting_id, graph_transcript_id, created_at, is_speaker_attributed, vtt)
   VALUES ($1, '${ROW}', '${MEETING}', 'transcript', now(), true, 'WEBVTT')`,
  `INSERT INTO transcript_passages (tenant_id, transcript_id, index, meeting_id, first_cue, last_cue, cues, text, indexed_as)
   VALUES ($1, '${ROW}', 0, '${MEETING}', 0, 0, '[]', 'hello', 'simple')`,
  `INSERT INTO recording_copies (tenant_id, recording_id, started_at, updated_at) VALUES ($1, '${ROW}', now(), now())`,
  `INSERT INTO artifact_tombstones (tenant_id, meeting_id, kind, graph_id, deleted_at) VALUES ($1, '${MEETING}', 'RECORDING', 'recording', now())`,
  `INSERT INTO calendar_cursors (tenant_id, organizer_object_id, delta_link, window_ends_at, read_at) VALUES ($1, 'organizer', 'https://graph.example/delta', now(), now())`,
  `INSERT INTO artifact_cursors (tenant_id, organizer_object_id, kind, read_at) VALUES ($1, 'organizer', 'recordings', now())`,
  `INSERT INTO attendance_reports (tenant_id, id, meeting_id, graph_report_id, started_at, ended_at, participant_count, records)
   VALUES ($1, '${ROW}', '${MEETING}', 'report', now(), now(), 1, '[]')`,
  `INSERT INTO graph_subscriptions (tenant_id, id, organizer_object_id, kind, app_client_id, app_directory_id, app_cloud, next_attempt_at, created_at, updated_at)
   VALUES ($1, '${ROW}', 'organizer', 'RECORDINGS', 'app', 'directory', 'GLOBAL', now(), now(), now())`,
  `INSERT INTO graph_notifications (tenant_id, graph_subscription_id, artifact_id, online_meeting_id, first_received_at, last_received_at, queued_at)
   VALUES ($1, '${ROW}', 'artifact', 'meeting', now(), now(), now())`,
  `INSERT INTO psa_events (tenant_id, id, type, subject_id, data, occurred_at, received_at)
   VALUES ($1, 'msg_1', 'appointment.cancelled', 'appointment', '{}', now(), now())`,
  `INSERT INTO outgoing_events (tenant_id, id, meeting_id, type, data, created_at) VALUES ($1, '${ROW}', '${MEETING}', 'teams_meeting.scheduled', '{}', now())`,
  `INSERT INTO invitation_mails (tenant_id, id, meeting_id, email_address, method, sequence, created_at)
   VALUES ($1, '${ROW}', '${MEETING}', 'jane@acme.example', 'REQUEST', 1, now())`,
  `INSERT INTO diagnostics_reports (tenant_id, id, set_up, overall, steps, permissions, recommendations, ran_at)
   VALUES ($1, '${ROW}', '-/-', 'PASS', '[]', '[]', '{}', now())`,
  `INSERT INTO adoptions (tenant_id, adopted_at) VALUES ($1, now())`,
  `INSERT INTO adopted_meetings (tenant_id, meeting_id, fingerprint, version, adopted_at) VALUES ($1, '${MEETING}', 'print', 1, now())`,
  `INSERT INTO audit_events (tenant_id, id, actor, operation, outcome, detail, at) VALUES ($1, '${ROW}', 'user', 'create', 'success', '{}', now())`,
];

/** Stores a row in every table for two tenants, under the same ids: only the tenant tells the rows apart. */
export async function seedEveryTable(database: Pick<TestDatabase, 'query'>): Promise<void> {
  for (const tenantId of ['tenant-a', 'tenant-b']) {
    for (const insert of INSERTS) await database.query(insert, [tenantId]);
  }
}
