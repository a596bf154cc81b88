import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphClient, GraphEvent } from '../../graph/types.ts';
import { explain, type StoredFailure, toStoredFailure } from '../failures.ts';
import type { ServiceTools } from '../scope.ts';
import { draftEvent } from './event-draft.ts';
import type { Meeting, StoredAttendee } from './meeting.ts';
import { PROVISION_BUDGET_MS } from './meeting-store.ts';

/** What Microsoft made of a meeting; written in one update. */
export interface Outcome {
  status: 'SCHEDULED' | 'FAILED';
  joinUrl: string | null;
  graphEventId: string | null;
  iCalUid: string | null;
  graphOnlineMeetingId: string | null;
  failure: StoredFailure | null;
  /** A new id, when the old one belongs to an event that is gone. */
  transactionId?: string;
}

const FAILED = {
  status: 'FAILED',
  joinUrl: null,
  graphEventId: null,
  iCalUid: null,
  graphOnlineMeetingId: null,
} as const;

/** Everything that the calls for one meeting share. */
interface Provisioning {
  graph: GraphClient;
  organizerId: string;
  meeting: Meeting;
  attendees: StoredAttendee[];
  sendInvites: boolean;
}

interface MadeEvent {
  event: GraphEvent;
  transactionId?: string;
}

/**
 * Creates the event, or brings the one that an earlier try made to the wanted state. Whether Exchange remembers the
 * transaction of an event that was deleted since is not documented: if it does, a new transaction makes a new event.
 */
async function createOrAdopt(wanted: Provisioning, tools: ServiceTools, signal: AbortSignal): Promise<MadeEvent> {
  const { graph, organizerId } = wanted;
  const draft = draftEvent(wanted.meeting, wanted.attendees, wanted.sendInvites);
  try {
    return { event: await graph.events.create(organizerId, draft, { signal }) };
  } catch (error) {
    if (!(error instanceof GraphRequestError) || error.kind !== 'DUPLICATE_TRANSACTION') throw error;
    if (error.existingEventId === null) throw error;
    const { subject, startsAt, endsAt, attendees } = draft;
    try {
      const change = { subject, startsAt, endsAt, attendees };
      return { event: await graph.events.update(organizerId, error.existingEventId, change, { signal }) };
    } catch (gone) {
      if (!(gone instanceof GraphRequestError) || gone.kind !== 'NOT_FOUND') throw gone;
      const transactionId = tools.newId();
      return { event: await graph.events.create(organizerId, { ...draft, transactionId }, { signal }), transactionId };
    }
  }
}

/** Makes the meeting at Microsoft, within the budget, and tells what came of it; never throws for what Microsoft did. */
export async function provisionMeeting(wanted: Provisioning, tools: ServiceTools): Promise<Outcome> {
  const { graph, organizerId } = wanted;
  const signal = AbortSignal.timeout(PROVISION_BUDGET_MS);
  const failed = (code: StoredFailure['code'], message: string, remedy: string): StoredFailure => ({
    code,
    message,
    remedy,
    occurredAt: tools.clock().toISOString(),
    graphRequestId: null,
  });

  /** The id under which Teams keeps recordings and transcripts. Not having it yet does not fail the meeting. */
  async function findOnlineMeetingId(joinUrl: string): Promise<string | null> {
    try {
      return (await graph.onlineMeetings.findByJoinUrl(organizerId, joinUrl, { signal }))?.id ?? null;
    } catch (error) {
      if (signal.aborted) return null;
      const { kind, graphRequestId } = explain(error);
      const fields = { meetingId: wanted.meeting.id, kind, graphRequestId };
      tools.logger.warn(fields, '[TeamsMeetings] operation=create the online meeting id was not resolved');
      return null;
    }
  }

  try {
    const { event, ...renewed } = await createOrAdopt(wanted, tools, signal);
    if (!event.isOnlineMeeting) {
      await graph.events.delete(organizerId, event.id, { signal });
      const failure = failed(
        'MAILBOX_UNAVAILABLE',
        'Exchange made the event without a Teams meeting, so it was removed again: Teams is not available to the organizer.',
        'Assign a Teams licence to the organizer and allow Teams as online meeting provider for the mailbox.',
      );
      return { ...FAILED, failure, transactionId: tools.newId() };
    }
    const made = { graphEventId: event.id, iCalUid: event.iCalUId, ...renewed };
    if (event.joinUrl === null) {
      const failure = failed(
        'GRAPH_UNAVAILABLE',
        'Microsoft made the meeting but has not told its join link yet.',
        'Try again in a minute: the same meeting is used.',
      );
      return { ...FAILED, ...made, failure };
    }
    const graphOnlineMeetingId = await findOnlineMeetingId(event.joinUrl);
    return { ...made, status: 'SCHEDULED', joinUrl: event.joinUrl, graphOnlineMeetingId, failure: null };
  } catch (error) {
    if (!signal.aborted || error instanceof GraphRequestError) {
      return { ...FAILED, failure: toStoredFailure(error, tools.clock()) };
    }
    const failure = failed(
      'GRAPH_UNAVAILABLE',
      'Microsoft did not answer in time.',
      'Try again in a minute: what Microsoft may have made already is found and used.',
    );
    return { ...FAILED, failure };
  }
}
