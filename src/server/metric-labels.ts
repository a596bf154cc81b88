import type { GraphArea } from '../graph/classify.ts';
import type { CallOutcome } from '../graph/observer.ts';
import type { NotificationOutcome } from '../services/scope.ts';
import { ERROR_CODES } from './errors.ts';

export const AREAS = [
  'directory',
  'exchange',
  'onlineMeetings',
  'recordings',
  'transcripts',
  'subscriptions',
  'media',
] as const satisfies readonly GraphArea[];
/** As the routes are registered; `none` where there is no such route. A new route goes in here. */
const ROUTES = [
  ...['/', '/explorer/*', '/status', '/graphql', '/health/live', '/health/ready', '/metrics', 'none'],
  ...['/recordings/:id', '/transcripts/:id.vtt', '/transcripts/:id.txt', '/invitations/:id.ics'],
  ...['/webhooks/graph/notifications', '/webhooks/graph/lifecycle', '/webhooks/psa'],
];
export const ARTIFACT_KINDS = ['recording', 'transcript'] as const;
export const DRIFT_KINDS = ['moved', 'deleted', 'orphan', 'adopted', 'stuck'] as const;
export const NOTIFICATION_OUTCOMES = [
  'stored',
  'repeated',
  'malformed',
  'foreign',
  'lapsed',
  'deferred',
] as const satisfies readonly NotificationOutcome[];
/** Why a request to `/graphql` was turned away unread. */
export const REFUSAL_REASONS = [
  'gateway-secret',
  'viewer-limit',
  'tenant-limit',
  'anonymous-limit',
  'overload',
] as const;
/** What Entra says of an app registration that somebody has to mend; and that it is well. */
export const TOKEN_OUTCOMES = [
  'SUCCESS',
  'CREDENTIALS_REJECTED',
  'APP_NOT_FOUND',
  'DIRECTORY_NOT_FOUND',
] as const satisfies readonly CallOutcome[];

/**
 * Every label that a metric may have, with what makes its values few: a list of all of them, or the shape of names
 * that only our own code makes. Nothing here names a tenant, a person, a meeting or a request. A test holds the registry
 * against it.
 */
export const LABELS = {
  /** Of an HTTP request: the pattern of its route. */
  route: ROUTES,
  /** Of an HTTP answer: the class of its status. */
  status: ['1xx', '2xx', '3xx', '4xx', '5xx'],
  /** Of a request that was turned away. */
  reason: REFUSAL_REASONS,
  /** Of an error in a GraphQL answer. */
  code: ERROR_CODES,
  /** Of the metrics of meetings: the operation, as in the log; of Microsoft's: the method of `GraphClient`. */
  operation: /^[a-zA-Z][a-zA-Z.-]{2,40}$/,
  /** `success` or `SUCCESS`, or a code of the contract or of `GraphFailureKind`. */
  outcome: /^[a-zA-Z][a-zA-Z_-]{2,40}$/,
  /** Which part of Microsoft Graph. */
  area: AREAS,
  /** Of drift: what was found; of captures: what was captured. */
  kind: [...DRIFT_KINDS, ...ARTIFACT_KINDS],
  /** The name of a job; Prometheus itself has a label `job`, which says what it scrapes. */
  task: /^[a-z]+(_[a-z]+)+$/,
  /** Of jobs, of meetings and of connections. */
  state: [
    ...['waiting', 'running', 'planned', 'given_up'],
    ...['PROVISIONING', 'SCHEDULED', 'ENDED', 'CANCELLING', 'CANCELLED', 'FAILED'],
    ...['busy', 'idle'],
  ],
  /** The bucket of a histogram. */
  le: /^([0-9.]+|\+Inf)$/,
} as const satisfies Record<string, RegExp | readonly string[]>;

export type Label = Exclude<keyof typeof LABELS, 'le'>;
