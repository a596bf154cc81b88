import type { Task, TaskList } from 'graphile-worker';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import type { JobName, JobPayloads } from '../db/job-queue.ts';
import type { Scope } from '../services/scope.ts';
import type { Services } from '../services/services.ts';
import { backgroundViewer } from '../services/viewer.ts';

/**
 * After this a job is given up: its worker takes the next one, and the queue repeats it. What it had begun is not
 * stopped, so every job bears being run twice. One that is locked for longer belongs to a worker that died.
 */
export const JOB_TIME_LIMIT_MS = 60_000;

type Handlers = { [Name in JobName]?: (scope: Scope, payload: JobPayloads[Name]) => Promise<unknown> };

/** Which service does which job. */
function handlersOf(services: Services): Handlers {
  return {
    sync_meeting: (scope, { meetingId }) => services.syncMeeting(scope, meetingId),
    sweep_tenant: (scope) => services.sweepTenant(scope),
    retry_blocked_meetings: (scope, { gaveUpBefore }) =>
      services.retryBlockedMeetings(scope, gaveUpBefore === undefined ? undefined : new Date(gaveUpBefore)),
    capture_tenant: (scope) => services.capture.tenant(scope),
    capture_online_meeting: (scope, { organizerObjectId, onlineMeetingId }) =>
      services.capture.onlineMeeting(scope, organizerObjectId, onlineMeetingId),
    capture_organizer: (scope, { organizerObjectId }) => services.capture.organizer(scope, organizerObjectId),
    apply_psa_event: (scope, { eventId }) => services.applyPsaEvent(scope, eventId),
    deliver_events: (scope, { meetingId }) => services.deliverEvents(scope, meetingId),
    ensure_subscriptions: (scope) => services.notifications.ensureSubscriptions(scope),
    send_invitation: (scope, { mailId }) => services.sendInvitation(scope, mailId),
    index_transcripts: (scope) => services.indexTranscripts(scope),
    store_recording: (scope, { recordingId }) => services.storeRecording(scope, recordingId),
    apply_meeting_defaults: (scope, { meetingId }) => services.applyMeetingDefaults(scope, meetingId),
    apply_retention: (scope) => services.applyRetention(scope),
    remove_verification_event: (scope, what) => services.removeVerificationEvent(scope, what),
  };
}

const payloadSchema = z.looseObject({ tenantId: z.string().min(1) });

function withinLimit<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('The job took too long')), JOB_TIME_LIMIT_MS);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** Makes graphile-worker's tasks: each takes the tenant from the payload, and nothing else reaches the database. */
export function createTasks(database: Database, services: Services): TaskList {
  const toTask = (handle: (scope: Scope, payload: never) => Promise<unknown>): Task => {
    return async (payload) => {
      const { tenantId, ...rest } = payloadSchema.parse(payload);
      const scope: Scope = { viewer: backgroundViewer(tenantId), db: database.forTenant(tenantId) };
      // What is in the payload was written by addJob, from the type of the job's name.
      await withinLimit(handle(scope, rest as never));
    };
  };
  return Object.fromEntries(Object.entries(handlersOf(services)).map(([name, handle]) => [name, toTask(handle)]));
}
