import { Prisma } from '../../generated/prisma/client.ts';
import { appendAudit } from '../audit/audit.ts';
import type { UserError } from '../failures.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { CapabilityService } from '../settings/capability.ts';
import type { SettingsService } from '../settings/settings.ts';
import { failureOf, type Meeting, statusAt } from './meeting.ts';
import { type CreateMeetingInput, checkMeetingInput } from './meeting-input.ts';
import { acceptIntent } from './meeting-store.ts';
import { type Outcome, provisionMeeting } from './provision-meeting.ts';

export interface CreateMeetingResult {
  meeting: Meeting | null;
  userErrors: UserError[];
}

export type CreateMeeting = (scope: Scope, input: CreateMeetingInput) => Promise<CreateMeetingResult>;

const BEING_MADE: UserError = {
  code: 'CONFLICT',
  message: 'Another request is making this meeting at the moment.',
  remedy: 'Read the meeting again in a minute.',
};

/**
 * Makes the mutation `createTeamsMeeting`: the intent is stored, the calendar-backed event is created with a
 * transaction id, and the outcome is stored. Whatever happens in between, calling it again with the same wish
 * ends with one meeting.
 */
export function makeCreateMeeting(
  deps: { microsoftApp: MicrosoftAppService; settings: SettingsService; capability: CapabilityService },
  tools: ServiceTools,
): CreateMeeting {
  /** What a caller is told of a meeting as it stands now. */
  function answer(meeting: Meeting): CreateMeetingResult {
    const now = tools.clock();
    const failure = failureOf(meeting, now);
    if (failure === null) return { meeting, userErrors: statusAt(meeting, now) === 'PROVISIONING' ? [BEING_MADE] : [] };
    const { code, message, remedy } = failure;
    return { meeting, userErrors: [{ code, message, ...(remedy === null ? {} : { remedy }) }] };
  }

  async function storeOutcome(scope: Scope, meeting: Meeting, outcome: Outcome): Promise<Meeting> {
    const { failure, ...values } = outcome;
    return scope.db.transaction(async (prisma) => {
      const { count } = await prisma.onlineMeeting.updateMany({
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
        // Nothing was written where another caller took the meeting over meanwhile: its outcome is the one that counts.
        outcome: count === 0 ? 'superseded' : (failure?.code ?? 'success'),
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
    if (accepted.kind === 'existing') return answer(accepted.meeting);

    const { meeting: intended, attendees } = accepted;
    const organizerId = intended.organizerObjectId ?? intended.organizerUpn;
    const sendInvites = settings?.sendMeetingInvites ?? true;
    const outcome = await provisionMeeting({ graph, organizerId, meeting: intended, attendees, sendInvites }, tools);
    const meeting = await storeOutcome(scope, intended, outcome);
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
    return answer(meeting);
  };
}
