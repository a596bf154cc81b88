import { addJob } from '../../db/job-queue.ts';
import type { OutgoingEvent } from '../../generated/prisma/client.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { type PostEvent, retryDelayMs } from './post-event.ts';

const GIVE_UP_AFTER_MS = 3 * 24 * 3_600_000;
/** A job may take a minute; with the post that is under way, this stays well below. */
const WORK_FOR_MS = 30_000;
/** Marks an event that is not tried any more; clearing `last_error` makes it wait for its turn again. */
const GAVE_UP = 'gave up: ';

/**
 * Delivers the events of a meeting that the PSA has not got yet, oldest first, and stops at the first that fails: its
 * retry, and everything after it, is a job of its own. An event that fails for three days is kept but passed over.
 *
 * The promise is at least once, in order per meeting: a process that dies between the PSA's answer and its own note
 * of it sends the event again, under the same `webhook-id`. The jobs of one meeting never run at the same time, and
 * each event is read anew before it is sent.
 */
export type DeliverEvents = (scope: Scope, meetingId: string) => Promise<void>;

export interface DeliverEventsDeps {
  /** Undefined where no receiver is configured: events that wait go on waiting. */
  post: PostEvent | undefined;
  /** From 0 to 1. */
  random?: () => number;
}

export function makeDeliverEvents(
  { post, random = Math.random }: DeliverEventsDeps,
  tools: ServiceTools,
): DeliverEvents {
  function oldestUndelivered(scope: Scope, meetingId: string): Promise<OutgoingEvent | null> {
    return scope.db.run((prisma) =>
      prisma.outgoingEvent.findFirst({
        where: {
          meetingId,
          deliveredAt: null,
          OR: [{ lastError: null }, { NOT: { lastError: { startsWith: GAVE_UP } } }],
        },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      }),
    );
  }

  function deliverLater(scope: Scope, event: OutgoingEvent, lastError: string, delayMs: number): Promise<void> {
    return scope.db.transaction(async (prisma) => {
      await prisma.outgoingEvent.updateMany({
        where: { id: event.id, deliveredAt: null },
        data: { attempts: { increment: 1 }, lastError },
      });
      const { meetingId } = event;
      await addJob(prisma, 'deliver_events', { meetingId }, { key: meetingId, serial: meetingId, delayMs });
    });
  }

  /** Sends one event and notes what came of it. False ends the work: the rest is a later job's. */
  async function deliver(scope: Scope, send: PostEvent, event: OutgoingEvent): Promise<boolean> {
    const began = tools.clock().getTime();
    const failure = await send(event, tools.clock());
    const fields = {
      tenantId: scope.db.tenantId,
      meetingId: event.meetingId,
      eventId: event.id,
      type: event.type,
      attempts: event.attempts + 1,
      outcome: failure?.error ?? 'success',
      durationMs: tools.clock().getTime() - began,
    };
    const about = '[TeamsMeetings] operation=deliver-event';
    if (failure === null) {
      await scope.db.run((prisma) =>
        prisma.outgoingEvent.updateMany({
          where: { id: event.id, deliveredAt: null },
          data: { deliveredAt: tools.clock(), attempts: { increment: 1 }, lastError: null },
        }),
      );
      tools.logger.info(fields, about);
      return true;
    }
    if (tools.clock().getTime() - event.createdAt.getTime() >= GIVE_UP_AFTER_MS) {
      await scope.db.run((prisma) =>
        prisma.outgoingEvent.updateMany({
          where: { id: event.id, deliveredAt: null },
          data: { attempts: { increment: 1 }, lastError: `${GAVE_UP}${failure.error}` },
        }),
      );
      tools.logger.error(fields, `${about} given up after three days: the PSA does not know of this change`);
      return true;
    }
    const delayMs = Math.max(retryDelayMs(event.attempts + 1, random()), failure.retryAfterMs);
    await deliverLater(scope, event, failure.error, delayMs);
    if (failure.isRefusal) tools.logger.warn({ ...fields, delayMs }, `${about} refused, will be tried again`);
    else tools.logger.info({ ...fields, delayMs }, `${about} failed, will be tried again`);
    return false;
  }

  return async (scope, meetingId) => {
    if (post === undefined) return;
    const until = tools.clock().getTime() + WORK_FOR_MS;
    for (;;) {
      const event = await oldestUndelivered(scope, meetingId);
      if (event === null) return;
      if (tools.clock().getTime() >= until) {
        await scope.db.transaction((prisma) =>
          addJob(prisma, 'deliver_events', { meetingId }, { key: meetingId, serial: meetingId }),
        );
        return;
      }
      if (!(await deliver(scope, post, event))) return;
    }
  };
}
