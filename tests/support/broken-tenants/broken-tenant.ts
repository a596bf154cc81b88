import { demoWorld } from '../../../simulator/seed.ts';
import { MICROSOFT } from '../setup.ts';
import type { TestSubgraph } from '../subgraph.ts';

/** The directory, app and organizer that are broken: those of tenant-a. */
export const BROKEN = MICROSOFT['tenant-a'];

/** One way in which a set-up that worked is broken, and what has to be said of it. */
export interface BrokenTenant {
  name: string;
  /** Breaks the set-up of tenant-a, on Microsoft's side only. */
  break(subgraph: TestSubgraph): Promise<void>;
  /** What a verification comes to; `VERIFIED` where it is only worth a warning. */
  outcome: string;
  /** The checks of a verification that fail; usually one, because consequences are skipped. */
  failing: string[];
  /** Those that warn, beside others that always may. */
  warning: string[];
  /** What the first of them says, failures before warnings. */
  detail: RegExp;
  remedy: RegExp;
  /** A mailbox to name to the verification. */
  outsideMailbox?: string;
}

/** More often than any call is tried. */
export const ALWAYS = 1000;

export const changeApp = (change: Parameters<TestSubgraph['simulator']['updateApp']>[2]) => (subgraph: TestSubgraph) =>
  subgraph.simulator.updateApp(BROKEN.directoryId, BROKEN.clientId, change);

export const changeOrganizer =
  (change: Parameters<TestSubgraph['simulator']['updateUser']>[2]) => (subgraph: TestSubgraph) =>
    subgraph.simulator.updateUser(BROKEN.directoryId, BROKEN.organizer, change);

export const changeDirectory =
  (change: Parameters<TestSubgraph['simulator']['updateDirectory']>[1]) => (subgraph: TestSubgraph) =>
    subgraph.simulator.updateDirectory(BROKEN.directoryId, change);

/** Lets a call be answered with a fault, however often it is tried. */
export const always =
  (fault: Omit<Parameters<TestSubgraph['simulator']['addFault']>[0], 'times'>) =>
  async (subgraph: TestSubgraph): Promise<void> => {
    await subgraph.simulator.addFault({ ...fault, times: ALWAYS });
  };

/** A body as Graph writes it. */
export function graphBody(code: string, message: string): Record<string, unknown> {
  return { error: { code, message, innerError: { date: '2026-11-24T10:00:00', 'request-id': 'fault' } } };
}

const OTHER_SOFTWARE = '?other-software';

/** The address of other software that uses the same app; the subgraph answers its handshake. */
export const addressOfOthers = (subgraph: TestSubgraph) =>
  `${subgraph.url}/webhooks/graph/notifications${OTHER_SOFTWARE}`;

/** Ends all that `break` did. Events, meetings and the tenant's own subscriptions stay. */
export async function repair({ simulator }: TestSubgraph): Promise<void> {
  await simulator.clearFaults();
  await simulator.load(demoWorld());
  await simulator.setSubscriptionBehaviour({});
  for (const { id, notificationUrl } of await simulator.listSubscriptions(BROKEN.directoryId)) {
    if (notificationUrl.includes(OTHER_SOFTWARE)) await simulator.loseSubscription(id);
  }
}
