import { Prisma } from '../../generated/prisma/client.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphClient, GraphEvent } from '../../graph/types.ts';
import { appendAudit } from '../audit/audit.ts';
import { explain, type StoredFailure, toStoredFailure, type UserError } from '../failures.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { CapabilityService } from '../settings/capability.ts';
import type { SettingsService } from '../settings/settings.ts';
import { draftEvent } from './event-draft.ts';
import { failureOf, type Meeting, type StoredAttendee } from './meeting.ts';
import { type CreateMeetingInput, checkMeetingInput } from './meeting-input.ts';
import { acceptIntent } from './meeting-store.ts';

export interface CreateMeetingResult {
  meeting: Meeting | null;
  userErrors: UserError[];
}

export type CreateMeeting = (scope: Scope, input: CreateMeetingInput) => Promise<CreateMeetingResult>;

/** What Microsoft made of a meeting; written in one update. */
interface Outcome {
  status: 'SCHEDULED' | 'FAILED';
  joinUrl: string | null;
  graphEventId: string | null;
  iCalUid: string | null;
  graphOnlineMeetingId: string | null;
  failure: StoredFailure | null;
  /** A new id for the next try, when the old one belongs to an event that we deleted. */
  transactionId?: string;
}

const FAILED = {
  status: 'FAILED',
  joinUrl: null,
  graphEventId: null,
  iCalUid: null,
  graphOnlineMeetingId: null,
} as const;

function toUserErrors(failure: StoredFailure | null): UserError[] {
  if (failure === null) return [];
  const { code, message, remedy } = failure;
  return [{ code, message, ...(remedy === null ? {} : { remedy }) }];
}

/** Creates the event, or brings the one that an earlier try made to the wanted state. */
async function createOrAdopt(
  graph: GraphClient,
  organizerId: string,
  meeting: Meeting,
  attendees: StoredAttendee[],
  sendInvites: boolean,
): Promise<GraphEvent> {
  const draft = draftEvent(meeting, attendees, sendInvites);
  try {
    return await graph.events.create(organizerId, draft);
  } catch (error) {
    if (
      !(error instanceof GraphRequestError) ||
      error.kind !== 'DUPLICATE_TRANSACTION' ||
      error.existingEventId === null
    )
      throw error;
    const { subject, startsAt, endsAt } = draft;
    return graph.events.update(organizerId, error.existingEventId, {
      subject,
      startsAt,
      endsAt,
      attendees: draft.attendees,
    });
  }
}

/**
 * Makes the mutation `createTeamsMeeting`: the intent is stored, the calendar-backed event is created with a
 * transaction id, and the outcome is stored. Whatever happens in between, calling it again with the same wish
 * ends with one meeting.
 */
export function makeCreateMeeting(
  deps: { microsoftApp: MicrosoftAppService; settings: SettingsService; capability: CapabilityService },
  tools: ServiceTools,
): CreateMeeting {
  /** The id under which Teams keeps recordings and transcripts. Not having it yet does not fail the meeting. */
  async function findOnlineMeetingId(graph: GraphClient, organizerId: string, joinUrl: string): Promise<string | null> {
    try {
      return (await graph.onlineMeetings.findByJoinUrl(organizerId, joinUrl))?.id ?? null;
    } catch (error) {
      const { kind, graphRequestId } = explain(error);
      tools.logger.warn(
        { kind, graphRequestId },
        '[TeamsMeetings] operation=create the online meeting id was not resolved',
      );
      return null;
    }
  }

  async function provision(
    graph: GraphClient,
    organizerId: string,
    meeting: Meeting,
    attendees: StoredAttendee[],
    sendInvites: boolean,
  ): Promise<Outcome> {
    const now = () => tools.clock().toISOString();
    try {
      const event = await createOrAdopt(graph, organizerId, meeting, attendees, sendInvites);
      if (!event.isOnlineMeeting) {
        await graph.events.delete(organizerId, event.id);
        const failure: StoredFailure = {
          code: 'MAILBOX_UNAVAILABLE',
          message:
            'Exchange made the event without a Teams meeting, so it was removed again: Teams is not available to the organizer.',
          remedy: 'Assign a Teams licence to the organizer and allow Teams as online meeting provider for the mailbox.',
          occurredAt: now(),
          graphRequestId: null,
        };
        return { ...FAILED, failure, transactionId: tools.newId() };
      }
      if (event.joinUrl === null) {
        const failure: StoredFailure = {
          code: 'GRAPH_UNAVAILABLE',
          message: 'Microsoft made the meeting but has not told its join link yet.',
          remedy: 'Try again in a minute: the same meeting is used.',
          occurredAt: now(),
          graphRequestId: null,
        };
        return { ...FAILED, graphEventId: event.id, iCalUid: event.iCalUId, failure };
      }
      const graphOnlineMeetingId = await findOnlineMeetingId(graph, organizerId, event.joinUrl);
      return {
        status: 'SCHEDULED',
        joinUrl: event.joinUrl,
        graphEventId: event.id,
        iCalUid: event.iCalUId,
        graphOnlineMeetingId,
        failure: null,
      };
    } catch (error) {
      return { ...FAILED, failure: toStoredFailure(error, tools.clock()) };
    }
  }

  async function storeOutcome(scope: Scope, meeting: Meeting, outcome: Outcome): Promise<Meeting> {
    const { failure, ...values } = outcome;
    return scope.db.transaction(async (prisma) => {
      await prisma.onlineMeeting.updateMany({
        where: { id: meeting.id, version: meeting.version },
        data: {
          ...values,
          failure: failure === null ? Prisma.DbNull : { ...failure },
          leasedUntil: null,
          updatedAt: tools.clock(),
          version: { increment: 1 },
        },
      });
      await appendAudit(prisma, tools, scope.viewer, {
        operation: 'create',
        meetingId: meeting.id,
        outcome: failure?.code ?? 'success',
      });
      return prisma.onlineMeeting.findFirstOrThrow({ where: { id: meeting.id } });
    });
  }

  return async (scope, input) => {
    const began = tools.clock().getTime();
    const { intent, errors } = checkMeetingInput(input);
    if (errors.length > 0) return { meeting: null, userErrors: errors };
    const [organizer, graph, settings] = await Promise.all([
      deps.capability.organizer(scope),
      deps.microsoftApp.graphFor(scope),
      deps.settings.find(scope),
    ]);
    if ('code' in organizer) return { meeting: null, userErrors: [organizer] };
    if (graph === null) throw new Error('The Microsoft app was disconnected while a meeting was being created');

    const accepted = await acceptIntent((work) => scope.db.transaction(work), tools, scope.viewer, organizer, intent);
    if (accepted.kind === 'conflict') {
      const message = 'This idempotency key was used for another meeting.';
      return {
        meeting: null,
        userErrors: [
          { code: 'CONFLICT', message, path: ['input', 'idempotencyKey'], remedy: 'Use a new key for a new meeting.' },
        ],
      };
    }
    if (accepted.kind === 'existing')
      return { meeting: accepted.meeting, userErrors: toUserErrors(failureOf(accepted.meeting)) };

    const organizerId = accepted.meeting.organizerObjectId ?? accepted.meeting.organizerUpn;
    const outcome = await provision(
      graph,
      organizerId,
      accepted.meeting,
      accepted.attendees,
      settings?.sendMeetingInvites ?? true,
    );
    const meeting = await storeOutcome(scope, accepted.meeting, outcome);
    tools.logger.info(
      {
        tenantId: scope.db.tenantId,
        meetingId: meeting.id,
        outcome: outcome.failure?.code ?? 'success',
        durationMs: tools.clock().getTime() - began,
        graphRequestId: outcome.failure?.graphRequestId ?? null,
      },
      '[TeamsMeetings] operation=create',
    );
    return { meeting, userErrors: toUserErrors(outcome.failure) };
  };
}
