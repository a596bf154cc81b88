import { cloudHosts } from '../../graph/clouds.ts';
import type { GraphClient } from '../../graph/types.ts';
import { explain } from '../failures.ts';
import { EXCHANGE_PERMISSION, KNOWN_PERMISSIONS, REQUIRED_PERMISSIONS } from '../microsoft-app/permissions.ts';
import type { ServiceTools } from '../scope.ts';
import { Checklist, type VerificationCheck, type VerificationOutcome } from './checklist.ts';

const USED_FOR = Object.fromEntries(KNOWN_PERMISSIONS.map(({ name, usedFor }) => [name, usedFor]));

/** Well-formed and certainly nobody's: with it the policy is tested without touching a meeting. */
function probeJoinUrl({ cloud }: GraphClient): string {
  return `https://${cloudHosts(cloud).teams}/l/meetup-join/19%3ameeting_verification-probe%40thread.v2/0`;
}

async function makeAndRemoveMeeting(graph: GraphClient, userId: string, tools: ServiceTools): Promise<string> {
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

/**
 * The organizer's own checks, each building on the one before; what fails stands in the list.
 * @param upn its user principal name or object id
 * @param options.changesNothing leaves out what would make something at Microsoft, even for a moment
 */
export async function probeOrganizer(
  graph: GraphClient,
  upn: string,
  tools: ServiceTools,
  { changesNothing }: { changesNothing: boolean },
): Promise<Checklist> {
  const list = new Checklist(tools.clock, describeFailure);
  let userId = upn;
  const signedIn = await list.check('credentials', async () => {
    await graph.grantedRoles();
    return 'Microsoft gave a token for the app registration.';
  });
  if (!signedIn) return list.skip(['roles', 'organizer', 'mailbox', 'meeting', 'policy']);

  await list.check('roles', async () => {
    const granted = await graph.grantedRoles();
    const missing = REQUIRED_PERMISSIONS.map(({ name }) => name).filter((role) => !granted.has(role));
    if (missing.length === 0) return 'The token carries every permission that is needed.';
    if (missing.every((role) => role === EXCHANGE_PERMISSION)) {
      return {
        detail: `${EXCHANGE_PERMISSION} is not in the token. That is as it should be where Exchange grants it by RBAC for Applications; the checks mailbox and meeting tell whether it does.`,
        remedy: `Where those checks fail, grant ${EXCHANGE_PERMISSION} in Exchange for the organizer, or add it in Entra and grant admin consent.`,
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
  if (!reachable) list.skip(['meeting']);
  else if (!changesNothing) await list.check('meeting', () => makeAndRemoveMeeting(graph, userId, tools));
  await list.check('policy', async () => {
    await graph.onlineMeetings.findByJoinUrl(userId, probeJoinUrl(graph));
    return 'The Teams application access policy lets the app act for the organizer.';
  });
  return list;
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
    const list = error.roles.map((role) => `${role} (${USED_FOR[role]})`).join(', ');
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
