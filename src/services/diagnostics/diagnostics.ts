import type { GraphClient } from '../../graph/types.ts';
import { SecretUnreadableError } from '../microsoft-app/key-ring.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { KNOWN_PERMISSIONS } from '../microsoft-app/permissions.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import { setUpOf, todaysSetUp } from '../settings/todays-set-up.ts';
import type { CheckStatus } from '../verification/checklist.ts';
import type { Look, Subject } from './look.ts';
import { recommendationsOf } from './recommendations.ts';
import type { DiagnosticsReport, DiagnosticsService, DiagnosticsStep, GraphPermission } from './report.ts';
import { runLooks } from './run-looks.ts';
import { latestReport, storeReport } from './store-report.ts';
import { lookWithoutSettings, withoutStore } from './without-database.ts';

/** Shorter than the limit of any look that needs the token. */
const TOKEN_LIMIT_MS = 12_000;

const WORST_FIRST: CheckStatus[] = ['FAIL', 'WARN', 'PASS'];

function overallOf(steps: readonly DiagnosticsStep[]): CheckStatus {
  return WORST_FIRST.find((status) => steps.some((step) => step.status === status)) ?? 'SKIP';
}

function reportOf(steps: DiagnosticsStep[], permissions: GraphPermission[], ranAt: Date): DiagnosticsReport {
  return { overall: overallOf(steps), steps, permissions, recommendations: recommendationsOf(steps), ranAt };
}

/** A run that is under way: who comes later hears what has ended already, and then the rest. */
interface Run {
  ended: DiagnosticsStep[];
  listeners: Set<(step: DiagnosticsStep) => void>;
  report: Promise<DiagnosticsReport>;
}

/**
 * Diagnoses tenants by what `looks` find. An app and organizer of a tenant has one run at a time in a process; two processes may diagnose the
 * same tenant at once, for nothing is changed by it and each stores a whole report.
 */
export function createDiagnosticsService(
  deps: {
    looks: readonly Look[];
    microsoftApp: Pick<MicrosoftAppService, 'find' | 'graphFor' | 'refreshTokens'>;
    settings: Pick<SettingsService, 'find'>;
  },
  tools: ServiceTools,
): DiagnosticsService {
  const runs = new Map<string, Run>();

  /** The client with a token of its own, so that what was granted or taken a moment ago is seen. */
  async function freshClient(scope: Scope): Promise<GraphClient | null> {
    try {
      await deps.microsoftApp.refreshTokens(scope);
      return await deps.microsoftApp.graphFor(scope);
    } catch (error) {
      if (error instanceof SecretUnreadableError) return null;
      throw error;
    }
  }

  async function subjectOf(scope: Scope): Promise<Subject> {
    const [settings, app, graph] = await Promise.all([
      deps.settings.find(scope),
      deps.microsoftApp.find(scope),
      freshClient(scope),
    ]);
    let roles: Promise<ReadonlySet<string>> | undefined;
    return {
      scope,
      settings,
      app,
      graph,
      grantedRoles() {
        roles ??=
          graph?.grantedRoles({ maxTries: 2, signal: AbortSignal.timeout(TOKEN_LIMIT_MS) }) ??
          Promise.reject(new Error('There is no client'));
        return roles;
      },
    };
  }

  async function permissionsOf(subject: Subject | null): Promise<GraphPermission[]> {
    const granted = (await subject?.grantedRoles().catch(() => null)) ?? null;
    return KNOWN_PERMISSIONS.map(({ name, usedFor, isRequired }) => ({
      name,
      grantedInToken: granted?.has(name) ?? null,
      usedFor,
      required: isRequired,
    }));
  }

  function logDatabase({ db: { tenantId } }: Scope, err: unknown, what: string): void {
    tools.logger.error({ tenantId, err }, `[TeamsMeetings] operation=diagnose ${what}`);
  }

  /** Stores the report. One that cannot be stored says so, and is told all the same. */
  async function kept(
    { scope, app, settings }: Subject,
    report: DiagnosticsReport,
    onStep: (step: DiagnosticsStep) => void,
  ): Promise<DiagnosticsReport> {
    try {
      await storeReport(scope, setUpOf(app, settings), report, tools);
      return report;
    } catch (error) {
      logDatabase(scope, error, 'the report could not be stored');
      const { steps, failed } = withoutStore(report.steps);
      onStep(failed);
      return reportOf(steps, report.permissions, report.ranAt);
    }
  }

  async function diagnose(scope: Scope, onStep: (step: DiagnosticsStep) => void): Promise<DiagnosticsReport> {
    const began = performance.now();
    const ranAt = tools.clock();
    const subject = await subjectOf(scope).catch((error: unknown) => {
      logDatabase(scope, error, 'the settings could not be read');
      return null;
    });
    const steps = await (subject === null
      ? lookWithoutSettings(deps.looks, scope, tools, onStep)
      : runLooks(deps.looks, subject, tools, onStep));
    const found = reportOf(steps, await permissionsOf(subject), ranAt);
    const report = subject === null ? found : await kept(subject, found, onStep);
    tools.logger.info(
      {
        tenantId: scope.db.tenantId,
        outcome: report.overall,
        failing: report.steps.filter(({ status }) => status === 'FAIL').map(({ name }) => name),
        durationMs: Math.round(performance.now() - began),
      },
      '[TeamsMeetings] operation=diagnose',
    );
    return report;
  }

  function begin(scope: Scope, key: string): Run {
    const ended: DiagnosticsStep[] = [];
    const listeners = new Set<(step: DiagnosticsStep) => void>();
    const report = diagnose(scope, (step) => {
      ended.push(step);
      for (const tell of listeners) tell(step);
    }).finally(() => runs.delete(key));
    const run = { ended, listeners, report };
    runs.set(key, run);
    return run;
  }

  return {
    async run(scope, onStep) {
      // Who changed the app or the organizer meanwhile asks of other ones. A database that fails is the run's affair.
      const setUp = await scope.db.run(todaysSetUp).catch(() => 'unknown');
      const key = `${scope.db.tenantId}/${setUp}`;
      const run = runs.get(key) ?? begin(scope, key);
      if (onStep !== undefined) {
        run.ended.forEach(onStep);
        run.listeners.add(onStep);
      }
      return { report: await run.report, userErrors: [] };
    },
    latest: latestReport,
  };
}
