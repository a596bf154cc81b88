import type { Middleware } from '@microsoft/microsoft-graph-client';
import type { MailboxQueues } from '../throttle.ts';
import { link } from './link.ts';

/**
 * Holds a place in the mailbox's queue for the length of one try: not while waiting for a token or for the next try.
 * A streamed body gives its place back once the headers are there. Recordings do not come out of Exchange, whose
 * limit this is, and a viewer who pauses a video must not keep meetings from being made.
 */
export function mailboxQueue(queues: MailboxQueues, appKey: string): Middleware {
  return link(({ plan, signal }, _context, next) =>
    queues.run(`${appKey}/${plan.user.toLowerCase()}`, signal, next, plan.yields),
  );
}
