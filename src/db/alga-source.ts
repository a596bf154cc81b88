import pg from 'pg';

/** The settings of a tenant as alga-psa has them, and the app registration that they name, without its secret. */
export interface AlgaIntegration {
  installStatus: string;
  organizerUpn: string | null;
  organizerObjectId: string | null;
  sendMeetingInvites: boolean;
  downloadRecordings: boolean;
  exposeRecordingsInPortal: boolean;
  /** Null where no app is selected, or the role may not read `microsoft_profiles`. */
  app: { clientId: string; directoryId: string } | null;
}

/** A row of alga-psa's `online_meetings`. */
export interface AlgaMeeting {
  id: string;
  provider: string;
  onlineMeetingId: string | null;
  eventId: string | null;
  joinUrl: string | null;
  organizerUpn: string | null;
  /** An object id, or the user principal name where it was never resolved. */
  organizerUserId: string | null;
  subject: string | null;
  startsAt: Date;
  endsAt: Date;
  status: string;
  errorCode: string | null;
  appointmentRequestId: string | null;
  interactionId: string | null;
  scheduleEntryId: string | null;
  createdBy: string | null;
  createdAt: Date;
  updatedAt: Date;
}

/** A row of alga-psa's `online_meeting_artifacts`. */
export interface AlgaArtifact {
  id: string;
  meetingId: string;
  type: string;
  graphId: string;
  createdAt: Date;
  /** Whether alga-psa keeps the bytes of the recording in its own store. */
  isStored: boolean;
}

/** What several rows may have in common of which one only can be the live one. */
export interface AlgaClaims {
  scheduleEntryIds: string[];
  appointmentRequestIds: string[];
  interactionIds: string[];
  eventIds: string[];
}

/** An alga-psa database as it was at one moment. Nothing in it can be changed by way of this. */
export interface AlgaSource {
  /** The tenants that have settings or meetings, in a fixed order. */
  tenants(): Promise<string[]>;
  countMeetings(tenant: string): Promise<number>;
  integration(tenant: string): Promise<AlgaIntegration | null>;
  /** The object ids of organizers whose rows say them, by user principal name in small letters. */
  organizerIds(tenant: string): Promise<Map<string, string>>;
  /** Up to so many meetings in the order of their ids, those after `after`: the cancelled ones, or the others. */
  meetings(
    tenant: string,
    page: { areCancelled: boolean; after: string | null; limit: number },
  ): Promise<AlgaMeeting[]>;
  /** Every meeting that claims one of these. */
  claimants(tenant: string, claims: AlgaClaims): Promise<AlgaMeeting[]>;
  artifacts(tenant: string, meetingIds: readonly string[]): Promise<AlgaArtifact[]>;
  /** How many artifacts name a meeting that is not there. */
  countStrayArtifacts(tenant: string): Promise<number>;
  close(): Promise<void>;
}

/** The source can be reached but cannot be read; the message says what to change. */
class AlgaSourceError extends Error {
  override readonly name = 'AlgaSourceError';
}

const TABLES = ['teams_integrations', 'online_meetings', 'online_meeting_artifacts'];
/** The states of meetings that nobody wants any more, whatever Microsoft knows of that. */
const CANCELLED = ['cancelled', 'cancel_pending'];
const GUID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';

const MEETING = `meeting_id::text AS id, provider, provider_meeting_id AS "onlineMeetingId", provider_event_id AS "eventId",
  join_url AS "joinUrl", organizer_upn AS "organizerUpn", organizer_user_id::text AS "organizerUserId", subject,
  start_time AS "startsAt", end_time AS "endsAt", status, error_code AS "errorCode",
  appointment_request_id::text AS "appointmentRequestId", interaction_id::text AS "interactionId",
  schedule_entry_id::text AS "scheduleEntryId", created_by::text AS "createdBy", created_at AS "createdAt",
  updated_at AS "updatedAt"`;

/** What Postgres says of a source that is not what it should be, in words for who runs the import. */
function explained(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  if (error.code === '42703')
    return new AlgaSourceError(
      `The source’s tables are older than what can be read (${error.message}). Update alga-psa to a release of August 2026 or newer, let it migrate, and run this again.`,
      { cause: error },
    );
  if (error.code === '42501')
    return new AlgaSourceError(
      `The source’s role may not read everything (${error.message}). Use its owner, or a role with SELECT on ${TABLES.join(', ')} and BYPASSRLS.`,
      { cause: error },
    );
  return error;
}

async function refuseOtherDatabases(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL',
    [TABLES],
  );
  if (rows.length > 0)
    throw new AlgaSourceError(
      `The source has no table ${rows.map(({ name }) => name).join(', ')}: --source has to name the database of alga-psa.`,
    );
}

/**
 * Opens an alga-psa database in one read-only transaction that sees it as it is now. Rows that row security would hide
 * are an error instead of missing.
 *
 * @throws AlgaSourceError, or as a connection to Postgres fails
 */
export async function openAlgaSource(connectionString: string): Promise<AlgaSource> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 120_000,
    application_name: 'teams-meetings import',
  });
  // One that dies between two statements would end the process.
  client.on('error', () => undefined);
  await client.connect();

  async function rows<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    try {
      return (await client.query<Row>(sql, values)).rows;
    } catch (error) {
      throw explained(error);
    }
  }
  async function count(sql: string, tenant: string): Promise<number> {
    return (await rows<{ count: number }>(sql, [tenant]))[0]?.count ?? 0;
  }

  let profilesAreReadable = false;
  try {
    await rows('SET row_security = off; SET idle_in_transaction_session_timeout = 0');
    await rows('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    await refuseOtherDatabases(client);
    const [profiles] = await rows<{ readable: boolean | null }>(
      "SELECT has_table_privilege(to_regclass('microsoft_profiles'), 'SELECT') AS readable",
    );
    profilesAreReadable = profiles?.readable === true;
  } catch (error) {
    await client.end();
    throw error;
  }

  return {
    async tenants() {
      const found = await rows<{ tenant: string }>(
        'SELECT tenant::text AS tenant FROM teams_integrations UNION SELECT tenant::text FROM online_meetings ORDER BY 1',
      );
      return found.map(({ tenant }) => tenant);
    },
    countMeetings: (tenant) => count('SELECT count(*)::int AS count FROM online_meetings WHERE tenant = $1', tenant),
    async integration(tenant) {
      const [found] = await rows<AlgaIntegration & { profileId: string | null }>(
        `SELECT install_status AS "installStatus", default_meeting_organizer_upn AS "organizerUpn",
                default_meeting_organizer_object_id::text AS "organizerObjectId", send_meeting_invites AS "sendMeetingInvites",
                download_recordings AS "downloadRecordings", expose_recordings_in_portal AS "exposeRecordingsInPortal",
                selected_profile_id::text AS "profileId"
           FROM teams_integrations WHERE tenant = $1`,
        [tenant],
      );
      if (found === undefined) return null;
      const { profileId, ...integration } = found;
      const [app] = profilesAreReadable
        ? await rows<{ clientId: string; directoryId: string }>(
            'SELECT client_id AS "clientId", tenant_id AS "directoryId" FROM microsoft_profiles WHERE tenant = $1 AND profile_id::text = $2',
            [tenant, profileId],
          )
        : [];
      return { ...integration, app: app ?? null };
    },
    async organizerIds(tenant) {
      const found = await rows<{ upn: string; id: string }>(
        `SELECT lower(organizer_upn) AS upn, lower(max(organizer_user_id::text)) AS id FROM online_meetings
          WHERE tenant = $1 AND organizer_upn IS NOT NULL AND organizer_user_id::text ~ $2 GROUP BY 1`,
        [tenant, GUID],
      );
      return new Map(found.map(({ upn, id }) => [upn, id]));
    },
    meetings: (tenant, { areCancelled, after, limit }) =>
      rows<AlgaMeeting>(
        `SELECT ${MEETING} FROM online_meetings
          WHERE tenant = $1 AND ($2::uuid IS NULL OR meeting_id > $2::uuid) AND (status = ANY ($3)) = $4
          ORDER BY meeting_id LIMIT $5`,
        [tenant, after, CANCELLED, areCancelled, limit],
      ),
    claimants: (tenant, { scheduleEntryIds, appointmentRequestIds, interactionIds, eventIds }) =>
      rows<AlgaMeeting>(
        `SELECT ${MEETING} FROM online_meetings WHERE tenant = $1 AND (schedule_entry_id::text = ANY ($2)
             OR appointment_request_id::text = ANY ($3) OR interaction_id::text = ANY ($4) OR provider_event_id = ANY ($5))`,
        [tenant, scheduleEntryIds, appointmentRequestIds, interactionIds, eventIds],
      ),
    artifacts: (tenant, meetingIds) =>
      rows<AlgaArtifact>(
        `SELECT artifact_id::text AS id, meeting_id::text AS "meetingId", artifact_type AS type, provider_artifact_id AS "graphId",
                coalesce(created_date_time, created_at) AS "createdAt", file_id IS NOT NULL AS "isStored"
           FROM online_meeting_artifacts WHERE tenant = $1 AND meeting_id = ANY ($2::uuid[]) ORDER BY artifact_id`,
        [tenant, meetingIds],
      ),
    countStrayArtifacts: (tenant) =>
      count(
        `SELECT count(*)::int AS count FROM online_meeting_artifacts a WHERE a.tenant = $1 AND NOT EXISTS
           (SELECT FROM online_meetings m WHERE m.tenant = a.tenant AND m.meeting_id = a.meeting_id)`,
        tenant,
      ),
    async close() {
      await client.end();
    },
  };
}
