import { BlockList, isIP } from 'node:net';
import type { SubscriptionStatus, SubscriptionsOf } from '../../notifications/subscriptions-of.ts';
import type { ServiceTools } from '../../scope.ts';
import { type Finding, fail, instant, pass, skip, warn } from '../finding.ts';
import type { Look } from '../look.ts';

const ASK_LIMIT_MS = 4_000;
/** What came in since then is proof enough, whatever this server's own network makes of its public address. */
const RECENT_MS = 24 * 3_600_000;
const REACHABLE = 'Set PUBLIC_URL to an https address that Microsoft can reach from the internet.';

/** Addresses that nobody on the internet can call (IANA special-purpose address registries). */
const INSIDE = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  INSIDE.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  INSIDE.addSubnet(network, prefix, 'ipv6');

/** Names that no public resolver answers (RFC 6761, RFC 6762, and ICANN's reservation of .internal). */
const INSIDE_NAME = /(^|\.)(localhost|local|internal|invalid|test|example|home\.arpa)$/i;

/** Whether the address can be called from the internet, as far as its looks tell. */
export function isPublic(publicUrl: string): boolean {
  const { hostname } = new URL(publicUrl);
  const host = hostname.replace(/^\[|[\].]$/g, '');
  const family = isIP(host);
  if (family !== 0) return !INSIDE.check(host, family === 4 ? 'ipv4' : 'ipv6');
  return host.includes('.') && !INSIDE_NAME.test(host);
}

function isOnThisComputer(publicUrl: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(publicUrl).hostname);
}

/**
 * Asks our own address for our own health, as a caller from outside would. It is the operator's address and no user's;
 * redirects are not followed and nothing of the answer is told.
 */
async function answers(publicUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${publicUrl}/health/live`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(ASK_LIMIT_MS),
    });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}

interface Facts {
  publicUrl: string;
  wanted: readonly SubscriptionStatus[];
  isAnswering: boolean;
  now: Date;
}

function judge({ publicUrl, wanted, isAnswering, now }: Facts): Finding {
  // The code of what is wrong on our side: no https, or an address that Microsoft called in vain.
  const refused = wanted.find(({ failure }) => failure?.code === 'NOT_CONFIGURED')?.failure;
  if (refused) return fail(refused.message, refused.remedy ?? REACHABLE);
  const last = wanted
    .flatMap(({ lastNotificationAt }) => lastNotificationAt ?? [])
    .reduce<Date | null>((newest, at) => (newest === null || at > newest ? at : newest), null);
  const told =
    last === null ? 'No notification has come in so far.' : `The last notification came on ${instant(last)}.`;
  if (last !== null && now.getTime() - last.getTime() < RECENT_MS) return pass(told);
  if (wanted.some(({ state }) => state === 'ACTIVE'))
    return isAnswering
      ? pass(`Microsoft reached this server when it took the subscriptions. ${told}`)
      : warn(
          `Microsoft reached this server when it took the subscriptions, but PUBLIC_URL does not answer when it is asked from this server. ${told}`,
          'Open PUBLIC_URL and /health/live behind it from the internet, and mend what does not answer.',
        );
  if (isOnThisComputer(publicUrl))
    return warn('PUBLIC_URL names this computer, which nobody but a simulator on it can call.', REACHABLE);
  if (new URL(publicUrl).protocol !== 'https:')
    return fail('PUBLIC_URL is not https, and Microsoft sends notifications to https only.', REACHABLE);
  if (!isPublic(publicUrl))
    return fail('PUBLIC_URL names a machine inside a network, which Microsoft cannot reach.', REACHABLE);
  return isAnswering
    ? pass('PUBLIC_URL answers from here. Whether Microsoft reaches it shows with the first subscription.')
    : warn(
        'PUBLIC_URL does not answer when it is asked from this server.',
        'Open PUBLIC_URL and /health/live behind it from the internet, and mend what does not answer.',
      );
}

/** Whether Microsoft can reach us with its notifications. */
export function webhookLook(
  { publicUrl, subscriptionsOf }: { publicUrl: string; subscriptionsOf: SubscriptionsOf },
  { clock }: Pick<ServiceTools, 'clock'>,
): Look {
  return {
    name: 'webhook',
    title: 'Reachability for notifications',
    limitMs: 15_000,
    async look({ scope, settings }) {
      if (settings === null) return skip('Not looked at, because Teams was never set up.');
      const [subscriptions, isAnswering] = await Promise.all([subscriptionsOf(scope), answers(publicUrl)]);
      const wanted = subscriptions.filter(({ state }) => state !== 'REMOVING');
      return judge({ publicUrl, wanted, isAnswering, now: clock() });
    },
  };
}
