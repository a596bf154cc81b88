import type {
  AppInput,
  ArtifactContentInput,
  ContentMode,
  CrossMeetingInput,
  DeletedItemsBehaviour,
  DeliveryReport,
  DirectoryInput,
  EventChangeInput,
  EventSummary,
  FaultInput,
  IfMatchBehaviour,
  JoinUrlMiss,
  LifecycleEventInput,
  LoggedRequest,
  MailboxConcurrency,
  MarkerFilterBehaviour,
  MeetingSummary,
  MeetingTookPlaceInput,
  MeetingTookPlaceResult,
  NotificationItem,
  PagingInput,
  ReleaseInput,
  SentMail,
  SubscriptionBehaviourInput,
  SubscriptionSummary,
  TransactionMemory,
  UserInput,
  WorldDescription,
} from './control-types.ts';

export type * from './control-types.ts';

/**
 * Typed client of the simulator's control API. Works from another process too, as it only uses HTTP.
 * Every method throws an `Error` with the simulator's message when the simulator refuses.
 */
export class SimulatorControl {
  readonly #baseUrl: string;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
  }

  /** Back to an empty world: no directories, faults or logged requests, real time, default behaviour. */
  reset(): Promise<void> {
    return this.#call('reset');
  }

  /** Creates or replaces everything in the description; what is not in it stays. */
  load(world: WorldDescription): Promise<void> {
    return this.#call('load', world);
  }

  /** Creates or replaces; absent fields get their defaults. The directory's apps and users stay. */
  putDirectory(directory: DirectoryInput): Promise<void> {
    return this.#call('putDirectory', directory);
  }

  /** Changes the given fields only. */
  updateDirectory(directoryId: string, change: Partial<Omit<DirectoryInput, 'id'>>): Promise<void> {
    return this.#call('updateDirectory', { directoryId, change });
  }

  /** Removes the directory, as if its organization were gone; its apps and users come back with it. */
  deleteDirectory(directoryId: string): Promise<void> {
    return this.#call('deleteDirectory', { directoryId });
  }

  /** Creates or replaces; absent fields get their defaults. Tokens already issued stay valid. */
  putApp(app: AppInput): Promise<void> {
    return this.#call('putApp', app);
  }

  /** Changes the given fields only. */
  updateApp(
    directoryId: string,
    clientId: string,
    change: Partial<Omit<AppInput, 'directoryId' | 'clientId'>>,
  ): Promise<void> {
    return this.#call('updateApp', { directoryId, clientId, change });
  }

  /** Removes the app from the directory. Tokens already issued stay valid. */
  deleteApp(directoryId: string, clientId: string): Promise<void> {
    return this.#call('deleteApp', { directoryId, clientId });
  }

  /** Creates or replaces; absent fields get their defaults. The user's events and meetings stay. */
  putUser(user: UserInput): Promise<void> {
    return this.#call('putUser', user);
  }

  /** Changes the given fields only. `user` is an object id or a userPrincipalName. */
  updateUser(directoryId: string, user: string, change: Partial<Omit<UserInput, 'directoryId' | 'id'>>): Promise<void> {
    return this.#call('updateUser', { directoryId, user, change });
  }

  /** Removes the user from the directory, as an administrator would. */
  deleteUser(directoryId: string, user: string): Promise<void> {
    return this.#call('deleteUser', { directoryId, user });
  }

  /** The events in the user's calendar, oldest first. */
  listEvents(directoryId: string, user: string): Promise<EventSummary[]> {
    return this.#call('listEvents', { directoryId, user });
  }

  /** The online meetings that the user organizes, standalone ones too, oldest first. */
  listMeetings(directoryId: string, user: string): Promise<MeetingSummary[]> {
    return this.#call('listMeetings', { directoryId, user });
  }

  /** Lets a meeting happen: makes its recordings and transcripts. Returns what was made. */
  meetingTookPlace(input: MeetingTookPlaceInput): Promise<MeetingTookPlaceResult> {
    return this.#call('meetingTookPlace', input);
  }

  /** Removes one recording or transcript, as if its file were deleted or had expired in OneDrive. */
  deleteArtifact(directoryId: string, artifactId: string): Promise<void> {
    return this.#call('deleteArtifact', { directoryId, artifactId });
  }

  /** Moves the event to another folder: its default id changes, its immutable id stays. Returns the new default id. */
  async moveEvent(directoryId: string, user: string, eventId: string): Promise<string> {
    return (await this.#call<{ id: string }>('moveEvent', { directoryId, user, eventId })).id;
  }

  /** Somebody copies an event within the calendar: new ids, the same content and extended properties. */
  copyEvent(directoryId: string, user: string, eventId: string): Promise<{ id: string }> {
    return this.#call('copyEvent', { directoryId, user, eventId });
  }

  /** The organizer deletes the event in Outlook. */
  deleteEvent(directoryId: string, user: string, eventId: string): Promise<void> {
    return this.#call('deleteEvent', { directoryId, user, eventId });
  }

  /** The organizer changes the event in Outlook; attendees are mailed. */
  changeEvent(input: EventChangeInput): Promise<void> {
    return this.#call('changeEvent', input);
  }

  /** An attendee answers the invitation, e.g. with `accepted`; this makes another version of the event. */
  respondToEvent(
    directoryId: string,
    user: string,
    eventId: string,
    attendee: string,
    response: string,
  ): Promise<void> {
    return this.#call('respondToEvent', { directoryId, user, eventId, attendee, response });
  }

  /** Forgets every delta token given so far: their use is answered with 410. */
  expireDeltaTokens(): Promise<void> {
    return this.#call('expireDeltaTokens');
  }

  /** Sets the meeting's expiry one second into the past. */
  expireMeeting(directoryId: string, meetingId: string): Promise<void> {
    return this.#call('expireMeeting', { directoryId, meetingId });
  }

  /** Invitations, updates and cancellations that Exchange would have mailed, oldest first. */
  sentMail(): Promise<SentMail[]> {
    return this.#call('sentMail');
  }

  /** The simulator's present time. */
  async now(): Promise<Date> {
    return new Date((await this.#call<{ now: string }>('now')).now);
  }

  /** Moves the clock forward (or back, when negative); it keeps running. */
  advanceClock(milliseconds: number): Promise<void> {
    return this.#call('advanceClock', { milliseconds });
  }

  /** Sets the clock to an instant; it keeps running from there. Null: real time again. */
  setClock(instant: Date | null): Promise<void> {
    return this.#call('setClock', { instant: instant?.toISOString() ?? null });
  }

  /** Adds a fault; returns its id. */
  async addFault(fault: FaultInput): Promise<number> {
    return (await this.#call<{ id: number }>('addFault', fault)).id;
  }

  /** Begins the chances of faults with a `probability` and of the order in batches; the same seed, the same sequence. */
  seedFaults(input: { seed: number }): Promise<void> {
    return this.#call('seedFaults', input);
  }

  /** Forgets all faults; calls that a fault delays go on at once. */
  clearFaults(): Promise<void> {
    return this.#call('clearFaults');
  }

  /** Logged requests to Entra, Graph and the media host, oldest first. Control calls are not logged. */
  requests(filter: { method?: string; path?: string; host?: LoggedRequest['host'] } = {}): Promise<LoggedRequest[]> {
    return this.#call('requests', filter);
  }

  /** Empties the request log and the concurrency counters' maxima. */
  clearRequests(): Promise<void> {
    return this.#call('clearRequests');
  }

  /** Concurrent Exchange calls per app and mailbox: now, and the most seen at once. */
  concurrency(): Promise<MailboxConcurrency[]> {
    return this.#call('concurrency');
  }

  setPaging(paging: PagingInput): Promise<void> {
    return this.#call('setPaging', paging);
  }

  setContentMode(mode: ContentMode): Promise<void> {
    return this.#call('setContentMode', { mode });
  }

  setArtifactContent(behaviour: ArtifactContentInput): Promise<void> {
    return this.#call('setArtifactContent', behaviour);
  }

  setCrossMeeting(behaviour: CrossMeetingInput): Promise<void> {
    return this.#call('setCrossMeeting', behaviour);
  }

  setJoinUrlMiss(answer: JoinUrlMiss): Promise<void> {
    return this.#call('setJoinUrlMiss', { answer });
  }

  setIfMatch(behaviour: IfMatchBehaviour): Promise<void> {
    return this.#call('setIfMatch', { behaviour });
  }

  setTransactionMemory(memory: TransactionMemory): Promise<void> {
    return this.#call('setTransactionMemory', { memory });
  }

  setDeletedItems(behaviour: DeletedItemsBehaviour): Promise<void> {
    return this.#call('setDeletedItems', { behaviour });
  }

  setMarkerFilter(behaviour: MarkerFilterBehaviour): Promise<void> {
    return this.#call('setMarkerFilter', behaviour);
  }

  /** The subscriptions that have not lapsed, oldest first. */
  listSubscriptions(directoryId: string): Promise<SubscriptionSummary[]> {
    return this.#call('listSubscriptions', { directoryId });
  }

  /** Microsoft loses a subscription and says nothing. */
  loseSubscription(subscriptionId: string): Promise<void> {
    return this.#call('loseSubscription', { subscriptionId });
  }

  setSubscriptionBehaviour(behaviour: SubscriptionBehaviourInput): Promise<void> {
    return this.#call('setSubscriptionBehaviour', behaviour);
  }

  /** From now on notifications are kept back until they are released. */
  holdNotifications(): Promise<void> {
    return this.#call('holdNotifications');
  }

  /** What is kept back, oldest first. */
  heldNotifications(): Promise<NotificationItem[]> {
    return this.#call('heldNotifications');
  }

  /** Sends what is kept back, and keeps nothing back any more. */
  releaseNotifications(input: ReleaseInput = {}): Promise<void> {
    return this.#call('releaseNotifications', input);
  }

  sendLifecycleEvent(input: LifecycleEventInput): Promise<void> {
    return this.#call('sendLifecycleEvent', input);
  }

  /** Waits until nothing is on its way to a subscriber; tells of every delivery since the last time. */
  deliveriesDone(): Promise<DeliveryReport[]> {
    return this.#call('deliveriesDone');
  }

  async #call<Result>(operation: string, input: object = {}): Promise<Result> {
    const response = await fetch(`${this.#baseUrl}/_simulator/${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`simulator refused ${operation}: ${JSON.stringify(answer)}`);
    return answer as Result;
  }
}
