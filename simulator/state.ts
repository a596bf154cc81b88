import { randomUUID } from 'node:crypto';
import { Clock } from './clock.ts';
import { ConcurrencyMeter } from './concurrency.ts';
import type {
  AppInput,
  ArtifactContentInput,
  ContentMode,
  CrossMeetingInput,
  DeletedItemsBehaviour,
  DirectoryInput,
  IfMatchBehaviour,
  JoinUrlMiss,
  MarkerFilterBehaviour,
  PagingInput,
  SentMail,
  TransactionMemory,
  UserInput,
} from './control-types.ts';
import { FaultList } from './faults.ts';
import type { Mailbox } from './mailbox.ts';
import { createMailbox } from './mailbox.ts';
import type { ArtifactPlace, MeetingStore } from './meeting-store.ts';
import { createMeetingStore } from './meeting-store.ts';
import { DeliveryService } from './notification-delivery.ts';
import { RequestLog } from './request-log.ts';
import { seededRandom } from './seeded-random.ts';
import {
  type AddressedNotification,
  type Subscription,
  type SubscriptionBehaviour,
  USUAL_SUBSCRIPTION_BEHAVIOUR,
} from './subscription-types.ts';

export type Directory = Required<DirectoryInput>;
export type App = Required<AppInput> & { servicePrincipalId: string };
export type User = Required<UserInput>;

/** How the simulated services behave where Microsoft's vary. */
export interface Behaviour {
  paging: PagingInput;
  contentMode: ContentMode;
  joinUrlMiss: JoinUrlMiss;
  ifMatch: IfMatchBehaviour;
  transactionMemory: TransactionMemory;
  deletedItems: DeletedItemsBehaviour;
  markerFilter: MarkerFilterBehaviour;
  artifactContent: ArtifactContentInput;
  crossMeeting: CrossMeetingInput;
  subscriptions: SubscriptionBehaviour;
}

/** Everything the simulator knows. One per running simulator; `resetWorld` empties it in place. */
export interface World {
  clock: Clock;
  directories: Map<string, Directory>;
  /** By `appKey`. */
  apps: Map<string, App>;
  /** By `userKey`. */
  users: Map<string, User>;
  /** By `userKey`. */
  mailboxes: Map<string, Mailbox>;
  meetings: MeetingStore;
  /** By id. */
  subscriptions: Map<string, Subscription>;
  deliveries: DeliveryService;
  /** What is kept back from subscribers; null: nothing is. */
  heldNotifications: AddressedNotification[] | null;
  faults: FaultList;
  log: RequestLog;
  concurrency: ConcurrencyMeter;
  sentMail: SentMail[];
  /** Where lists over all of an organizer's meetings stand, by token. */
  artifactPlaces: Map<string, ArtifactPlace>;
  /** Chances by which the answers of a batch are ordered. */
  batchOrder: () => number;
  behaviour: Behaviour;
  /** Port of the second host; set once it listens. */
  mediaPort: number;
}

function emptyContents(): Omit<World, 'mediaPort'> {
  return {
    clock: new Clock(),
    directories: new Map(),
    apps: new Map(),
    users: new Map(),
    mailboxes: new Map(),
    meetings: createMeetingStore(),
    subscriptions: new Map(),
    deliveries: new DeliveryService(),
    heldNotifications: null,
    faults: new FaultList(),
    log: new RequestLog(),
    concurrency: new ConcurrencyMeter(),
    sentMail: [],
    artifactPlaces: new Map(),
    batchOrder: seededRandom(1),
    behaviour: {
      paging: {},
      contentMode: 'range',
      joinUrlMiss: 'empty',
      ifMatch: 'checked',
      transactionMemory: 'untilDeleted',
      deletedItems: 'gone',
      markerFilter: { combined: 'served' },
      artifactContent: {},
      crossMeeting: {},
      subscriptions: USUAL_SUBSCRIPTION_BEHAVIOUR,
    },
  };
}

export function createWorld(): World {
  return { ...emptyContents(), mediaPort: 0 };
}

/** Forgets everything but the port. Calls under way end in the old contents. */
export function resetWorld(world: World): void {
  world.faults.clear();
  world.deliveries.stop();
  Object.assign(world, emptyContents());
}

export function appKey(directoryId: string, clientId: string): string {
  return `${directoryId}/${clientId}`;
}

export function userKey(user: { directoryId: string; id: string }): string {
  return `${user.directoryId}/${user.id}`;
}

export function directoryOf(input: DirectoryInput): Directory {
  return {
    displayName: input.domain,
    graphTranscriptAccess: false,
    attributedTranscripts: false,
    globalTeamsPolicyAppIds: [],
    ...input,
  };
}

export function appOf(input: AppInput): App {
  return {
    displayName: 'PSA meetings',
    secrets: [],
    certificates: [],
    roles: [],
    disabled: false,
    tokenLifetimeSeconds: 3599,
    ...input,
    servicePrincipalId: randomUUID(),
  };
}

export function userOf(input: UserInput): User {
  return {
    displayName: input.userPrincipalName,
    mail: input.userPrincipalName,
    accountEnabled: true,
    hasMailbox: true,
    teamsEnabled: true,
    teamsPolicyAppIds: 'global',
    exchangeScopeAppIds: 'every',
    exchangeRoleAppIds: [],
    joinUrlDelayGets: 0,
    joinUrlFormat: 'classic',
    ...input,
  };
}

/** Entra finds a directory by its id or one of its domains. */
export function findDirectory(world: World, idOrDomain: string): Directory | undefined {
  const wanted = idOrDomain.toLowerCase();
  return (
    world.directories.get(wanted) ?? [...world.directories.values()].find((one) => one.domain.toLowerCase() === wanted)
  );
}

/** Finds a user by object id or userPrincipalName, both without regard to case. */
export function findUser(world: World, directoryId: string, idOrUpn: string): User | undefined {
  const wanted = idOrUpn.toLowerCase();
  const byId = world.users.get(userKey({ directoryId, id: wanted }));
  if (byId !== undefined) return byId;
  return [...world.users.values()].find(
    (user) => user.directoryId === directoryId && user.userPrincipalName.toLowerCase() === wanted,
  );
}

/** The user's mailbox, made on first use. */
export function mailboxOf(world: World, user: { directoryId: string; id: string }): Mailbox {
  const key = userKey(user);
  const existing = world.mailboxes.get(key);
  if (existing !== undefined) return existing;
  const mailbox = createMailbox();
  world.mailboxes.set(key, mailbox);
  return mailbox;
}
