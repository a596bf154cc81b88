import { addJob, type JobPayloads, removeJob } from '../../db/job-queue.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import type { EventMarkers, GraphFailureKind, MarkedEvent } from '../../graph/types.ts';
import { namesOfTodaysHome } from '../microsoft-app/home.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';

/** What the event of a verification is for, as its marker says. */
const SUBJECT = 'verification';

/** By then the verification is over, or its process is dead. */
const FIRST_LOOK_MS = 2 * 60_000;
/** A create that was never answered may still arrive; then this finds it. */
const LAST_LOOK_MS = 15 * 60_000;

/** How far ahead of its creation the event is put, less an hour. */
const LEFT_BEHIND_MS = 23 * 3_600_000;

/** Sees to it that the event of a verification goes away, whatever becomes of the process that makes it. */
export interface RoundTrip {
  /** Plans the removal. The event has to carry what is returned. */
  begin(organizerId: string): Promise<{ markers: EventMarkers; transactionId: string }>;
  /** There is no event (any more). */
  end(transactionId: string): Promise<void>;
}

/** @param homes the names of the home in which the event is made */
export function makeRoundTrip(scope: Scope, homes: string[], tools: ServiceTools): RoundTrip {
  return {
    async begin(organizerId) {
      const id = tools.newId();
      await scope.db.transaction((prisma) =>
        addJob(
          prisma,
          'remove_verification_event',
          { homes, organizerId, eventMarker: id, isLastLook: false },
          { key: id, delayMs: FIRST_LOOK_MS },
        ),
      );
      return { markers: { tenantId: scope.db.tenantId, meetingId: id, subject: SUBJECT }, transactionId: id };
    },
    end: (id) => scope.db.transaction((prisma) => removeJob(prisma, 'remove_verification_event', id)),
  };
}

/**
 * The job: removes what a verification that broke off left in the calendar. What cannot be removed yet is thrown. Ids
 * of one directory or cloud are not sent to another.
 */
export type RemoveVerificationEvent = (scope: Scope, what: JobPayloads['remove_verification_event']) => Promise<void>;

/** The calendar is not ours any more; trying again changes nothing, and the sweep removes the event should that change. */
const FINAL: Partial<Record<GraphFailureKind, string>> = {
  USER_NOT_FOUND: 'organizer gone',
  MAILBOX_UNAVAILABLE: 'mailbox gone',
  EXCHANGE_SCOPE_DENIED: 'not allowed',
  ROLE_MISSING: 'not allowed',
  FORBIDDEN: 'not allowed',
};

export function makeRemoveVerificationEvent(
  microsoftApp: Pick<MicrosoftAppService, 'graphFor'>,
  tools: ServiceTools,
): RemoveVerificationEvent {
  return async (scope, { homes, organizerId, eventMarker, isLastLook }) => {
    const graph = await microsoftApp.graphFor(scope);
    if (graph === null) return;
    const log = (outcome: string, more: object = {}) =>
      tools.logger.info(
        { tenantId: scope.db.tenantId, organizerId, outcome, ...more },
        '[TeamsMeetings] operation=remove-verification-event',
      );
    // Read after the client: should the app change in between, the names are not those of the client, and nothing is sent.
    const today = await scope.db.run(namesOfTodaysHome);
    if (!homes.some((home) => today.includes(home))) return log('left in another home');
    try {
      const markers = { tenantId: scope.db.tenantId, meetingId: eventMarker };
      const events = await graph.events.findByMeeting(organizerId, markers);
      for (const event of events) await graph.events.delete(organizerId, event.id);
      log(events.length > 0 ? 'removed' : 'nothing left');
      if (events.length > 0 || isLastLook) return;
    } catch (error) {
      const end = error instanceof GraphRequestError ? FINAL[error.kind] : undefined;
      if (!(error instanceof GraphRequestError) || end === undefined) throw error;
      return log(end, { kind: error.kind, graphRequestId: error.requestId });
    }
    await scope.db.transaction((prisma) =>
      addJob(
        prisma,
        'remove_verification_event',
        { homes, organizerId, eventMarker, isLastLook: true },
        { key: eventMarker, delayMs: LAST_LOOK_MS },
      ),
    );
  };
}

/**
 * Whose an event with our marker is that no meeting owns: `running` for one that a verification made within the hour,
 * which removes it itself; `left` for one that even its job has not removed; null for no event of a verification.
 */
export function verificationEvent({ subject, event }: MarkedEvent, now: Date): 'running' | 'left' | null {
  if (subject !== SUBJECT) return null;
  return event.startsAt.getTime() < now.getTime() + LEFT_BEHIND_MS ? 'left' : 'running';
}
