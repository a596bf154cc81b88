import { z } from 'zod';
import type { CallPlan } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { listAll } from './paging.ts';
import { type GraphPath, graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { CallOptions, GraphSubscription, GraphSubscriptions } from './types.ts';
import { instant, optionalText } from './wire.ts';

const COLLECTION: GraphPath = { path: '/subscriptions', template: '/subscriptions' };
const ONE = '/subscriptions/{subscription}';

const RECORDINGS_ROLE = 'OnlineMeetingRecording.Read.All';
const TRANSCRIPTS_ROLE = 'OnlineMeetingTranscript.Read.All';

const subscription: z.ZodType<GraphSubscription> = z
  .object({
    id: z.string().min(1),
    resource: z.string(),
    notificationUrl: optionalText,
    lifecycleNotificationUrl: optionalText,
    clientState: optionalText,
    expirationDateTime: instant,
  })
  .transform(({ expirationDateTime, ...rest }) => ({ ...rest, expiresAt: expirationDateTime }));

function plan(
  operation: string,
  method: CallPlan['method'],
  path: GraphPath,
  options: CallOptions | undefined,
  roles: readonly string[] = [RECORDINGS_ROLE, TRANSCRIPTS_ROLE],
): CallPlan {
  return {
    operation,
    method,
    ...path,
    area: 'subscriptions',
    roles,
    // They belong to no mailbox; a queue of their own.
    user: 'subscriptions',
    isIdempotent: method !== 'POST',
    signal: options?.signal,
    maxTries: options?.maxTries,
    onRequestId: options?.onRequestId,
  };
}

/** Change notification subscriptions; see `GraphSubscriptions`. */
export function subscriptionsClient(requests: GraphRequests): GraphSubscriptions {
  const pathOf = (id: string) => graphPath(ONE, { subscription: id });
  return {
    create: (draft, options) => {
      const role = /transcripts$/i.test(draft.resource) ? TRANSCRIPTS_ROLE : RECORDINGS_ROLE;
      const { expiresAt, ...rest } = draft;
      const body = { ...rest, changeType: 'created', expirationDateTime: expiresAt.toISOString() };
      return requests.json(
        {
          ...plan('subscriptions.create', 'POST', COLLECTION, options, [role]),
          body,
          // Graph calls both addresses first, and gives each ten seconds (change-notifications-delivery-webhooks).
          perTryTimeoutMs: 2.5 * requests.perTryTimeoutMs,
        },
        subscription,
      );
    },

    get: (id, options) => requests.json(plan('subscriptions.get', 'GET', pathOf(id), options), subscription),

    list: (options) => listAll(requests, plan('subscriptions.list', 'GET', COLLECTION, options), subscription),

    renew: (id, { expiresAt, ...rest }, options) => {
      const body = { ...rest, expirationDateTime: expiresAt.toISOString() };
      return requests.json({ ...plan('subscriptions.renew', 'PATCH', pathOf(id), options), body }, subscription);
    },

    reauthorize: async (id, options) => {
      const path = graphPath(`${ONE}/reauthorize`, { subscription: id });
      await requests.send({
        ...plan('subscriptions.reauthorize', 'POST', path, options),
        body: {},
        isIdempotent: true,
      });
    },

    remove: async (id, options) => {
      try {
        await requests.send(plan('subscriptions.remove', 'DELETE', pathOf(id), options));
      } catch (error) {
        if (error instanceof GraphRequestError && error.kind === 'NOT_FOUND') return;
        throw error;
      }
    },
  };
}
