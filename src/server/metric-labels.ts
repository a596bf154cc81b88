import { ERROR_CODES } from './errors.ts';

/**
 * Every label that a metric may have, with what makes its values few: a list of all of them, or the shape of names
 * that only our own code makes. Nothing here names a tenant, a person, a meeting or a request. A test holds the registry
 * against it.
 */
export const LABELS = {
  /** Of an HTTP request: the pattern of its route. */
  route: /^(\/[\w.:*-]*)+$|^none$/,
  /** Of an HTTP answer: the class of its status. */
  status: ['1xx', '2xx', '3xx', '4xx', '5xx'],
  /** Of an error in a GraphQL answer. */
  code: ERROR_CODES,
  /** Of the metrics of meetings: the operation, as in the log; of Microsoft's: the method of `GraphClient`. */
  operation: /^[a-zA-Z][a-zA-Z.-]{2,40}$/,
  /** `success` or `SUCCESS`, or a code of the contract or of `GraphFailureKind`. */
  outcome: /^[a-zA-Z][a-zA-Z_-]{2,40}$/,
  /** Which part of Microsoft Graph. */
  area: ['directory', 'exchange', 'onlineMeetings', 'recordings', 'transcripts', 'subscriptions', 'media'],
  /** Of drift: what was found; of captures: what was captured. */
  kind: ['moved', 'deleted', 'orphan', 'adopted', 'stuck', 'recording', 'transcript'],
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
