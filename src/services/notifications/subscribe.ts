import { GraphRequestError } from '../../graph/errors.ts';
import type { CallOptions, GraphClient, GraphSubscription } from '../../graph/types.ts';
import type { Scope } from '../scope.ts';
import { addressesBelow } from './addresses.ts';
import type { ClientStates, IssuedClientState } from './client-state.ts';
import type { SubscriptionRow } from './subscription-rows.ts';

/**
 * Ten minutes less than Microsoft allows, so that clocks may differ; the answer says what was granted.
 * Source: Microsoft Learn, resources/subscription, maximum length for callRecording and callTranscript.
 */
const LIFE_MS = (4_320 - 10) * 60_000;

export const lifeFrom = (now: Date): Date => new Date(now.getTime() + LIFE_MS);

/** A subscription that is there, and what its clientState was made of. */
export interface Subscribed {
  subscription: GraphSubscription;
  nonce: string;
  keyId: string;
  /** One that was there already was taken over. */
  isAdopted: boolean;
}

const COLLECTIONS = { RECORDINGS: 'getAllRecordings', TRANSCRIPTS: 'getAllTranscripts' } as const;

/** Source: Microsoft Learn, teams-changenotifications-callrecording-and-calltranscript. */
export function resourceOf({ organizerObjectId, kind }: Pick<SubscriptionRow, 'organizerObjectId' | 'kind'>): string {
  return `users/${organizerObjectId}/onlineMeetings/${COLLECTIONS[kind]}`;
}

export interface SubscribeOptions {
  graph: GraphClient;
  publicUrl: string;
  states: ClientStates;
  now: Date;
  /** A clientState that was stored before anything is sent, so that not even the first notification is foreign. */
  issued: IssuedClientState;
}

/**
 * Makes the subscription of a row. Where Microsoft says that there is one, it is taken over if its clientState is ours
 * (a create that was never answered, a restored database), and otherwise removed and made anew: its clientState cannot
 * be changed. One that another of our tenants made is left to that tenant, one of other software to that.
 *
 * @throws GraphRequestError
 */
export async function subscribe(scope: Scope, row: SubscriptionRow, options: SubscribeOptions): Promise<Subscribed> {
  const { graph, issued, now } = options;
  const addresses = addressesBelow(options.publicUrl);
  const draft = { resource: resourceOf(row), ...addresses, clientState: issued.text, expiresAt: lifeFrom(now) };
  const create = async (): Promise<Subscribed> => ({
    subscription: await graph.subscriptions.create(draft),
    nonce: issued.nonce,
    keyId: issued.keyId,
    isAdopted: false,
  });
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof GraphRequestError) || error.kind !== 'SUBSCRIPTION_EXISTS') throw error;
    const existing = await findExisting(graph, draft.resource, error.existingSubscriptionId);
    if (existing === null) throw error;
    const state = existing.clientState === null ? null : options.states.read(existing.clientState);
    if (state !== null && state.tenantId !== scope.db.tenantId) throw error;
    const isCalledHere = existing.notificationUrl === addresses.notificationUrl;
    // What neither speaks of us nor to us belongs to other software that uses the same app.
    if (state === null && !isCalledHere) throw error;
    if (state === null || existing.lifecycleNotificationUrl !== addresses.lifecycleNotificationUrl) {
      await graph.subscriptions.remove(existing.id);
      return create();
    }
    const { notificationUrl } = addresses;
    const subscription = await graph.subscriptions.renew(existing.id, {
      expiresAt: draft.expiresAt,
      ...(isCalledHere ? {} : { notificationUrl }),
    });
    return { subscription, nonce: state.nonce, keyId: state.keyId, isAdopted: true };
  }
}

/** The one that is in the way: by the id that the refusal named, or by its resource. */
export async function findExisting(
  graph: GraphClient,
  resource: string,
  id: string | null,
  options?: CallOptions,
): Promise<GraphSubscription | null> {
  if (id !== null) {
    try {
      return await graph.subscriptions.get(id, options);
    } catch (error) {
      if (!(error instanceof GraphRequestError) || error.kind !== 'NOT_FOUND') throw error;
    }
  }
  const normal = (text: string) => text.toLowerCase().replace(/^\//, '');
  const all = await graph.subscriptions.list(options);
  return all.find((one) => normal(one.resource) === normal(resource)) ?? null;
}
