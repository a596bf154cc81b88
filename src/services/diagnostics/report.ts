import type { UserError } from '../failures.ts';
import type { Scope } from '../scope.ts';
import type { CheckStatus } from '../verification/checklist.ts';

export interface DiagnosticsStep {
  /** A stable name, e.g. `queue`. */
  name: string;
  /** For a person, e.g. “Background jobs”. */
  title: string;
  status: CheckStatus;
  detail: string;
  remedy: string | null;
  durationMs: number;
}

export interface GraphPermission {
  name: string;
  /** Null when no token could be had. */
  grantedInToken: boolean | null;
  usedFor: string;
  required: boolean;
}

/** A whole diagnosis of a tenant's Teams set-up. */
export interface DiagnosticsReport {
  /** The worst status among the steps; a step that was skipped does not count. */
  overall: CheckStatus;
  steps: DiagnosticsStep[];
  permissions: GraphPermission[];
  /** What to do next, most urgent first, each once. */
  recommendations: string[];
  ranAt: Date;
}

export interface DiagnosticsService {
  /**
   * Looks at everything that a working set-up needs, changes nothing at Microsoft, and stores the report. While one
   * runs for the tenant with the same app and organizer, another caller gets the same one. A step that breaks is a FAIL
   * of that step; a report that cannot be stored comes all the same, with a FAIL of the step `database`, and `latest`
   * does not know it.
   * @param onStep told of each step as it ends, for a progress display
   */
  run(
    scope: Scope,
    onStep?: (step: DiagnosticsStep) => void,
  ): Promise<{ report: DiagnosticsReport | null; userErrors: UserError[] }>;
  /** The latest report of today's app and organizer; null until one was run. */
  latest(scope: Scope): Promise<DiagnosticsReport | null>;
}
