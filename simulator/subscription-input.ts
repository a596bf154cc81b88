import type { Json } from './errors.ts';
import { GraphFailure } from './errors.ts';
import type { GraphCall } from './graph-call.ts';
import type { WatchedResource } from './subscription-types.ts';

const MINUTE_MS = 60_000;
const LONGEST_MS = 4_320 * MINUTE_MS;
const SHORTEST_MS = 45 * MINUTE_MS;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

const KNOWN = new Set([
  'changeType',
  'notificationUrl',
  'lifecycleNotificationUrl',
  'resource',
  'expirationDateTime',
  'clientState',
  'includeResourceData',
  'encryptionCertificate',
  'encryptionCertificateId',
  'latestSupportedTlsVersion',
]);

/** The codes of these refusals differ between sources; callers tell them by their status. */
function invalidSubscription(message: string): GraphFailure {
  return new GraphFailure(400, 'InvalidRequest', message);
}

export interface SubscriptionInput {
  resource: string;
  watched: WatchedResource;
  changeType: string;
  clientState: string | null;
  notificationUrl: string;
  lifecycleNotificationUrl: string | null;
  expiresAt: Date;
}

/** Reads a create. Throws Graph's 400. Sources: subscription-post-subscriptions, resources/subscription. */
export function readSubscription(call: GraphCall, body: Json): SubscriptionInput {
  const unknown = Object.keys(body).find((name) => !KNOWN.has(name) && !name.startsWith('@'));
  if (unknown !== undefined) {
    throw invalidSubscription(`The property '${unknown}' does not exist on type 'microsoft.graph.subscription'.`);
  }
  const resource = textOf(body, 'resource');
  const changeType = textOf(body, 'changeType');
  if (changeType !== 'created') throw invalidSubscription(`changeType '${changeType}' is not supported.`);
  if (body.includeResourceData === true && typeof body.encryptionCertificate !== 'string') {
    throw invalidSubscription('encryptionCertificate is required when includeResourceData is true.');
  }
  const clientState = body.clientState ?? null;
  if (clientState !== null && (typeof clientState !== 'string' || clientState.length > 128)) {
    throw invalidSubscription('clientState must not be longer than 128 characters.');
  }
  const asked = instantOf(body);
  const lifecycleNotificationUrl =
    body.lifecycleNotificationUrl == null ? null : urlOf(body, 'lifecycleNotificationUrl');
  if (lifecycleNotificationUrl === null && asked.getTime() - call.now.getTime() > 60 * MINUTE_MS) {
    throw invalidSubscription(
      'lifecycleNotificationUrl is required for subscription creation on this resource when the expirationDateTime value exceeds 1 hour',
    );
  }
  return {
    resource,
    watched: watchedResource(resource),
    changeType,
    clientState,
    notificationUrl: urlOf(body, 'notificationUrl'),
    lifecycleNotificationUrl,
    expiresAt: withinLimits(asked, call.now),
  };
}

export interface SubscriptionChange {
  expiresAt?: Date;
  notificationUrl?: string;
}

/** Reads an update: nothing but the expiry and the address can be changed. Source: subscription-update. */
export function readChange(call: GraphCall, body: Json): SubscriptionChange {
  const other = Object.keys(body).find((name) => name !== 'expirationDateTime' && name !== 'notificationUrl');
  if (other !== undefined) throw invalidSubscription(`The property '${other}' cannot be updated.`);
  return {
    ...(body.expirationDateTime === undefined ? {} : { expiresAt: withinLimits(instantOf(body), call.now) }),
    ...(body.notificationUrl === undefined ? {} : { notificationUrl: urlOf(body, 'notificationUrl') }),
  };
}

function textOf(body: Json, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw invalidSubscription(`${name} is required.`);
  return value;
}

/** Microsoft takes https only. A loopback address may be http here: there is no certificate for this computer. */
function urlOf(body: Json, name: string): string {
  const text = textOf(body, name);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname))) return text;
  throw invalidSubscription(`The ${name} must be an https address.`);
}

function instantOf(body: Json): Date {
  const instant = new Date(textOf(body, 'expirationDateTime'));
  if (Number.isNaN(instant.getTime())) throw invalidSubscription('expirationDateTime is not a valid date.');
  return instant;
}

/** A longer life is cut to 4,320 minutes and a shorter one raised to 45. Source: resources/subscription. */
function withinLimits(asked: Date, now: Date): Date {
  if (asked <= now) throw invalidSubscription('Subscription expiration can only be in the future.');
  const life = Math.min(Math.max(asked.getTime() - now.getTime(), SHORTEST_MS), LONGEST_MS);
  return new Date(now.getTime() + life);
}

const OF_ALL = /^communications\/onlineMeetings\/getAll(Recordings|Transcripts)$/i;
const OF_USER = /^users\/([^/]+)\/onlineMeetings\/getAll(Recordings|Transcripts)$/i;
const OF_MEETING = /^communications\/onlineMeetings\/([^/]+)\/(recordings|transcripts)$/i;

function watchedResource(resource: string): WatchedResource {
  const path = resource.replace(/^\//, '').replace(/\('([^']*)'\)/g, '/$1');
  const kindOf = (text = ''): WatchedResource['kind'] =>
    text.toLowerCase() === 'recordings' ? 'recordings' : 'transcripts';
  const [, ofAll] = OF_ALL.exec(path) ?? [];
  if (ofAll !== undefined) return { kind: kindOf(ofAll), organizerId: null, meetingId: null };
  const [, user, ofUser] = OF_USER.exec(path) ?? [];
  if (user !== undefined) return { kind: kindOf(ofUser), organizerId: user.toLowerCase(), meetingId: null };
  const [, meeting, ofMeeting] = OF_MEETING.exec(path) ?? [];
  if (meeting !== undefined) {
    return { kind: kindOf(ofMeeting), organizerId: null, meetingId: decodeURIComponent(meeting) };
  }
  throw invalidSubscription(`The resource '${resource}' is not supported for change notifications.`);
}
