import { Counter, Registry } from 'prom-client';
import type { Metrics } from '../services/scope.ts';

/** Why a request was turned away before anything of it was looked at. */
export type RefusalReason = 'gateway-secret' | 'viewer-limit' | 'tenant-limit' | 'anonymous-limit' | 'overload';

/** What the services count, and its text for Prometheus. */
export interface MetricsRegistry extends Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  /** A request was turned away before anything of it was looked at. */
  requestRefused(reason: RefusalReason): void;
}

export function createMetrics(): MetricsRegistry {
  const registry = new Registry();
  const registers = [registry];
  const drift = new Counter({
    name: 'teams_meetings_drift_total',
    help: 'Differences between the calendar at Microsoft and what is stored here, by what was found.',
    labelNames: ['kind'],
    registers,
  });
  const operations = new Counter({
    name: 'teams_meetings_operations_total',
    help: 'Tries at Microsoft that ended, by operation and outcome: success, or the code of the failure.',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const notifications = new Counter({
    name: 'teams_meetings_notifications_total',
    help: 'Change notifications of Microsoft, by what came of them.',
    labelNames: ['outcome'],
    registers,
  });
  const refused = new Counter({
    name: 'teams_meetings_requests_refused_total',
    help: 'Requests to /graphql that were turned away unread, by the reason.',
    labelNames: ['reason'],
    registers,
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    requestRefused: (reason) => refused.inc({ reason }),
    driftFound: (kind) => drift.inc({ kind }),
    operationEnded: (operation, outcome) => operations.inc({ operation, outcome }),
    notificationsReceived: (outcome, count) => notifications.inc({ outcome }, count),
  };
}
