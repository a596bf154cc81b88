import { appendAudit } from '../audit/audit.ts';
import { CREDENTIAL_UNREADABLE, invalid, type UserError } from '../failures.ts';
import { planRetryOfBlocked } from '../meetings/planned-jobs.ts';
import { namesOfTodaysHome } from '../microsoft-app/home.ts';
import { SecretUnreadableError } from '../microsoft-app/key-ring.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { planSubscriptions } from '../notifications/planned.ts';
import type { SubscriptionsOf } from '../notifications/subscriptions-of.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { Settings, SettingsService } from '../settings/settings.ts';
import { setUpOf, todaysSetUp } from '../settings/todays-set-up.ts';
import type { Checklist, Verification } from './checklist.ts';
import { makeRoundTrip } from './probe-event.ts';
import { probeOrganizer } from './probe-organizer.ts';
import { type EndRun, makeSingleRun } from './single-run.ts';
import { findVerification, keepVerification, newestTranscript, policyMissingSince } from './verification-store.ts';

export interface VerifyInput {
  /** The address of a mailbox into which the app should not get. */
  outsideMailbox?: string | null;
}

export interface VerifyResult {
  verification: Verification | null;
  userErrors: UserError[];
}

/**
 * Proves with real calls that meetings can be made and artifacts read, and stores what was found; the last fifty are
 * kept. A tenant has one verification at a time: whoever asks while one of the same app and organizer runs gets its result.
 */
export type VerifyOrganizer = (scope: Scope, input?: VerifyInput) => Promise<VerifyResult>;

export interface VerifyDeps {
  microsoftApp: Pick<MicrosoftAppService, 'find' | 'graphFor' | 'refreshTokens'>;
  settings: Pick<SettingsService, 'find'>;
  subscriptionsOf: SubscriptionsOf;
  publicUrl: string;
}

const refused = (...userErrors: UserError[]): VerifyResult => ({ verification: null, userErrors });

const ADDRESS = /^[^\s@/\\]+@[^\s@/\\]+$/;

const BUSY: UserError = {
  code: 'CONFLICT',
  message: 'Another verification of this tenant has been running for a minute.',
  remedy: 'Read its result in teamsSettings.lastVerification when it has ended, or ask again in a few minutes.',
};

const CHANGED: UserError = {
  code: 'CONFLICT',
  message: 'The Microsoft app or the organizer was changed while the verification began.',
  remedy: 'Verify again.',
};

export function makeVerifyOrganizer(deps: VerifyDeps, tools: ServiceTools): VerifyOrganizer {
  const singleRun = makeSingleRun(tools);
  const running = new Map<string, Promise<VerifyResult>>();

  async function probe(
    scope: Scope,
    settings: Settings & { organizerUpn: string },
    setUp: string,
    outsideMailbox: string | null,
  ): Promise<Checklist | null> {
    // Consent given a moment ago shows only in a new token.
    await deps.microsoftApp.refreshTokens(scope);
    const graph = await deps.microsoftApp.graphFor(scope);
    const homes = await scope.db.run(namesOfTodaysHome);
    // Where it has changed, client and home are not certainly those of the app that was read.
    if (graph === null || (await scope.db.run(todaysSetUp)) !== setUp) return null;
    const { organizerObjectId, organizerUpn } = settings;
    const [app, missingSince, transcript, subscriptions] = await Promise.all([
      deps.microsoftApp.find(scope),
      policyMissingSince(scope, setUp),
      organizerObjectId === null ? null : newestTranscript(scope, organizerObjectId),
      deps.subscriptionsOf(scope),
    ]);
    const activeSubscriptionIds = subscriptions.flatMap((one) =>
      one.state === 'ACTIVE' && one.subscriptionId !== null && one.organizerObjectId === organizerObjectId
        ? [one.subscriptionId]
        : [],
    );
    return probeOrganizer(graph, organizerObjectId ?? organizerUpn, tools, {
      changesNothing: false,
      roundTrip: makeRoundTrip(scope, homes, tools),
      webhook: { publicUrl: deps.publicUrl, activeSubscriptionIds },
      credential: app === null ? undefined : { kind: app.credentialKind, expiresAt: app.credentialExpiresAt },
      policyMissingSince: missingSince,
      transcript,
      outsideMailbox,
    });
  }

  async function store(
    scope: Scope,
    run: { id: string; setUp: string },
    end: EndRun,
    list: Checklist,
  ): Promise<Verification> {
    const verification: Verification = { outcome: list.outcome(), checks: list.checks, ranAt: tools.clock() };
    await scope.db.transaction(async (prisma) => {
      await keepVerification(prisma, run, verification);
      await end(prisma);
      if (list.passed('meeting')) await planRetryOfBlocked(prisma);
      if (list.passed('policy')) await planSubscriptions(prisma);
      await appendAudit(prisma, tools, scope.viewer, { operation: 'verify', outcome: verification.outcome });
    });
    return verification;
  }

  async function run(scope: Scope, runId: string, end: EndRun, outsideMailbox: string | null): Promise<VerifyResult> {
    const began = tools.clock().getTime();
    const [settings, app] = await Promise.all([deps.settings.find(scope), deps.microsoftApp.find(scope)]);
    if (app === null) return refused(notConfigured('No Microsoft app is connected.', 'Run connectMicrosoftApp first.'));
    if (!settings?.organizerUpn) {
      const remedy = 'Save organizerUserPrincipalName in the settings first.';
      return refused(notConfigured('No organizer is saved.', remedy));
    }
    const { organizerUpn } = settings;
    try {
      const setUp = setUpOf(app, settings);
      const list = await probe(scope, { ...settings, organizerUpn }, setUp, outsideMailbox);
      if (list === null) return refused(CHANGED);
      const verification = await store(scope, { id: runId, setUp }, end, list);
      const failed = verification.checks.find(({ status }) => status === 'FAIL');
      tools.logger.info(
        {
          tenantId: scope.db.tenantId,
          outcome: verification.outcome,
          check: failed?.name ?? null,
          graphRequestId: failed?.graphRequestId ?? null,
          durationMs: tools.clock().getTime() - began,
        },
        '[TeamsMeetings] operation=verify',
      );
      return { verification, userErrors: [] };
    } catch (error) {
      if (error instanceof SecretUnreadableError) return refused(CREDENTIAL_UNREADABLE);
      throw error;
    }
  }

  async function takeTurn(scope: Scope, setUp: string, outsideMailbox: string | null): Promise<VerifyResult> {
    const result = await singleRun<VerifyResult>(scope, {
      work: (runId, end) => run(scope, runId, end, outsideMailbox),
      find: async (runId) => {
        const verification = await findVerification(scope, runId, setUp);
        return verification === null ? null : { verification, userErrors: [] };
      },
      isShareable: outsideMailbox === null,
    });
    return result === 'busy' ? refused(BUSY) : result;
  }

  return async (scope, input = {}) => {
    const outsideMailbox = input.outsideMailbox?.trim() || null;
    if (outsideMailbox !== null) {
      const wrong = wrongMailbox(outsideMailbox, (await deps.settings.find(scope))?.organizerUpn);
      if (wrong !== null) return refused(wrong);
    }
    const setUp = await scope.db.run(todaysSetUp);
    // One that names a mailbox has a question of its own, for which nobody else should wait.
    if (outsideMailbox !== null) return takeTurn(scope, setUp, outsideMailbox);
    const key = `${scope.db.tenantId}/${setUp}`;
    const other = running.get(key);
    if (other !== undefined) return other;
    const own = takeTurn(scope, setUp, null).finally(() => running.delete(key));
    running.set(key, own);
    return own;
  };
}

function wrongMailbox(outsideMailbox: string, organizerUpn: string | null | undefined): UserError | null {
  const path = ['input', 'outsideMailbox'];
  if (!ADDRESS.test(outsideMailbox) || outsideMailbox.length > 320)
    return invalid(path, 'This is not the address of a mailbox such as jane@example.com.');
  if (outsideMailbox.toLowerCase() !== organizerUpn?.toLowerCase()) return null;
  const message = 'This is the mailbox of the organizer: the app has to get into it.';
  return invalid(path, message, 'Name any other mailbox of the organization.');
}

function notConfigured(message: string, remedy: string): UserError {
  return { code: 'NOT_CONFIGURED', message, remedy };
}
