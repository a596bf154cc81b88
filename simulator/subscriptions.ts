import { randomUUID } from 'node:crypto';
import { isCoveredByPolicy } from './access.ts';
import { sevenDigits } from './clock.ts';
import { GraphFailure, type Json, teamsForbidden } from './errors.ts';
import { contextUrl, type GraphCall, jsonBody } from './graph-call.ts';
import { livingSubscription, livingSubscriptions } from './notifications.ts';
import { pageOf } from './paging.ts';
import type { Answer } from './serve.ts';
import { appKey, findUser } from './state.ts';
import { readChange, readSubscription } from './subscription-input.ts';
import type { Subscription, WatchedResource } from './subscription-types.ts';

const ROLES: Record<WatchedResource['kind'], string> = {
  recordings: 'OnlineMeetingRecording.Read.All',
  transcripts: 'OnlineMeetingTranscript.Read.All',
};

/** `POST /subscriptions`: checks, handshakes with both addresses, 201. Source: subscription-post-subscriptions. */
export async function createSubscription(call: GraphCall): Promise<Answer> {
  const input = readSubscription(call, jsonBody(call));
  checkAccess(call, input.watched);
  refuseDuplicate(call, input.resource);
  const { quota } = call.world.behaviour.subscriptions;
  const ofDirectory = livingSubscriptions(call.world).filter((one) => one.directoryId === call.directory.id);
  if (quota !== null && ofDirectory.length >= quota) {
    // The status is documented (change-notifications-api-overview), the wording is not.
    throw new GraphFailure(403, 'Forbidden', `Subscription quota exceeded: the limit of ${quota} has been reached.`);
  }
  await shakeHands(call, input.notificationUrl);
  if (input.lifecycleNotificationUrl !== null) await shakeHands(call, input.lifecycleNotificationUrl);
  // Another create may have been faster while this one waited for the addresses.
  refuseDuplicate(call, input.resource);
  const subscription: Subscription = {
    ...input,
    id: randomUUID(),
    directoryId: call.directory.id,
    appId: call.caller.appId,
    creatorId: call.world.apps.get(appKey(call.directory.id, call.caller.appId))?.servicePrincipalId ?? '',
    createdAt: call.now,
    isPaused: false,
  };
  call.world.subscriptions.set(subscription.id, subscription);
  return entity(call, 201, subscription, true);
}

/** `GET /subscriptions`: the app's own in this directory. */
export function listSubscriptions(call: GraphCall): Answer {
  const own = livingSubscriptions(call.world).filter((one) => isOwn(call, one));
  const page = pageOf(call, own, 100);
  return {
    status: 200,
    body: {
      '@odata.context': contextUrl(call, 'subscriptions'),
      value: page.items.map((one) => view(call, one)),
      ...(page.nextLink === undefined ? {} : { '@odata.nextLink': page.nextLink }),
    },
  };
}

/** `GET /subscriptions/{id}`. */
export function getSubscription(call: GraphCall): Answer {
  return entity(call, 200, subscriptionInPath(call));
}

/** `PATCH /subscriptions/{id}`: renews, and reauthorizes with it. A new address is validated like that of a create. */
export async function updateSubscription(call: GraphCall): Promise<Answer> {
  const subscription = subscriptionInPath(call);
  const { expiresAt, notificationUrl } = readChange(call, jsonBody(call));
  if (notificationUrl !== undefined) await shakeHands(call, notificationUrl);
  if (notificationUrl !== undefined) subscription.notificationUrl = notificationUrl;
  if (expiresAt !== undefined) {
    subscription.expiresAt = expiresAt;
    subscription.isPaused = false;
  }
  return entity(call, 200, subscription);
}

/** `DELETE /subscriptions/{id}`. */
export function deleteSubscription(call: GraphCall): Answer {
  call.world.subscriptions.delete(subscriptionInPath(call).id);
  return { status: 204 };
}

/** `POST /subscriptions/{id}/reauthorize`. Source: subscription-reauthorize. */
export function reauthorizeSubscription(call: GraphCall): Answer {
  subscriptionInPath(call).isPaused = false;
  return { status: 204 };
}

/** The role that reads the resource; that the Teams policy counts too for a user's resource is an assumption. */
function checkAccess(call: GraphCall, watched: WatchedResource): void {
  if (!call.caller.roles.has(ROLES[watched.kind])) {
    throw teamsForbidden(
      `Application is missing required permissions. Application requires one of: ${ROLES[watched.kind]}.`,
    );
  }
  if (watched.organizerId === null) return;
  const user = findUser(call.world, call.directory.id, watched.organizerId);
  if (user === undefined) {
    throw new GraphFailure(404, 'Request_ResourceNotFound', `Resource '${watched.organizerId}' does not exist.`);
  }
  if (call.world.behaviour.subscriptions.policy === 'checked' && !isCoveredByPolicy(call, user)) {
    throw teamsForbidden('No application access policy found for this app');
  }
}

function isOwn(call: GraphCall, { directoryId, appId }: Subscription): boolean {
  return directoryId === call.directory.id && appId === call.caller.appId;
}

/** One of the same resource and changeType (there is only `created`) by the same app in the same directory. */
function refuseDuplicate(call: GraphCall, resource: string): void {
  const existing = livingSubscriptions(call.world).find(
    (one) => isOwn(call, one) && one.resource.toLowerCase() === resource.toLowerCase(),
  );
  if (existing === undefined) return;
  // The code has been seen as this one, and missing; the text is documented (change-notifications-delivery-webhooks).
  const { conflictNamesId } = call.world.behaviour.subscriptions;
  const which = conflictNamesId ? `Subscription Id ${existing.id}` : 'A subscription';
  throw new GraphFailure(409, 'ObjectIdentifierInUse', `${which} already exists for the requested combination`);
}

async function shakeHands(call: GraphCall, url: string): Promise<void> {
  const behaviour = call.world.behaviour.subscriptions;
  const wrong = behaviour.reachesAddresses ? await call.world.deliveries.validate(url, behaviour) : 'refused';
  if (wrong === null) return;
  throw new GraphFailure(
    400,
    behaviour.validationCode,
    wrong === 'late'
      ? 'Subscription validation request timed out.'
      : 'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.',
  );
}

/** An unknown one, a lapsed one and that of another app are one and the same answer. */
function subscriptionInPath(call: GraphCall): Subscription {
  const subscription = livingSubscription(call.world, call.params.subscription ?? '');
  if (subscription !== undefined && isOwn(call, subscription)) {
    const role = ROLES[subscription.watched.kind];
    if (call.caller.roles.has(role)) return subscription;
    throw teamsForbidden(`Application is missing required permissions. Application requires one of: ${role}.`);
  }
  throw new GraphFailure(404, call.world.behaviour.subscriptions.unknownCode, 'The object was not found.');
}

function entity(call: GraphCall, status: number, subscription: Subscription, isNew = false): Answer {
  return {
    status,
    body: {
      '@odata.context': contextUrl(call, 'subscriptions/$entity'),
      ...view(call, subscription),
      ...(isNew ? { clientState: subscription.clientState } : {}),
    },
  };
}

function view(call: GraphCall, subscription: Subscription): Json {
  return {
    id: subscription.id,
    resource: subscription.resource,
    applicationId: subscription.appId,
    changeType: subscription.changeType,
    clientState: call.world.behaviour.subscriptions.showsClientState ? subscription.clientState : null,
    notificationUrl: subscription.notificationUrl,
    notificationQueryOptions: null,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl,
    expirationDateTime: sevenDigits(subscription.expiresAt),
    creatorId: subscription.creatorId,
    includeResourceData: null,
    latestSupportedTlsVersion: 'v1_2',
    encryptionCertificate: null,
    encryptionCertificateId: null,
    notificationUrlAppId: null,
  };
}
