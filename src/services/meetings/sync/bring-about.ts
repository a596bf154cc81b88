import { GraphRequestError } from '../../../graph/errors.ts';
import type { EventMarkers, GraphClient, GraphEvent } from '../../../graph/types.ts';
import type { StoredFailure, UserError } from '../../failures.ts';
import { explain } from '../../failures.ts';
import type { Scope, ServiceTools } from '../../scope.ts';
import type { Organizer } from '../../settings/capability.ts';
import { draftEvent } from '../event-draft.ts';
import { isCancelled, isUnread, type Meeting } from '../meeting.ts';
import { type Claim, leaseOf, SupersededError } from './claim.ts';
import { changeOf, contentOf, type EventContent } from './event-difference.ts';
import { LATE_CREATE_MS } from './limits.ts';
import type { Verdict } from './retry-policy.ts';

/** What the meeting is for, as its event tells whoever has lost the row. */
function subjectOf({ appointmentId, interactionId }: Meeting): string {
  return appointmentId === null ? `interaction:${interactionId}` : `appointment:${appointmentId}`;
}

/** What is known of the event at Microsoft. Kept even when a later call fails. */
export type Progress = Pick<
  Meeting,
  | 'graphEventId'
  | 'iCalUid'
  | 'joinUrl'
  | 'graphOnlineMeetingId'
  | 'transactionId'
  | 'createUnconfirmed'
  | 'lateCreateUntil'
  | 'organizerUpn'
  | 'organizerObjectId'
  | 'organizerDisplayName'
>;

/** What came of a try that no call failed. */
export type Outcome =
  | {
      kind: 'scheduled';
      event: GraphEvent;
      previousJoinUrl: string | null;
      /** What was read from the event instead of being written to it. */
      read: EventContent | null;
    }
  | { kind: 'cancelled'; reason: string | null; lookAgain: boolean };

/** A try that ended without a failing call and without the wanted result. */
export class SyncFailure extends Error {
  override readonly name = 'SyncFailure';
  readonly verdict: Verdict;
  readonly failure: Omit<StoredFailure, 'occurredAt'>;

  constructor(verdict: Verdict, { code, message, remedy }: UserError) {
    super(message);
    this.verdict = verdict;
    this.failure = { code, message, remedy: remedy ?? null, graphRequestId: null };
  }
}

export interface BringAboutDeps {
  graph: GraphClient;
  /** The organizer that new meetings get, or why there can be none. */
  organizer: () => Promise<Organizer | UserError>;
}

/** One try a call: between two the row is read again, so that nothing is sent which is no longer wanted. */
const ONCE = { maxTries: 1 };

/** People may have it in their calendars, so it is not for us to remove it. */
const IMPORTED_WITHOUT_TEAMS: UserError = {
  code: 'MAILBOX_UNAVAILABLE',
  message: 'The imported event has no Teams meeting.',
  remedy: 'Cancel this meeting, which removes the event as well, and create a new one.',
};

const DELETED_IN_OUTLOOK = 'The event was deleted in Outlook.';

function isKind(error: unknown, kind: GraphRequestError['kind']): error is GraphRequestError {
  return error instanceof GraphRequestError && error.kind === kind;
}

function isGone(error: unknown): boolean {
  return error instanceof GraphRequestError && error.isItemGone;
}

/**
 * Brings the organizer's calendar to what the claimed meeting wants, however far an earlier try came. `progress` is
 * kept up to date with what is known of the event, for the caller to store whatever happens.
 *
 * @throws GraphRequestError, SyncFailure, or SupersededError as soon as something else is wanted
 */
export function bringAbout(
  scope: Scope,
  tools: ServiceTools,
  { graph, organizer }: BringAboutDeps,
  { meeting, attendees, token }: Claim,
  progress: Progress,
): Promise<Outcome> {
  const markers: EventMarkers = { tenantId: scope.db.tenantId, meetingId: meeting.id, subject: subjectOf(meeting) };
  const mailbox = () => progress.organizerObjectId ?? progress.organizerUpn;
  const wanted = attendees.filter(({ isRemoved }) => !isRemoved);

  /** Holds the lease on, and makes sure right before a change is sent that it is still wanted. */
  async function fence(data: Partial<Progress> = {}): Promise<void> {
    const { count } = await scope.db.run((prisma) =>
      prisma.onlineMeeting.updateMany({
        where: { id: meeting.id, leaseToken: token, version: meeting.version },
        data: { ...leaseOf(tools, token), ...data },
      }),
    );
    if (count === 0) throw new SupersededError();
    Object.assign(progress, data);
  }

  function learn(event: GraphEvent): void {
    progress.graphEventId = event.id;
    progress.iCalUid = event.iCalUId ?? progress.iCalUid;
    progress.createUnconfirmed = false;
  }

  /** A create that was not answered may come through after all, also once its event was found, made again or removed. */
  const lateCreateUntil = () => new Date(tools.clock().getTime() + LATE_CREATE_MS);

  /** Whether to look once more, later, for what is not there now. */
  function mayComeLate(): boolean {
    progress.createUnconfirmed = progress.lateCreateUntil !== null && tools.clock() < progress.lateCreateUntil;
    return progress.createUnconfirmed;
  }

  /** What an earlier try made whose answer never came. More than one cannot be, but would be put right. */
  async function findEarlier(): Promise<GraphEvent | null> {
    const found = await graph.events.findByMeeting(mailbox(), markers, ONCE);
    const [first, ...more] = found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    if (more.length > 0) await fence();
    for (const event of more) await graph.events.delete(mailbox(), event.id, ONCE);
    return first ?? null;
  }

  async function sendCreate(): Promise<GraphEvent> {
    const wasUnconfirmed = progress.createUnconfirmed;
    await fence({ createUnconfirmed: true });
    try {
      const draft = draftEvent({ ...meeting, transactionId: progress.transactionId }, wanted, meeting.sendsInvites);
      return await graph.events.create(mailbox(), { ...draft, markers }, ONCE);
    } catch (error) {
      if (error instanceof GraphRequestError && !error.mayHaveWorked) progress.createUnconfirmed = wasUnconfirmed;
      throw error;
    }
  }

  /** Null also for an event that was cancelled: it lies in Deleted Items and is no meeting any more. */
  async function readUnlessGone(eventId: string): Promise<GraphEvent | null> {
    try {
      const event = await graph.events.get(mailbox(), eventId, ONCE);
      return event.isCancelled ? null : event;
    } catch (error) {
      if (!isGone(error)) throw error;
      return null;
    }
  }

  /** Exchange answers a repeated create with the first event, or names it (Microsoft Learn: resources/event). */
  async function create(): Promise<GraphEvent> {
    try {
      return await sendCreate();
    } catch (error) {
      if (!isKind(error, 'DUPLICATE_TRANSACTION') || error.existingEventId === null) throw error;
      const existing = await readUnlessGone(error.existingEventId);
      if (existing !== null) return existing;
      // The event of that transaction was deleted since, and Exchange still remembers it.
      await fence({ transactionId: tools.newId() });
      return sendCreate();
    }
  }

  /** Before anything was sent, the meeting belongs to whoever organizes today. */
  async function makeEvent(): Promise<GraphEvent> {
    if (progress.createUnconfirmed) {
      progress.lateCreateUntil = lateCreateUntil();
      const earlier = await findEarlier();
      if (earlier !== null) return earlier;
    } else {
      const today = await organizer();
      if ('code' in today) throw new SyncFailure('person', today);
      await fence({
        organizerUpn: today.upn,
        organizerObjectId: today.objectId,
        organizerDisplayName: today.displayName,
      });
    }
    return create();
  }

  /** Changes of attendees' answers change the event too: what was read may be stale when the change is sent. */
  async function change(current: GraphEvent, read: EventContent | null): Promise<GraphEvent> {
    // An event without a subject keeps that, though the row has to have one.
    const wish = read === null ? meeting : { ...meeting, ...read, subject: current.subject };
    const difference = changeOf(current, wish, attendees);
    if (difference === null) return current;
    await fence();
    const ifMatch = current.etag === null ? {} : { ifMatch: current.etag };
    return graph.events.update(mailbox(), current.id, difference, { ...ONCE, ...ifMatch });
  }

  async function refuseWithoutTeams(event: GraphEvent): Promise<never> {
    // First the row forgets the event: should the answer be lost, its absence is not taken for somebody's deletion.
    await fence({ graphEventId: null, iCalUid: null, transactionId: tools.newId(), createUnconfirmed: true });
    await graph.events.delete(mailbox(), event.id, ONCE);
    progress.createUnconfirmed = false;
    throw new SyncFailure('person', {
      code: 'MAILBOX_UNAVAILABLE',
      message:
        'Exchange made the event without a Teams meeting, so it was removed again: Teams is not available to the organizer.',
      remedy: 'Assign a Teams licence to the organizer and allow Teams as online meeting provider for the mailbox.',
    });
  }

  /** The id under which Teams keeps recordings and transcripts. Not having it yet does not fail the meeting. */
  async function findOnlineMeetingId(joinUrl: string): Promise<void> {
    if (progress.graphOnlineMeetingId !== null) return;
    try {
      const found = await graph.onlineMeetings.findByJoinUrl(mailbox(), joinUrl, ONCE);
      progress.graphOnlineMeetingId = found?.id ?? null;
    } catch (error) {
      const { kind, graphRequestId } = explain(error);
      const fields = { tenantId: scope.db.tenantId, meetingId: meeting.id, kind, graphRequestId };
      tools.logger.warn(
        fields,
        `[TeamsMeetings] operation=${meeting.operation} the online meeting id was not resolved`,
      );
    }
  }

  async function schedule(): Promise<Outcome> {
    const previousJoinUrl = progress.joinUrl;
    let event: GraphEvent;
    if (progress.graphEventId === null) {
      event = await makeEvent();
      learn(event);
    } else {
      const known = await readUnlessGone(progress.graphEventId);
      if (known === null) return { kind: 'cancelled', reason: DELETED_IN_OUTLOOK, lookAgain: false };
      event = known;
      // An imported meeting may have the id that changes when its event is moved to another folder.
      progress.graphEventId = event.id;
      progress.iCalUid ??= event.iCalUId;
    }
    const read = isUnread(meeting) ? contentOf(event, meeting) : null;
    if (!event.isOnlineMeeting && progress.joinUrl === null) {
      if (read !== null) throw new SyncFailure('person', IMPORTED_WITHOUT_TEAMS);
      return refuseWithoutTeams(event);
    }
    event = await change(event, read);
    progress.joinUrl = event.joinUrl ?? progress.joinUrl;
    if (progress.joinUrl === null) {
      throw new SyncFailure('transient', {
        code: 'GRAPH_UNAVAILABLE',
        message: 'Microsoft made the meeting but has not told its join link yet.',
      });
    }
    await findOnlineMeetingId(progress.joinUrl);
    return { kind: 'scheduled', event, previousJoinUrl, read };
  }

  async function remove(eventId: string): Promise<void> {
    if (wanted.length === 0 || !meeting.sendsInvites) return graph.events.delete(mailbox(), eventId, ONCE);
    try {
      await graph.events.cancel(mailbox(), eventId, meeting.cancelReason, ONCE);
    } catch (error) {
      // Exchange cancels only what has attendees; somebody may have taken them off in Outlook.
      if (!isKind(error, 'INVALID_REQUEST')) throw error;
      await graph.events.delete(mailbox(), eventId, ONCE);
    }
  }

  async function cancel(): Promise<Outcome> {
    const cancelled = { kind: 'cancelled', reason: meeting.cancelReason } as const;
    // What was removed before is not what a late create makes.
    const isLookingAgain = meeting.status === 'CANCELLED';
    let eventId = isLookingAgain ? null : progress.graphEventId;
    if (eventId === null && progress.createUnconfirmed) {
      progress.lateCreateUntil ??= lateCreateUntil();
      eventId = (await findEarlier())?.id ?? null;
    }
    if (eventId !== null) {
      await fence();
      await remove(eventId);
    }
    return { ...cancelled, lookAgain: mayComeLate() };
  }

  return isCancelled(meeting) ? cancel() : schedule();
}
