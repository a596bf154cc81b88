import { createHash } from 'node:crypto';
import { addJob } from '../../db/job-queue.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { PsaEvent } from './psa-event.ts';

/** `duplicate`: an event of this id is stored already, and nothing was done. */
export type ReceivedPsaEvent = 'stored' | 'duplicate';

/**
 * Stores an event of the PSA together with the job that applies it, and does nothing else: whoever sent it need not
 * wait, and nothing is lost when this process dies the moment after.
 *
 * @param id the sender's `webhook-id`; a repeated one has no second effect, whatever it carries
 */
export type ReceivePsaEvent = (scope: Scope, id: string, event: PsaEvent) => Promise<ReceivedPsaEvent>;

export function makeReceivePsaEvent(tools: ServiceTools): ReceivePsaEvent {
  return async (scope, id, event) => {
    if (event.tenantId !== scope.db.tenantId) throw new Error('An event was received for another tenant than its own');
    const row = {
      id,
      type: event.type,
      subjectId: event.owner.id,
      data: event.data,
      occurredAt: event.occurredAt,
      receivedAt: tools.clock(),
    };
    const outcome = await scope.db.transaction(async (prisma): Promise<ReceivedPsaEvent> => {
      const { count } = await prisma.psaEvent.createMany({ data: [row], skipDuplicates: true });
      if (count === 0) return 'duplicate';
      await addJob(
        prisma,
        'apply_psa_event',
        { eventId: id },
        {
          // The sender chose the id: as a hash it has a length that the queue takes, and no separator of its keys.
          key: createHash('sha256').update(id).digest('hex'),
          serial: `${event.owner.field}:${event.owner.id}`,
        },
      );
      return 'stored';
    });
    tools.logger.info(
      { tenantId: scope.db.tenantId, eventId: id, type: event.type, outcome },
      '[TeamsMeetings] operation=psa-event received',
    );
    return outcome;
  };
}
