import type { SubscriptionStatus, SubscriptionsOf } from '../../notifications/subscriptions-of.ts';
import type { ServiceTools } from '../../scope.ts';
import { type Finding, instant, pass, skip, warn } from '../finding.ts';
import type { Look, Subject } from '../look.ts';

/** They live for three days and are renewed in the middle; what is left so little was not. */
const LATE_MS = 12 * 3_600_000;
const NAMES = { RECORDINGS: 'recordings', TRANSCRIPTS: 'transcripts' } as const;
const LATER = 'Recordings and transcripts are found by looking for them, only later.';

const STATES = { ACTIVE: 'active', PENDING: 'not made yet', LAPSED: 'lapsed', REMOVING: 'being removed' } as const;

function wordsOf({ kind, state, expiresAt, failure, nextAttemptAt }: SubscriptionStatus): string {
  const until = expiresAt === null ? '' : ` ${state === 'ACTIVE' ? 'until' : 'since'} ${instant(expiresAt)}`;
  const why = failure === null ? '' : ` The last try failed: ${failure.message} Next try: ${instant(nextAttemptAt)}.`;
  return `Notifications of ${NAMES[kind]}: ${STATES[state]}${until}.${why}`;
}

async function look({ scope, settings }: Subject, subscriptionsOf: SubscriptionsOf, now: Date): Promise<Finding> {
  const wanted = (await subscriptionsOf(scope)).filter(({ state }) => state !== 'REMOVING');
  if (settings?.installStatus !== 'ACTIVE' || settings.organizerObjectId === null)
    return skip('None is wanted as long as the integration is not active.');
  if (wanted.length === 0)
    return warn(
      `No subscription has been asked for yet. ${LATER}`,
      'Wait a minute for the background jobs and run the diagnosis again.',
    );
  const detail = wanted.map(wordsOf).join(' ');
  const failed = wanted.find(({ failure }) => failure !== null)?.failure;
  if (failed) return warn(detail, failed.remedy ?? 'Wait for the next try and run the diagnosis again.');
  const isLate = ({ expiresAt }: SubscriptionStatus) =>
    expiresAt !== null && expiresAt.getTime() - now.getTime() < LATE_MS;
  if (wanted.some(({ state }) => state !== 'ACTIVE') || wanted.some(isLate))
    return warn(`${detail} ${LATER}`, 'Wait a minute for the background jobs and run the diagnosis again.');
  return pass(detail);
}

/** Whether Microsoft tells us of recordings and transcripts, until when, and what it refused. */
export function subscriptionsLook(subscriptionsOf: SubscriptionsOf, { clock }: Pick<ServiceTools, 'clock'>): Look {
  return {
    name: 'subscriptions',
    title: 'Subscriptions',
    limitMs: 15_000,
    look: (subject) => look(subject, subscriptionsOf, clock()),
  };
}
