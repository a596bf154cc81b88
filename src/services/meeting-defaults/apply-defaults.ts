import { z } from 'zod';
import { Prisma } from '../../generated/prisma/client.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphClient, GraphMeetingOptions } from '../../graph/types.ts';
import { resolveOnlineMeetings } from '../artifacts/resolve-online-meetings.ts';
import { appendAudit } from '../audit/audit.ts';
import { type StoredFailure, toStoredFailure, type UserError } from '../failures.ts';
import { leftBehind } from '../meetings/left-behind.ts';
import { isCancelled, type Meeting } from '../meetings/meeting.ts';
import { isFreshlyVerified } from '../meetings/sync/freshness.ts';
import { GIVE_UP_AFTER_MS } from '../meetings/sync/limits.ts';
import { judge, mayFlap, waitBeforeRetry } from '../meetings/sync/retry-policy.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import { planDefaults } from './planned-defaults.ts';

/**
 * Gives a meeting the options that were noted with it when it was made. What passes is tried again until the meeting is
 * over, for a day at most; what does not is given up, with the reason stored. The meeting itself stands either way.
 * Rejects only for errors that are not Microsoft's.
 */
export type ApplyMeetingDefaults = (scope: Scope, meetingId: string) => Promise<void>;

const OPERATION = 'apply-meeting-defaults';

/** What the listener wrote, and nothing else. */
const storedOptions: z.ZodType<GraphMeetingOptions> = z.strictObject({
  recordAutomatically: z.boolean().optional(),
  lobbyBypassScope: z.enum(['organizer', 'invited', 'organization', 'everyone']).optional(),
  allowedPresenters: z.enum(['everyone', 'organization', 'organizer']).optional(),
});

interface Failed {
  failure: StoredFailure;
  /** Milliseconds to wait at least; null: another try would not help. */
  retryAfterMs: number | null;
}

export function makeApplyMeetingDefaults(
  deps: {
    microsoftApp: Pick<MicrosoftAppService, 'graphFor'>;
    settings: Pick<SettingsService, 'find' | 'latestVerification'>;
  },
  tools: ServiceTools,
): ApplyMeetingDefaults {
  /** Nobody means to be asked again: a person has to change something. */
  function hindered({ code, message, remedy }: UserError): Failed {
    const occurredAt = tools.clock().toISOString();
    return { failure: { code, message, remedy: remedy ?? null, occurredAt, graphRequestId: null }, retryAfterMs: null };
  }

  /** The client to do it with, or what is in the way before Microsoft is asked. */
  async function clientFor(scope: Scope, meeting: Meeting): Promise<GraphClient | Failed> {
    const elsewhere = leftBehind(meeting);
    if (elsewhere !== null) return hindered(elsewhere);
    const settings = await deps.settings.find(scope);
    if (settings?.installStatus !== 'ACTIVE') {
      return hindered({
        code: 'NOT_ACTIVE',
        message: 'The Teams integration is not active.',
        remedy: 'An administrator sets installStatus to ACTIVE; the options are then set.',
      });
    }
    const graph = await deps.microsoftApp.graphFor(scope);
    if (graph !== null) return graph;
    return hindered({
      code: 'NOT_CONFIGURED',
      message: 'No Microsoft app is connected.',
      remedy: 'An administrator runs connectMicrosoftApp.',
    });
  }

  /** What a refusal of the options themselves means; the general explanation would call it our mistake. */
  function explained(error: GraphRequestError, options: GraphMeetingOptions): StoredFailure {
    const failure = toStoredFailure(error, tools.clock());
    if (error.kind !== 'INVALID_REQUEST' && error.kind !== 'FORBIDDEN') return failure;
    return {
      ...failure,
      code: error.kind === 'FORBIDDEN' ? failure.code : 'INVALID_INPUT',
      message: `Microsoft refused these meeting options: ${Object.keys(options).join(', ')}.`,
      remedy:
        'Compare meetingDefaults with the meeting policy of the organizer in the Teams admin centre. The meeting itself is not affected.',
    };
  }

  async function onlineMeetingId(scope: Scope, graph: GraphClient, organizerId: string, meeting: Meeting) {
    const found = (await resolveOnlineMeetings(scope, graph, organizerId, [meeting])).get(meeting.id);
    if (found?.error !== undefined) throw found.error;
    return found?.value ?? null;
  }

  /** @returns null when it is done */
  async function attempt(scope: Scope, meeting: Meeting): Promise<Failed | null> {
    const graph = await clientFor(scope, meeting);
    if ('failure' in graph) return graph;
    const options = storedOptions.parse(meeting.defaultsWanted);
    const organizerId = meeting.organizerObjectId ?? meeting.organizerUpn;
    try {
      const id = await onlineMeetingId(scope, graph, organizerId, meeting);
      if (id === null) {
        const { failure } = hindered({
          code: 'NOT_FOUND',
          message: 'Teams does not know the meeting by its join link yet.',
        });
        return { failure, retryAfterMs: 0 };
      }
      await graph.onlineMeetings.update(organizerId, id, options);
      return null;
    } catch (error) {
      if (!(error instanceof GraphRequestError)) throw error;
      const isFresh = mayFlap(error.kind) && (await isFreshlyVerified(scope, deps.settings, tools));
      const passes = judge(error.kind, isFresh) === 'transient';
      return { failure: explained(error, options), retryAfterMs: passes ? (error.retryAfterMs ?? 0) : null };
    }
  }

  function log(scope: Scope, meeting: Meeting, began: number, failure: StoredFailure | null): void {
    const outcome = failure?.code ?? 'success';
    const durationMs = tools.clock().getTime() - began;
    tools.metrics.operationEnded(OPERATION, outcome, durationMs);
    tools.logger[failure === null ? 'info' : 'warn'](
      {
        tenantId: scope.db.tenantId,
        meetingId: meeting.id,
        outcome,
        durationMs,
        graphRequestId: failure?.graphRequestId ?? null,
      },
      `[TeamsMeetings] operation=${OPERATION}`,
    );
  }

  /** When it is tried again; null when it is given up. */
  function nextTry(meeting: Meeting, { retryAfterMs }: Failed): number | null {
    if (retryAfterMs === null) return null;
    const now = tools.clock().getTime();
    const delayMs = waitBeforeRetry(meeting.defaultsAttempts + 1, retryAfterMs, tools.random());
    const since = meeting.defaultsSince?.getTime() ?? now;
    const until = Math.min(since + GIVE_UP_AFTER_MS, meeting.endsAt.getTime());
    return now + delayMs < until ? delayMs : null;
  }

  /** Stores the outcome, unless the meeting was cancelled meanwhile: then nobody waits for it any more. */
  async function store(scope: Scope, meeting: Meeting, failed: Failed | null): Promise<void> {
    const delayMs = failed === null ? null : nextTry(meeting, failed);
    await scope.db.transaction(async (prisma) => {
      const { count } = await prisma.onlineMeeting.updateMany({
        where: { id: meeting.id, defaultsNextAt: { not: null } },
        data: {
          defaultsFailure: failed === null ? Prisma.DbNull : { ...failed.failure },
          defaultsNextAt: delayMs === null ? null : new Date(tools.clock().getTime() + delayMs),
          defaultsAttempts: { increment: 1 },
        },
      });
      if (count === 0) return;
      if (delayMs !== null) await planDefaults(prisma, meeting.id, delayMs);
      await appendAudit(prisma, tools, scope.viewer, {
        operation: OPERATION,
        meetingId: meeting.id,
        outcome: failed?.failure.code ?? 'success',
        detail: { options: Object.keys(storedOptions.parse(meeting.defaultsWanted)), willRetry: delayMs !== null },
      });
    });
  }

  return async (scope, meetingId) => {
    const meeting = await scope.db.run((prisma) => prisma.onlineMeeting.findFirst({ where: { id: meetingId } }));
    if (meeting === null || meeting.defaultsNextAt === null || meeting.defaultsWanted === null) return;
    const began = tools.clock();
    const isWanted = !isCancelled(meeting) && meeting.joinUrl !== null && meeting.endsAt > began;
    if (!isWanted) {
      await scope.db.run((prisma) =>
        prisma.onlineMeeting.updateMany({ where: { id: meetingId }, data: { defaultsNextAt: null } }),
      );
      return;
    }
    const failed = await attempt(scope, meeting);
    await store(scope, meeting, failed);
    log(scope, meeting, began.getTime(), failed?.failure ?? null);
  };
}
