/** The statements of peers that write theirs by hand. Each has the tenant as its first parameter. */

/** Texts as the contract writes instants. */
const instant = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const STATUS = "CASE WHEN m.status = 'SCHEDULED' AND m.ends_at <= now() THEN 'ENDED' ELSE m.status::text END";

export const MEETINGS = `
  SELECT m.id, m.appointment_id AS "appointmentId", ${STATUS} AS status, m.subject, ${instant('m.starts_at')} AS "startsAt",
         ${instant('m.ends_at')} AS "endsAt", m.join_url AS "joinUrl"
    FROM online_meetings m
   WHERE m.tenant_id = $1 AND m.appointment_id = ANY($2) AND m.status NOT IN ('CANCELLED', 'CANCELLING')`;

export const ATTENDEES = `
  SELECT meeting_id AS "meetingId", email_address AS "emailAddress", name, kind, response
    FROM meeting_attendees WHERE tenant_id = $1 AND meeting_id = ANY($2) AND NOT is_removed ORDER BY position`;

export const RECORDINGS = `
  SELECT meeting_id AS "meetingId", id, ${instant('created_at')} AS "createdAt", ${instant('ended_at')} AS "endedAt",
         content_type AS "contentType", storage
    FROM meeting_recordings WHERE tenant_id = $1 AND meeting_id = ANY($2) ORDER BY created_at, id`;

export const TRANSCRIPTS = `
  SELECT meeting_id AS "meetingId", id, ${instant('created_at')} AS "createdAt", ${instant('ended_at')} AS "endedAt",
         is_speaker_attributed AS "isSpeakerAttributed"
    FROM meeting_transcripts WHERE tenant_id = $1 AND meeting_id = ANY($2) ORDER BY created_at, id`;

/** The whole answer in one statement, as text. */
export const PHONE_ANSWER = `
  SELECT json_build_object('data', json_build_object('_entities', coalesce(json_agg(json_build_object(
           'teamsMeeting', CASE WHEN m.id IS NOT NULL THEN json_build_object('joinUrl', m.join_url) END) ORDER BY o.place), '[]')))::text AS answer
    FROM unnest($2::text[]) WITH ORDINALITY AS o(id, place)
    LEFT JOIN online_meetings m ON m.tenant_id = $1 AND m.appointment_id = o.id AND m.status NOT IN ('CANCELLED', 'CANCELLING')`;

export const BOARD_ANSWER = `
  SELECT json_build_object('data', json_build_object('_entities', coalesce(json_agg(json_build_object(
           'id', o.id, 'teamsMeeting', CASE WHEN m.id IS NOT NULL THEN json_build_object(
             'id', m.id, 'status', ${STATUS}, 'subject', m.subject, 'startsAt', ${instant('m.starts_at')},
             'endsAt', ${instant('m.ends_at')}, 'joinUrl', m.join_url,
             'attendees', coalesce(a.list, '[]'), 'recordings', coalesce(r.list, '[]'), 'transcripts', coalesce(t.list, '[]'))
           END) ORDER BY o.place), '[]')))::text AS answer
    FROM unnest($2::text[]) WITH ORDINALITY AS o(id, place)
    LEFT JOIN online_meetings m ON m.tenant_id = $1 AND m.appointment_id = o.id AND m.status NOT IN ('CANCELLED', 'CANCELLING')
    LEFT JOIN LATERAL (SELECT json_agg(json_build_object('emailAddress', email_address, 'name', name, 'kind', kind, 'response', response)
                                       ORDER BY position) AS list
                         FROM meeting_attendees WHERE tenant_id = $1 AND meeting_id = m.id AND NOT is_removed) a ON true
    LEFT JOIN LATERAL (SELECT json_agg(json_build_object('id', id, 'createdAt', ${instant('created_at')}, 'endedAt', ${instant('ended_at')},
                                                         'contentType', content_type, 'storage', storage) ORDER BY created_at, id) AS list
                         FROM meeting_recordings WHERE tenant_id = $1 AND meeting_id = m.id) r ON true
    LEFT JOIN LATERAL (SELECT json_agg(json_build_object('id', id, 'createdAt', ${instant('created_at')}, 'endedAt', ${instant('ended_at')},
                                                         'isSpeakerAttributed', is_speaker_attributed) ORDER BY created_at, id) AS list
                         FROM meeting_transcripts WHERE tenant_id = $1 AND meeting_id = m.id) t ON true`;

/** A gateway wants to be told of which type an entity is. */
export const BOARD_ANSWER_TO_GATEWAY = BOARD_ANSWER.replace("'id', o.id,", "'__typename', 'Appointment', 'id', o.id,");
