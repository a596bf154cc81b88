import type { Prisma } from '../../generated/prisma/client.ts';
import type { GraphClient } from '../../graph/types.ts';
import { appendAudit } from '../audit/audit.ts';
import { explain, type UserError } from '../failures.ts';
import { planRetryOfBlocked } from '../meetings/planned-jobs.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { planSubscriptions } from '../notifications/planned.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import { Checklist, type Verification, type VerificationCheck, type VerificationOutcome } from './checklist.ts';

/** Proves with real calls that meetings can be made and artifacts read, and stores what was found. */
export type VerifyOrganizer = (scope: Scope) => Promise<{ verification: Verification | null; userErrors: UserError[] }>;

/** The application permissions that the product cannot do without, and what each is for. */
export const REQUIRED_ROLES: Record<string, string> = {
  'Calendars.ReadWrite': 'making the calendar events of meetings',
  'OnlineMeetings.ReadWrite.All': 'finding the online meeting of an event',
  'OnlineMeetingRecording.Read.All': 'recordings',
  'OnlineMeetingTranscript.Read.All': 'transcripts',
  'User.Read.All': 'finding the organizer',
};

/** The one that Exchange can grant for a single mailbox; it is then not in the token. */
const EXCHANGE_ROLE = 'Calendars.ReadWrite';

/** Well-formed and certainly nobody's: with it the policy is tested without touching a meeting. */
const PROBE_JOIN_URL = 'https://teams.microsoft.com/l/meetup-join/19%3ameeting_verification-probe%40thread.v2/0';

export function makeVerifyOrganizer(
  deps: { microsoftApp: MicrosoftAppService; settings: SettingsService },
  tools: ServiceTools,
): VerifyOrganizer {
  async function makeAndRemoveMeeting(graph: GraphClient, userId: string): Promise<string> {
    const startsAt = new Date(tools.clock().getTime() + 24 * 3_600_000);
    const event = await graph.events.create(userId, {
      subject: 'Teams meetings verification (removed at once)',
      startsAt,
      endsAt: new Date(startsAt.getTime() + 15 * 60_000),
      bodyHtml: '',
      attendees: [],
      transactionId: tools.newId(),
    });
    await graph.events.delete(userId, event.id);
    if (!event.isOnlineMeeting) throw new ProviderNotAllowedError();
    return 'A calendar event with a Teams meeting was made and removed.';
  }

  /** The organizer's own checks, each building on the one before. */
  async function run(graph: GraphClient, upn: string): Promise<Checklist> {
    const list = new Checklist(tools.clock, describeFailure);
    let userId = upn;
    const signedIn = await list.check('credentials', async () => {
      await graph.grantedRoles();
      return 'Microsoft gave a token for the app registration.';
    });
    if (!signedIn) return list.skip(['roles', 'organizer', 'mailbox', 'meeting', 'policy']);

    await list.check('roles', async () => {
      const granted = await graph.grantedRoles();
      const missing = Object.keys(REQUIRED_ROLES).filter((role) => !granted.has(role));
      if (missing.length === 0) return 'The token carries every permission that is needed.';
      if (missing.every((role) => role === EXCHANGE_ROLE)) {
        return {
          detail: `${EXCHANGE_ROLE} is not in the token. That is as it should be where Exchange grants it by RBAC for Applications; the checks mailbox and meeting tell whether it does.`,
          remedy: `Where those checks fail, grant ${EXCHANGE_ROLE} in Exchange for the organizer, or add it in Entra and grant admin consent.`,
        };
      }
      throw new RolesMissingError(missing);
    });
    const found = await list.check('organizer', async () => {
      const user = await graph.users.get(upn);
      userId = user.id;
      if (user.accountEnabled === false)
        list.warn('organizer-account', 'The account of the organizer is blocked from signing in; recordings may stop.');
      return `The organizer is ${user.displayName ?? user.userPrincipalName} (${user.id}).`;
    });
    if (!found) return list.skip(['mailbox', 'meeting', 'policy']);

    const reachable = await list.check('mailbox', async () => {
      const calendar = await graph.events.defaultCalendar(userId);
      if (!calendar.allowedOnlineMeetingProviders.includes('teamsForBusiness')) throw new ProviderNotAllowedError();
      return 'The mailbox can be reached and allows Teams meetings.';
    });
    if (reachable) await list.check('meeting', () => makeAndRemoveMeeting(graph, userId));
    else list.skip(['meeting']);
    await list.check('policy', async () => {
      await graph.onlineMeetings.findByJoinUrl(userId, PROBE_JOIN_URL);
      return 'The Teams application access policy lets the app act for the organizer.';
    });
    return list;
  }

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
    const list = await run(fresh, settings.organizerObjectId ?? settings.organizerUpn);
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

class ProviderNotAllowedError extends Error {}

class RolesMissingError extends Error {
  readonly roles: string[];
  constructor(roles: string[]) {
    super('roles missing');
    this.roles = roles;
  }
}

function describeFailure(
  error: unknown,
): Omit<VerificationCheck, 'name' | 'status' | 'durationMs'> & { outcome: VerificationOutcome } {
  if (error instanceof RolesMissingError) {
    const list = error.roles.map((role) => `${role} (${REQUIRED_ROLES[role]})`).join(', ');
    return {
      outcome: 'PERMISSION_MISSING',
      detail: `The token lacks: ${list}.`,
      remedy: `In Entra, add ${error.roles.join(', ')} as Microsoft Graph application permissions and grant admin consent. A new token can take up to an hour to carry them.`,
      graphRequestId: null,
    };
  }
  if (error instanceof ProviderNotAllowedError) {
    return {
      outcome: 'MAILBOX_UNAVAILABLE',
      detail: 'The mailbox does not allow Teams as online meeting provider.',
      remedy: 'Assign a Teams licence to the organizer and allow Teams meetings for the mailbox.',
      graphRequestId: null,
    };
  }
  const { kind, message, remedy, graphRequestId } = explain(error);
  return { outcome: OUTCOMES[kind] ?? 'GRAPH_ERROR', detail: message, remedy, graphRequestId };
}

const OUTCOMES: Partial<Record<string, VerificationOutcome>> = {
  CREDENTIALS_REJECTED: 'CREDENTIALS_REJECTED',
  APP_NOT_FOUND: 'CREDENTIALS_REJECTED',
  DIRECTORY_NOT_FOUND: 'CREDENTIALS_REJECTED',
  UNAUTHORIZED: 'CREDENTIALS_REJECTED',
  ROLE_MISSING: 'PERMISSION_MISSING',
  FORBIDDEN: 'PERMISSION_MISSING',
  TEAMS_POLICY_MISSING: 'POLICY_MISSING',
  EXCHANGE_SCOPE_DENIED: 'MAILBOX_SCOPE_DENIED',
  USER_NOT_FOUND: 'USER_NOT_FOUND',
  MAILBOX_UNAVAILABLE: 'MAILBOX_UNAVAILABLE',
};
