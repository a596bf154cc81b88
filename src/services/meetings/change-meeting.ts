import type { TenantPrisma } from '../../db/database.ts';
import { removeJob } from '../../db/job-queue.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import { normaliseAttendees } from '../attendees/attendees.ts';
import { appendAudit } from '../audit/audit.ts';
import { meetingNotFound, type UserError } from '../failures.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { replaceAttendees } from './change-attendees.ts';
import { checkCancellation, checkReschedule } from './change-input.ts';
import { leftBehind } from './left-behind.ts';
import { after, pending } from './lifecycle.ts';
import { isCancelled, isUnread, type Meeting, statusAt, visibleMeetings } from './meeting.ts';
import type { MeetingListener } from './meeting-listener.ts';
import { wellFormedIds } from './meeting-reads.ts';
import { newIntent } from './meeting-store.ts';
import { answer, type BringAbout, mustWait, refused } from './operate.ts';
import type { MeetingOperations, MeetingResult } from './operations.ts';
import { planSync } from './planned-jobs.ts';
import { isDue, isLeased, lockMeeting } from './sync/claim.ts';

const AT_MEETING = ['input', 'meetingId'];

const ALREADY_CANCELLED: UserError = {
  code: 'MEETING_ALREADY_CANCELLED',
  message: 'The meeting is cancelled.',
  path: AT_MEETING,
  remedy: 'Create a new meeting.',
};

const NOT_CALENDAR_BACKED: UserError = {
  code: 'MEETING_NOT_CALENDAR_BACKED',
  message: 'The meeting has no event in a calendar, so there is nothing to change.',
  path: AT_MEETING,
  remedy: 'Cancel it here, then make a new meeting.',
};

const IS_OVER: UserError = {
  code: 'CONFLICT',
  message: 'The meeting is over: cancelling it would take its recordings and transcripts from it.',
  path: AT_MEETING,
};

/** What an operation makes of a meeting that it may change: nothing new, a refusal, or what is to be stored. */
type Change = 'unchanged' | UserError | { data: Prisma.OnlineMeetingUpdateManyMutationInput };
type Decide = (prisma: TenantPrisma, meeting: Meeting) => Promise<Change>;

/** What wishes for no other times leaves it to the event of an imported meeting to tell them. */
const stillUnread = (meeting: Meeting) => (isUnread(meeting) ? { operation: meeting.operation } : {});

/** Makes the operations that change a meeting which is there already. */
export function makeChangeOperations(
  deps: { operate: BringAbout; listeners: readonly MeetingListener[] },
  tools: ServiceTools,
): Omit<MeetingOperations, 'create'> {
  /** Of what is only given up here, it is told where Microsoft still has it. */
  const audit = (prisma: TenantPrisma, scope: Scope, meeting: Meeting, outcome = 'accepted') =>
    appendAudit(prisma, tools, scope.viewer, {
      operation: meeting.operation,
      meetingId: meeting.id,
      outcome,
      detail: { version: meeting.version, ...(meeting.leftIn === null ? {} : { leftIn: meeting.leftIn }) },
    });

  /** Accepts a change in one transaction with its job; operations on one meeting are accepted one after the other. */
  async function change(scope: Scope, meetingId: string, operation: string, decide: Decide): Promise<MeetingResult> {
    const [id] = wellFormedIds([meetingId]);
    if (id === undefined) return refused(null, meetingNotFound());
    const settled = await scope.db.transaction(async (prisma): Promise<MeetingResult | null> => {
      const seen = await prisma.onlineMeeting.findFirst({ where: { id, ...visibleMeetings(scope.viewer) } });
      const meeting = seen === null ? null : await lockMeeting(prisma, id);
      if (meeting === null) return refused(null, meetingNotFound());
      if (!meeting.isCalendarBacked && operation !== 'cancel') return refused(meeting, NOT_CALENDAR_BACKED);
      const change = await decide(prisma, meeting);
      if (change === 'unchanged') {
        const now = tools.clock();
        return isDue(meeting) && !mustWait(meeting, now) ? null : answer(meeting, now);
      }
      if ('code' in change) return refused(meeting, change);
      await prisma.onlineMeeting.updateMany({
        where: { id },
        data: { ...newIntent(tools, operation), status: pending(meeting), ...change.data },
      });
      const changed = await prisma.onlineMeeting.findFirstOrThrow({ where: { id } });
      await audit(prisma, scope, { ...changed, operation });
      if (changed.status === 'CANCELLED') {
        await removeJob(prisma, 'sync_meeting', id);
        await audit(prisma, scope, changed, 'success');
        for (const listener of deps.listeners) await listener(prisma, scope, { kind: 'cancelled', meeting: changed });
        return refused(changed);
      }
      await planSync(prisma, id);
      return null;
    });
    return settled ?? deps.operate(scope, id);
  }

  return {
    async reschedule(scope, input) {
      const { wish, errors } = checkReschedule(input);
      if (errors.length > 0) return refused(null, ...errors);
      return change(scope, input.meetingId, 'reschedule', async (_prisma, meeting) => {
        if (isCancelled(meeting)) return ALREADY_CANCELLED;
        const subject = wish.subject ?? meeting.subject;
        const isSame =
          meeting.startsAt.getTime() === wish.startsAt.getTime() &&
          meeting.endsAt.getTime() === wish.endsAt.getTime() &&
          meeting.subject === subject;
        if (isSame && meeting.status !== 'FAILED') return 'unchanged';
        const { startsAt, endsAt } = wish;
        const asked = typeof input.sendInvitations === 'boolean' ? { mailsInvitations: input.sendInvitations } : {};
        return { data: { startsAt, endsAt, subject, ...asked } };
      });
    },

    async updateAttendees(scope, input) {
      const { attendees, errors } = normaliseAttendees(input.attendees);
      if (errors.length > 0) return refused(null, ...errors);
      return change(scope, input.meetingId, 'attendees', async (prisma, meeting) => {
        if (isCancelled(meeting)) return ALREADY_CANCELLED;
        const isSame = !(await replaceAttendees(prisma, meeting.id, attendees));
        return isSame && meeting.status !== 'FAILED' ? 'unchanged' : { data: stillUnread(meeting) };
      });
    },

    async cancel(scope, input) {
      const { comment, errors } = checkCancellation(input);
      if (errors.length > 0) return refused(null, ...errors);
      return change(scope, input.meetingId, 'cancel', async (_prisma, meeting) => {
        if (meeting.status === 'CANCELLED') return ALREADY_CANCELLED;
        // What cannot be undone at Microsoft is given up here, so that the appointment can have another meeting.
        const isElsewhere = leftBehind(meeting) !== null || !meeting.isCalendarBacked;
        if (meeting.status === 'CANCELLING' && !isElsewhere) return 'unchanged';
        const now = tools.clock();
        if (statusAt(meeting, now) === 'ENDED') return IS_OVER;
        const wasNeverSent = meeting.graphEventId === null && !meeting.createUnconfirmed && !isLeased(meeting, now);
        const event = isElsewhere ? 'given up' : wasNeverSent ? 'dropped' : 'cancelled';
        const asked = typeof input.sendInvitations === 'boolean' ? { mailsInvitations: input.sendInvitations } : {};
        return {
          data: {
            ...asked,
            joinUrl: null,
            cancelReason: comment,
            status: after(meeting.status, event),
            ...(event !== 'cancelled' ? { syncedVersion: meeting.version + 1, nextAttemptAt: null } : {}),
          },
        };
      });
    },

    retry: (scope, { meetingId }) =>
      change(scope, meetingId, 'retry', async (_prisma, meeting) => {
        if (meeting.status === 'CANCELLED') return ALREADY_CANCELLED;
        return meeting.version > meeting.syncedVersion ? { data: stillUnread(meeting) } : 'unchanged';
      }),
  };
}
