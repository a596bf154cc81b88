import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { OperatorFacts, PoolFacts } from '../db/operator-facts.ts';
import type { GraphObserver } from '../graph/observer.ts';
import type { JobObserver } from '../jobs/tasks.ts';
import type { Metrics } from '../services/scope.ts';
import { ERROR_CODES, type ErrorCode } from './errors.ts';
import {
  AREAS,
  ARTIFACT_KINDS,
  DRIFT_KINDS,
  type Label,
  NOTIFICATION_OUTCOMES,
  REFUSAL_REASONS,
  TOKEN_OUTCOMES,
} from './metric-labels.ts';

/** Why a request was turned away before anything of it was looked at. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Everything that is counted, and its text for Prometheus. */
export interface MetricsRegistry extends Metrics, GraphObserver, JobObserver {
  readonly contentType: string;
  readonly registry: Registry;
  text(): Promise<string>;
  /** A request was answered; `route` is the pattern, never the path, and undefined where there is no such route. */
  requestEnded(route: string | undefined, status: number, seconds: number): void;
  errorAnswered(code: ErrorCode): void;
  /** What the database says of itself; null when it did not answer. */
  databaseRead(facts: OperatorFacts | null): void;
  poolRead(facts: PoolFacts): void;
  /** A request was turned away before anything of it was looked at. */
  requestRefused(reason: RefusalReason): void;
}

const PREFIX = 'teams_meetings_';
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const WORK_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Each file of the explorer has a route of its own, named by its hash: they are one. */
function routeLabel(route = 'none'): string {
  return route.startsWith('/explorer/') ? '/explorer/*' : route;
}

/** @param options.ofProcess also counts what Node knows of the process: memory, CPU, event loop; once a process */
export function createMetrics({ ofProcess = false }: { ofProcess?: boolean } = {}): MetricsRegistry {
  const registry = new Registry();
  if (ofProcess) collectDefaultMetrics({ register: registry });
  const named = (name: string, help: string, labelNames: Label[] = []) => ({
    name: `${PREFIX}${name}`,
    help,
    labelNames,
    registers: [registry],
  });
  const counter = (name: string, help: string, labels: Label[]) => new Counter(named(name, help, labels));
  const gauge = (name: string, help: string, labels: Label[] = []) => new Gauge(named(name, help, labels));
  const histogram = (name: string, help: string, labels: Label[], buckets: number[]) =>
    new Histogram({ ...named(name, help, labels), buckets });

  const requests = histogram(
    'http_request_duration_seconds',
    'Answered HTTP requests, by the pattern of the route and the class of the status.',
    ['route', 'status'],
    REQUEST_SECONDS,
  );
  const refused = counter(
    'requests_refused_total',
    'Requests to /graphql that were turned away unread, by the reason.',
    ['reason'],
  );
  const errors = counter('graphql_errors_total', 'Errors in GraphQL answers, by code.', ['code']);
  const operations = counter(
    'operations_total',
    'Tries at Microsoft that ended, by operation and outcome: success, or the code of the failure.',
    ['operation', 'outcome'],
  );
  const operationSeconds = histogram(
    'operation_duration_seconds',
    'How long operations of meetings took at Microsoft, from when they were taken up.',
    ['operation'],
    WORK_SECONDS,
  );
  const drift = counter(
    'drift_total',
    'Differences between the calendar at Microsoft and what is stored here, by what was found.',
    ['kind'],
  );
  const captured = counter('artifacts_captured_total', 'Recordings and transcripts that became known.', ['kind']);
  const notifications = counter('notifications_total', 'Change notifications of Microsoft, by what came of them.', [
    'outcome',
  ]);
  const graphCalls = counter('graph_calls_total', 'Calls to Microsoft Graph, each try, by method and outcome.', [
    'operation',
    'outcome',
  ]);
  const graphParts = counter('graph_batch_parts_total', 'Calls that a $batch carried, by method and outcome.', [
    'operation',
    'outcome',
  ]);
  const graphSeconds = histogram(
    'graph_call_duration_seconds',
    'How long tries of calls to Microsoft Graph took, the wait for the mailbox’s turn not counted.',
    ['area'],
    WORK_SECONDS,
  );
  const throttles = counter('graph_throttles_total', 'Calls that Microsoft Graph answered with 429.', ['area']);
  const tokens = counter('entra_tokens_total', 'Tokens that Microsoft Entra was asked for, by outcome.', ['outcome']);
  const jobs = counter('jobs_total', 'Jobs that this process ran, by how they ended.', ['task', 'outcome']);
  const jobSeconds = histogram('job_duration_seconds', 'How long jobs ran.', ['task'], WORK_SECONDS);

  const queue = gauge('queue_jobs', 'Jobs of all tenants in the queue.', ['task', 'state']);
  const oldest = gauge('queue_oldest_wait_seconds', 'For how long the job that has waited longest has been due.');
  const meetings = gauge('meetings', 'Meetings of all tenants that are to come, or ended in the last seven days.', [
    'state',
  ]);
  const databaseUp = gauge('database_up', 'Whether the database answered when it was last asked for these gauges.');
  const connections = gauge('database_connections', 'Connections of the pool that serves requests and jobs.', [
    'state',
  ]);
  const connectionsMax = gauge('database_connections_max', 'How many connections that pool may have.');
  const connectionWaits = gauge('database_connection_waits', 'Statements that wait for a connection of that pool.');

  // A counter that is first seen at 1 has not grown in the eyes of Prometheus: what alerts watch begins at 0.
  for (const code of ERROR_CODES) errors.inc({ code }, 0);
  for (const reason of REFUSAL_REASONS) refused.inc({ reason }, 0);
  for (const kind of DRIFT_KINDS) drift.inc({ kind }, 0);
  for (const kind of ARTIFACT_KINDS) captured.inc({ kind }, 0);
  for (const outcome of NOTIFICATION_OUTCOMES) notifications.inc({ outcome }, 0);
  for (const area of AREAS) throttles.inc({ area }, 0);
  for (const outcome of TOKEN_OUTCOMES) tokens.inc({ outcome }, 0);

  const ended: GraphObserver['partEnded'] = ({ area, outcome }) => {
    if (outcome === 'THROTTLED') throttles.inc({ area });
  };
  return {
    contentType: registry.contentType,
    registry,
    text: () => registry.metrics(),
    requestEnded: (route, status, seconds) =>
      requests.observe({ route: routeLabel(route), status: `${Math.floor(status / 100)}xx` }, seconds),
    errorAnswered: (code) => errors.inc({ code }),
    requestRefused: (reason) => refused.inc({ reason }),
    driftFound: (kind) => drift.inc({ kind }),
    operationEnded(operation, outcome, durationMs) {
      operations.inc({ operation, outcome });
      if (durationMs !== undefined) operationSeconds.observe({ operation }, durationMs / 1_000);
    },
    artifactsCaptured: (kind, count) => captured.inc({ kind }, count),
    notificationsReceived: (outcome, count) => notifications.inc({ outcome }, count),
    callEnded({ operation, area, outcome, seconds }) {
      graphCalls.inc({ operation, outcome });
      graphSeconds.observe({ area }, seconds);
      ended({ operation, area, outcome });
    },
    partEnded(part) {
      graphParts.inc({ operation: part.operation, outcome: part.outcome });
      ended(part);
    },
    tokenRequested: (outcome) => tokens.inc({ outcome }),
    jobEnded(task, outcome, seconds) {
      jobs.inc({ task, outcome });
      jobSeconds.observe({ task }, seconds);
    },
    databaseRead(facts) {
      databaseUp.set(facts === null ? 0 : 1);
      // A number that is no longer known must not stand as if it were.
      for (const stale of [queue, meetings, oldest]) stale.reset();
      if (facts === null) return oldest.remove();
      oldest.set(facts.oldestWaitSeconds);
      for (const { task, state, count } of facts.jobs) queue.set({ task, state }, count);
      for (const { state, count } of facts.meetings) meetings.set({ state }, count);
    },
    poolRead({ total, idle, waiting, max }) {
      connections.set({ state: 'busy' }, total - idle);
      connections.set({ state: 'idle' }, idle);
      connectionsMax.set(max);
      connectionWaits.set(waiting);
    },
  };
}
