import type { Prisma } from '../../generated/prisma/client.ts';
import { appendAudit } from '../audit/audit.ts';
import type { UserError } from '../failures.ts';
import { planRetryOfBlocked } from '../meetings/planned-jobs.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { planSubscriptions } from '../notifications/planned.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import type { Verification } from './checklist.ts';
import { probeOrganizer } from './probe-organizer.ts';

/** Proves with real calls that meetings can be made and artifacts read, and stores what was found. */
export type VerifyOrganizer = (scope: Scope) => Promise<{ verification: Verification | null; userErrors: UserError[] }>;

export function makeVerifyOrganizer(
  deps: { microsoftApp: MicrosoftAppService; settings: SettingsService },
  tools: ServiceTools,
): VerifyOrganizer {
  return async (scope) => {
    const [settings, graph] = await Promise.all([deps.settings.find(scope), deps.microsoftApp.graphFor(scope)]);
    if (graph === null || !settings?.organizerUpn) {
      const [message, remedy] =
        graph === null
          ? ['No Microsoft app is connected.', 'Run connectMicrosoftApp first.']
          : ['No organizer is saved.', 'Save organizerUserPrincipalName in the settings first.'];
      return { verification: null, userErrors: [{ code: 'NOT_CONFIGURED', message, remedy }] };
    }
    // Consent given a moment ago shows only in a new token.
    await deps.microsoftApp.refreshTokens(scope);
    const fresh = (await deps.microsoftApp.graphFor(scope)) ?? graph;
    const list = await probeOrganizer(fresh, settings.organizerObjectId ?? settings.organizerUpn, tools, {
      changesNothing: false,
    });
    const verification: Verification = { outcome: list.outcome(), checks: list.checks, ranAt: tools.clock() };
    await scope.db.transaction(async (prisma) => {
      await prisma.organizerVerification.create({
        data: {
          id: tools.newId(),
          outcome: verification.outcome,
          checks: verification.checks as unknown as Prisma.InputJsonArray,
          ranAt: verification.ranAt,
        },
      });
      if (verification.outcome === 'VERIFIED') {
        await planRetryOfBlocked(prisma);
        await planSubscriptions(prisma);
      }
      await appendAudit(prisma, tools, scope.viewer, { operation: 'verify', outcome: verification.outcome });
    });
    tools.logger.info(
      { tenantId: scope.db.tenantId, outcome: verification.outcome },
      '[TeamsMeetings] operation=verify',
    );
    return { verification, userErrors: [] };
  };
}
