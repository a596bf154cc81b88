import type {
  AppInput,
  ContentMode,
  DirectoryInput,
  EventChange,
  EventSummary,
  FaultInput,
  IfMatch,
  JoinUrlMiss,
  MarkerFilter,
  MeetingSummary,
  MeetingTookPlaceInput,
  PagingInput,
  TransactionMemory,
  UserInput,
  WorldDescription,
} from './control-types.ts';
import { applyEventChange } from './event-changes.ts';
import { mailTo } from './mail.ts';
import type { CalendarEvent } from './mailbox.ts';
import { moveEvent, removeEvent, touch } from './mailbox.ts';
import type { OnlineMeeting } from './meeting-store.ts';
import { meetingsOf } from './meeting-store.ts';
import type { Directory, User, World } from './state.ts';
import { appKey, appOf, directoryOf, findUser, mailboxOf, resetWorld, userKey, userOf } from './state.ts';
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
  putApp,
  updateApp(world: World, input: { directoryId: string; clientId: string; change: Partial<AppInput> }) {
    const app = world.apps.get(appKey(input.directoryId, input.clientId));
    if (app === undefined) throw new Error(`no app ${input.clientId} in directory ${input.directoryId}`);
    Object.assign(app, input.change);
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
  meetingTookPlace: (world: World, input: MeetingTookPlaceInput) => meetingTookPlace(world, input),
  deleteArtifact(world: World, input: { directoryId: string; artifactId: string }) {
    for (const meeting of world.meetings.byId.values()) {
      if (meeting.directoryId !== input.directoryId) continue;
      meeting.recordings = meeting.recordings.filter((one) => one.id !== input.artifactId);
      meeting.transcripts = meeting.transcripts.filter((one) => one.id !== input.artifactId);
    }
  },
  moveEvent(world: World, input: OfEvent): { id: string } {
    const { user, event } = existingEvent(world, input);
    moveEvent(mailboxOf(world, user), event);
    return { id: event.defaultId };
  },
  deleteEvent(world: World, input: OfEvent) {
    const { user, event } = existingEvent(world, input);
    mailTo(world, user, event, event.attendees, 'cancellation');
    removeEvent(mailboxOf(world, user), event);
  },
  changeEvent(world: World, input: OfEvent & { change: EventChange }) {
    const { user, event } = existingEvent(world, input);
    const { subject, startsAt, endsAt } = input.change;
    const at = (text: string) => ({ instant: new Date(text), timeZone: 'UTC' });
    applyEventChange(world, user, event, {
      ...(subject === undefined ? {} : { subject }),
      ...(startsAt === undefined ? {} : { start: at(startsAt) }),
      ...(endsAt === undefined ? {} : { end: at(endsAt) }),
      plain: {},
    });
  },
  respondToEvent(world: World, input: OfEvent & { attendee: string; response: string }) {
    const { user, event } = existingEvent(world, input);
    const attendee = event.attendees.find((one) => one.address.toLowerCase() === input.attendee.toLowerCase());
    if (attendee === undefined) throw new Error(`no attendee ${input.attendee}`);
    attendee.response = input.response;
    attendee.respondedAt = world.clock.now();
    touch(mailboxOf(world, user), event);
  },
  expireMeeting(world: World, input: { directoryId: string; meetingId: string }) {
    const meeting = world.meetings.byId.get(input.meetingId);
    if (meeting?.directoryId !== input.directoryId) throw new Error(`no meeting ${input.meetingId}`);
    meeting.expiresAt = new Date(world.clock.now().getTime() - 1000);
  },
  sentMail: (world: World) => world.sentMail,
  now: (world: World) => ({ now: world.clock.now().toISOString() }),
  advanceClock: (world: World, input: { milliseconds: number }) => world.clock.advance(input.milliseconds),
  setClock(world: World, input: { instant: string | null }) {
    world.clock.set(input.instant === null ? null : new Date(input.instant));
  },
  addFault: (world: World, input: FaultInput) => ({ id: world.faults.add(input) }),
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
  seedFaults: (world: World, input: { seed: number }) => world.faults.seed(input.seed),
  expireDeltaTokens(world: World) {
    world.behaviour.deltaEpoch += 1;
  },
  setMarkerFilter(world: World, input: { mode: MarkerFilter }) {
    world.behaviour.markerFilter = input.mode;
  },
  setIfMatch(world: World, input: { mode: IfMatch }) {
    world.behaviour.ifMatch = input.mode;
  },
  setTransactionMemory(world: World, input: { mode: TransactionMemory }) {
    world.behaviour.transactionMemory = input.mode;
  },
  setContentMode(world: World, input: { mode: ContentMode }) {
    world.behaviour.contentMode = input.mode;
  },
  setJoinUrlMiss(world: World, input: { answer: JoinUrlMiss }) {
    world.behaviour.joinUrlMiss = input.answer;
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

/** Ids are kept in lower case; these are the names as they are written. */
const NAMES: Record<string, string> = { tenantid: 'TenantId', meetingid: 'MeetingId' };

function eventSummary(world: World, event: CalendarEvent): EventSummary {
  return {
    id: event.defaultId,
    immutableId: event.immutableId,
    iCalUId: event.iCalUId,
    subject: event.subject,
    startsAt: event.start.instant.toISOString(),
    endsAt: event.end.instant.toISOString(),
    attendees: event.attendees.map(({ address, name, response }) => ({ address, name, response })),
    isOnlineMeeting: event.isOnlineMeeting,
    joinUrl: world.meetings.byId.get(event.meetingId ?? '')?.joinWebUrl ?? null,
    meetingId: event.meetingId,
    transactionId: event.transactionId,
    extended: Object.fromEntries(
      event.extended.map(({ id, value }) => [NAMES[id.split(' ').at(-1) ?? ''] ?? id, value]),
    ),
    bodyHtml: event.bodyHtml,
  };
}

function meetingSummary(meeting: OnlineMeeting, events: CalendarEvent[]): MeetingSummary {
  return {
    id: meeting.id,
    organizerId: meeting.organizerId,
    eventId: events.find((event) => event.meetingId === meeting.id)?.defaultId ?? null,
    subject: meeting.subject,
    joinWebUrl: meeting.joinWebUrl,
    startsAt: meeting.startsAt.toISOString(),
    endsAt: meeting.endsAt.toISOString(),
    expiresAt: meeting.expiresAt.toISOString(),
    recordingIds: meeting.recordings.map((one) => one.id),
    transcriptIds: meeting.transcripts.map((one) => one.id),
  };
}
