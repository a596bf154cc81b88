import type { Task, TaskList } from 'graphile-worker';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import type { JobName, JobPayloads } from '../db/job-queue.ts';
import type { Scope } from '../services/scope.ts';
import type { Services } from '../services/services.ts';
import { backgroundViewer } from '../services/viewer.ts';
import { contextOf, inSpan, SpanKind, type SpanOptions } from '../telemetry/tracing.ts';

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

const payloadSchema = z.looseObject({ tenantId: z.string().min(1), traceparent: z.string().optional() });

/** They plan themselves again and again: in one trace with who planned them, none would ever end. */
const ROUNDS: ReadonlySet<string> = new Set<JobName>([
  'sweep_tenant',
  'capture_tenant',
  'ensure_subscriptions',
  'apply_retention',
]);

/** A job goes on in the trace of what it was planned for; a round begins one of its own. */
function spanOf(name: string, tenantId: string, traceparent: string | undefined): SpanOptions {
  const planned = contextOf(traceparent);
  return {
    kind: SpanKind.CONSUMER,
    attributes: { 'messaging.system': 'graphile_worker', 'teams_meetings.tenant_id': tenantId },
    ...(ROUNDS.has(name) ? { parent: contextOf(undefined), linkedTo: planned } : { parent: planned }),
  };
}

/** Who counts the jobs that this process runs. */
export interface JobObserver {
  jobEnded(name: string, outcome: 'success' | 'failure', seconds: number): void;
}

function withinLimit<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('The job took too long')), JOB_TIME_LIMIT_MS);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** Makes graphile-worker's tasks: each takes the tenant from the payload, and nothing else reaches the database. */
export function createTasks(database: Database, services: Services, observer?: JobObserver): TaskList {
  const toTask = (name: string, handle: (scope: Scope, payload: never) => Promise<unknown>): Task => {
    return async (payload) => {
      const { tenantId, traceparent, ...rest } = payloadSchema.parse(payload);
      const scope: Scope = { viewer: backgroundViewer(tenantId), db: database.forTenant(tenantId) };
      const began = performance.now();
      const ended = (outcome: 'success' | 'failure') =>
        observer?.jobEnded(name, outcome, (performance.now() - began) / 1_000);
      try {
        await inSpan(`job ${name}`, spanOf(name, tenantId, traceparent), () =>
          // What is in the payload was written by addJob, from the type of the job's name.
          withinLimit(handle(scope, rest as never)),
        );
      } catch (error) {
        ended('failure');
        throw error;
      }
      ended('success');
    };
  };
  return Object.fromEntries(Object.entries(handlersOf(services)).map(([name, handle]) => [name, toTask(name, handle)]));
}
