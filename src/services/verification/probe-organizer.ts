import type { GraphClient, GraphUser } from '../../graph/types.ts';
import type { ServiceTools } from '../scope.ts';
import { Checklist } from './checklist.ts';
import { describeFailure } from './describe-failure.ts';
import { type ProbeContext, withoutRole } from './probe-context.ts';
import type { RoundTrip } from './probe-event.ts';
import { probeExchange } from './probe-exchange.ts';
import { type KnownTranscript, probeArtifacts, probePolicy } from './probe-teams.ts';
import { type Credential, checkRoles, offersOnlineMeetings, probeToken } from './probe-token.ts';
import { probeWebhook, type WebhookProbe } from './probe-webhook.ts';

/** What is known here and makes the answers more exact; all of it may be left out. */
export interface ProbeFacts {
  credential?: Credential;
  /** Since when verifications have missed the Teams policy without a break. */
  policyMissingSince?: Date | null;
  /** A stored transcript, for when the last day brought none. */
  transcript?: KnownTranscript | null;
  /** A mailbox into which the app should not get. */
  outsideMailbox?: string | null;
}

export type ProbeOptions = ProbeFacts &
  (
    | { /** Leaves out what would make something at Microsoft, even for a moment. */ changesNothing: true }
    | { changesNothing: false; roundTrip: RoundTrip; webhook: WebhookProbe }
  );

const OBJECT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LONGEST_NAME = 200;

const ORGANIZER_CHECKS = ['organizer', 'organizer-account', 'organizer-licence'];
const EXCHANGE_CHECKS = ['exchange-scope', 'mailbox', 'provider', 'mailbox-outside'];
const TEAMS_CHECKS = ['policy', 'recordings', 'transcript-access', 'transcripts', 'transcript-attribution'];

/**
 * Asks Microsoft what a working organizer needs: the credential first, then the user, then Exchange and Teams side by
 * side. What fails stands in the list with its remedy; what is only the consequence of another failure is skipped.
 *
 * @param upn the organizer's object id or user principal name
 */
export async function probeOrganizer(
  graph: GraphClient,
  upn: string,
  tools: ServiceTools,
  options: ProbeOptions,
): Promise<Checklist> {
  const list = new Checklist(tools.clock, describeFailure);
  const exchange = options.changesNothing ? EXCHANGE_CHECKS : [...EXCHANGE_CHECKS, 'meeting'];
  const teams = options.changesNothing ? TEAMS_CHECKS : [...TEAMS_CHECKS, 'webhook'];

  const granted = await probeToken(graph, list, { credential: options.credential, now: tools.clock() });
  if (granted === null) {
    return list.skip(['roles', ...ORGANIZER_CHECKS, ...exchange, ...teams], 'Not run, because there is no token.');
  }
  const missingRoles = checkRoles(granted, list, graph.cloud);
  const context: ProbeContext = { graph, tools, userId: upn, isFound: false, granted, missingRoles };
  if (!(await findUser(context, list))) {
    return list.skip([...exchange, ...teams], 'Not run, because the check organizer failed.');
  }
  const [inExchange, inTeams] = await Promise.all([
    exchangeLane(context, list.branch(), options),
    teamsLane(context, list.branch(), options),
  ]);
  return list.join([inExchange, inTeams]);
}

/**
 * The checks `organizer`, `organizer-account` and `organizer-licence`.
 *
 * @returns whether there is something to go on with: a user, or an object id that the directory may not show us
 */
async function findUser(context: ProbeContext, list: Checklist): Promise<boolean> {
  const { graph, userId } = context;
  const asked = await list.ask((call) => graph.users.get(userId, call));
  const { failure } = asked;
  if (failure !== undefined) {
    list.failed('organizer', failure, asked, withoutRole(context, 'User.Read.All'));
    list.skip(
      ['organizer-account', 'organizer-licence'],
      'Not run, because the directory does not show the organizer.',
    );
    const isHidden = failure.kind === 'ROLE_MISSING' || failure.kind === 'FORBIDDEN';
    return isHidden && OBJECT_ID.test(userId);
  }
  const user = asked.value;
  context.userId = user.id;
  context.isFound = true;
  list.found('organizer', `The organizer is ${nameOf(user)} (${user.id}).`, asked);
  checkAccount(user, list, asked);
  return true;
}

function checkAccount(
  { accountEnabled, hasTeamsPlan }: GraphUser,
  list: Checklist,
  asked: { durationMs: number; graphRequestId: string | null },
): void {
  const untold = 'The directory does not tell.';
  if (accountEnabled === null) list.skip(['organizer-account'], untold);
  else {
    list.found(
      'organizer-account',
      accountEnabled
        ? 'The account of the organizer is enabled.'
        : {
            detail: 'The account of the organizer is blocked from signing in; meetings and recordings may stop.',
            remedy: 'In Entra, enable the account; nobody has to sign in with it. Or choose another organizer.',
          },
      asked,
    );
  }
  if (hasTeamsPlan === null) list.skip(['organizer-licence'], untold);
  else {
    list.found(
      'organizer-licence',
      hasTeamsPlan
        ? 'The organizer has a licence with Teams.'
        : {
            detail: 'None of the licences of the organizer has an active Teams plan.',
            remedy: 'In the Microsoft 365 admin centre, assign a licence with Teams to the organizer.',
          },
      asked,
    );
  }
}

/** Somebody chose it: as data it may hold anything, but nothing that a database or a terminal chokes on. */
function nameOf({ displayName, userPrincipalName }: GraphUser): string {
  const name = (displayName ?? userPrincipalName).replace(/[\p{Cc}\p{Cs}]|\p{Bidi_Control}/gu, ' ');
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

async function exchangeLane(context: ProbeContext, list: Checklist, options: ProbeOptions): Promise<Checklist> {
  await probeExchange(context, list, {
    outsideMailbox: options.outsideMailbox ?? null,
    roundTrip: options.changesNothing ? null : options.roundTrip,
  });
  return list;
}

async function teamsLane(context: ProbeContext, list: Checklist, options: ProbeOptions): Promise<Checklist> {
  if (!offersOnlineMeetings(context.graph.cloud)) {
    const names = options.changesNothing ? TEAMS_CHECKS : [...TEAMS_CHECKS, 'webhook'];
    return list.skip(
      names,
      'Microsoft does not offer this in this cloud: by its documentation, Graph has none of it there.',
    );
  }
  const consequences = await probePolicy(context, list, options.policyMissingSince ?? null);
  const [artifacts, webhook] = [list.branch(), list.branch()];
  await Promise.all([
    probeArtifacts(context, artifacts, consequences, options.transcript ?? null),
    options.changesNothing ? undefined : probeWebhook(context, webhook, options.webhook, consequences),
  ]);
  return list.join([artifacts, webhook]);
}
