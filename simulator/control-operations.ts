import { eventSummary, meetingSummary } from './control-summaries.ts';
import type {
  AppInput,
  ArtifactContentInput,
  ContentMode,
  CrossMeetingInput,
  DeletedItemsBehaviour,
  DirectoryInput,
  EventChangeInput,
  EventSummary,
  FaultInput,
  IfMatchBehaviour,
  JoinUrlMiss,
  MarkerFilterBehaviour,
  MeetingSummary,
  MeetingTookPlaceInput,
  PagingInput,
  TransactionMemory,
  UserInput,
  WorldDescription,
} from './control-types.ts';
import { applyEventChange, copyEvent } from './event-changes.ts';
import { mailTo } from './mail.ts';
import type { CalendarEvent, ZonedInstant } from './mailbox.ts';
import { expireDeltaTokens, moveEvent, removeEvent, touchEvent } from './mailbox.ts';
import { meetingsOf } from './meeting-store.ts';
import { notifyOfArtifacts } from './notifications.ts';
import { seededRandom } from './seeded-random.ts';
import type { Directory, User, World } from './state.ts';
import { appKey, appOf, directoryOf, findUser, mailboxOf, resetWorld, userKey, userOf } from './state.ts';
import { subscriptionOperations } from './subscription-operations.ts';
import { meetingTookPlace } from './took-place.ts';

interface OfUser {
  directoryId: string;
  user: string;
}

interface OfEvent extends OfUser {
  eventId: string;
}

/**
 * The operations of `/_simulator/{name}`: each takes the JSON that `SimulatorControl` sends and returns what it reads.
 * An `Error` becomes a 400 with its message.
 */
export const controlOperations = {
  ...subscriptionOperations,
  reset: (world: World) => resetWorld(world),
  load(world: World, input: WorldDescription) {
    for (const directory of input.directories) putDirectory(world, directory);
    for (const app of input.apps) putApp(world, app);
    for (const user of input.users) putUser(world, user);
  },
  putDirectory,
  updateDirectory(world: World, input: { directoryId: string; change: Partial<DirectoryInput> }) {
    Object.assign(directoryById(world, input.directoryId), input.change);
  },
  deleteDirectory(world: World, input: { directoryId: string }) {
    directoryById(world, input.directoryId);
    world.directories.delete(input.directoryId);
  },
  putApp,
  updateApp(world: World, input: { directoryId: string; clientId: string; change: Partial<AppInput> }) {
    const app = world.apps.get(appKey(input.directoryId, input.clientId));
    if (app === undefined) throw new Error(`no app ${input.clientId} in directory ${input.directoryId}`);
    Object.assign(app, input.change);
  },
  deleteApp(world: World, input: { directoryId: string; clientId: string }) {
    if (!world.apps.delete(appKey(input.directoryId, input.clientId))) throw new Error(`no app ${input.clientId}`);
  },
  putUser,
  updateUser(world: World, input: OfUser & { change: Partial<UserInput> }) {
    Object.assign(existingUser(world, input), input.change);
  },
  deleteUser(world: World, input: OfUser) {
    world.users.delete(userKey(existingUser(world, input)));
  },
  listEvents(world: World, input: OfUser): EventSummary[] {
    return mailboxOf(world, existingUser(world, input)).events.map((event) => eventSummary(world, event));
  },
  listMeetings(world: World, input: OfUser): MeetingSummary[] {
    const user = existingUser(world, input);
    const { events } = mailboxOf(world, user);
    return meetingsOf(world.meetings, user.directoryId, user.id).map((meeting) => meetingSummary(meeting, events));
  },
  meetingTookPlace(world: World, input: MeetingTookPlaceInput) {
    const result = meetingTookPlace(world, input);
    notifyOfArtifacts(world);
    return result;
  },
  deleteArtifact(world: World, input: { directoryId: string; artifactId: string }) {
    for (const meeting of world.meetings.byId.values()) {
      if (meeting.directoryId !== input.directoryId) continue;
      meeting.removedArtifactIds.add(input.artifactId);
      meeting.recordings = meeting.recordings.filter((one) => one.id !== input.artifactId);
      meeting.transcripts = meeting.transcripts.filter((one) => one.id !== input.artifactId);
    }
  },
  moveEvent(world: World, input: OfEvent): { id: string } {
    const { user, event } = existingEvent(world, input);
    moveEvent(mailboxOf(world, user), event, world.clock.now());
    return { id: event.defaultId };
  },
  deleteEvent(world: World, input: OfEvent) {
    const { user, event } = existingEvent(world, input);
    mailTo(world, user, event, event.attendees, 'cancellation');
    removeEvent(mailboxOf(world, user), event);
  },
  copyEvent(world: World, input: OfEvent): { id: string } {
    const { user, event } = existingEvent(world, input);
    return { id: copyEvent(world, user, event).immutableId };
  },
  respondToEvent(world: World, input: OfEvent & { attendee: string; response: string }) {
    const { user, event } = existingEvent(world, input);
    const attendee = event.attendees.find((one) => one.address.toLowerCase() === input.attendee.toLowerCase());
    if (attendee === undefined) throw new Error(`no attendee ${input.attendee}`);
    attendee.response = input.response;
    attendee.respondedAt = world.clock.now();
    touchEvent(mailboxOf(world, user), event, attendee.respondedAt);
  },
  changeEvent(world: World, input: EventChangeInput) {
    const { user, event } = existingEvent(world, input);
    applyEventChange(world, user, event, {
      plain: {},
      subject: input.subject,
      start: movedTo(event.start, input.startsAt),
      end: movedTo(event.end, input.endsAt),
    });
  },
  expireDeltaTokens(world: World) {
    for (const mailbox of world.mailboxes.values()) expireDeltaTokens(mailbox);
    world.artifactPlaces.clear();
  },
  expireMeeting(world: World, input: { directoryId: string; meetingId: string }) {
    const meeting = world.meetings.byId.get(input.meetingId);
    if (meeting?.directoryId !== input.directoryId) throw new Error(`no meeting ${input.meetingId}`);
    meeting.expiresAt = new Date(world.clock.now().getTime() - 1000);
  },
  sentMail: (world: World) => world.sentMail,
  now: (world: World) => ({ now: world.clock.now().toISOString() }),
  advanceClock(world: World, input: { milliseconds: number }) {
    world.clock.advance(input.milliseconds);
    notifyOfArtifacts(world);
  },
  setClock(world: World, input: { instant: string | null }) {
    world.clock.set(input.instant === null ? null : new Date(input.instant));
    notifyOfArtifacts(world);
  },
  addFault: (world: World, input: FaultInput) => ({ id: world.faults.add(input) }),
  seedFaults(world: World, input: { seed: number }) {
    world.faults.seed(input.seed);
    world.batchOrder = seededRandom(input.seed);
  },
  clearFaults: (world: World) => world.faults.clear(),
  requests: (world: World, input: { method?: string; path?: string; host?: string }) => world.log.list(input),
  clearRequests(world: World) {
    world.log.clear();
    world.concurrency.clearMaxima();
  },
  concurrency: (world: World) => world.concurrency.list(),
  setPaging(world: World, input: PagingInput) {
    world.behaviour.paging = input;
  },
  setContentMode(world: World, input: { mode: ContentMode }) {
    world.behaviour.contentMode = input.mode;
  },
  setArtifactContent(world: World, input: ArtifactContentInput) {
    world.behaviour.artifactContent = input;
  },
  setCrossMeeting(world: World, input: CrossMeetingInput) {
    world.behaviour.crossMeeting = input;
  },
  setJoinUrlMiss(world: World, input: { answer: JoinUrlMiss }) {
    world.behaviour.joinUrlMiss = input.answer;
  },
  setIfMatch(world: World, input: { behaviour: IfMatchBehaviour }) {
    world.behaviour.ifMatch = input.behaviour;
  },
  setTransactionMemory(world: World, input: { memory: TransactionMemory }) {
    world.behaviour.transactionMemory = input.memory;
  },
  setDeletedItems(world: World, input: { behaviour: DeletedItemsBehaviour }) {
    world.behaviour.deletedItems = input.behaviour;
  },
  setMarkerFilter(world: World, input: MarkerFilterBehaviour) {
    world.behaviour.markerFilter = input;
  },
};

function putDirectory(world: World, input: DirectoryInput): void {
  world.directories.set(input.id, directoryOf(input));
}

function putApp(world: World, input: AppInput): void {
  directoryById(world, input.directoryId);
  world.apps.set(appKey(input.directoryId, input.clientId), appOf(input));
}

function putUser(world: World, input: UserInput): void {
  directoryById(world, input.directoryId);
  world.users.set(userKey(input), userOf(input));
}

function directoryById(world: World, id: string): Directory {
  const directory = world.directories.get(id);
  if (directory === undefined) throw new Error(`no directory ${id}`);
  return directory;
}

function existingUser(world: World, input: OfUser): User {
  const user = findUser(world, input.directoryId, input.user);
  if (user === undefined) throw new Error(`no user ${input.user} in directory ${input.directoryId}`);
  return user;
}

function existingEvent(world: World, input: OfEvent): { user: User; event: CalendarEvent } {
  const user = existingUser(world, input);
  const event = mailboxOf(world, user).byId.get(input.eventId);
  if (event === undefined) throw new Error(`no event ${input.eventId}`);
  return { user, event };
}

/** The new time in the zone in which the event stands. */
function movedTo(before: ZonedInstant, time: string | undefined): ZonedInstant | undefined {
  if (time === undefined) return undefined;
  const instant = new Date(time);
  if (Number.isNaN(instant.getTime())) throw new Error(`${time} is no time`);
  return { instant, timeZone: before.timeZone };
}
