import type { UserError } from '../failures.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { failureOf, type Meeting } from './meeting.ts';
import type { MeetingReads } from './meeting-reads.ts';
import type { MeetingResult } from './operations.ts';
import { isDue } from './sync/claim.ts';
import type { SyncMeeting } from './sync/sync-meeting.ts';

/** Brings an accepted intent about, as far as that is waited for, and says how the meeting stands. */
export type BringAbout = (scope: Scope, meetingId: string) => Promise<MeetingResult>;

/** As far as that goes in the time a caller waits. */
export interface Operate extends BringAbout {
  /** Resolves when nothing is under way any more that was begun for a caller. */
  idle(): Promise<void>;
}

const LOOK_EVERY_MS = 150;

export function refused(meeting: Meeting | null, ...userErrors: UserError[]): MeetingResult {
  return { meeting, userErrors };
}

/** Microsoft named a time before which it will not be asked: a second click does not change that, a retry does. */
export function mustWait(meeting: Meeting, now: Date): boolean {
  const failure = failureOf(meeting, now);
  return failure?.code === 'GRAPH_THROTTLED' && meeting.nextAttemptAt !== null && meeting.nextAttemptAt > now;
}

/** What hinders for a while is no error: the meeting says when it is tried again. */
export function answer(meeting: Meeting, now: Date): MeetingResult {
  const failure = failureOf(meeting, now);
  if (failure === null || meeting.nextAttemptAt !== null) return { meeting, userErrors: [] };
  const { code, message, remedy } = failure;
  return { meeting, userErrors: [{ code, message, ...(remedy === null ? {} : { remedy }) }] };
}

/** @param answerWithinMs how long a caller waits; what takes longer goes on without them */
export function makeOperate(
  deps: { sync: SyncMeeting; reads: MeetingReads },
  tools: ServiceTools,
  answerWithinMs: number,
): Operate {
  const underWay = new Set<Promise<unknown>>();

  async function read(scope: Scope, meetingId: string): Promise<Meeting> {
    const meeting = (await deps.reads.byIds(scope, [meetingId])).get(meetingId);
    if (meeting === undefined) throw new Error('A meeting that was just accepted is gone');
    return meeting;
  }

  /** Somebody else may have the meeting: then their work is waited for, and what is left is done. */
  async function bringAbout(scope: Scope, meetingId: string, isOver: () => boolean): Promise<void> {
    while ((await deps.sync(scope, meetingId)) === 'busy' && !isOver()) {
      await tools.sleep(LOOK_EVERY_MS);
      if (!isDue(await read(scope, meetingId))) return;
    }
  }

  const operate = async (scope: Scope, meetingId: string) => {
    let isOver = false;
    const work = bringAbout(scope, meetingId, () => isOver).catch((err: unknown) => {
      // The intent is stored and its job goes on with it: the caller's wish is not lost by an error of ours.
      tools.logger.error({ err, tenantId: scope.db.tenantId, meetingId }, '[TeamsMeetings] operation=sync failed');
    });
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, answerWithinMs);
    await Promise.race([work, late.promise]);
    clearTimeout(timer);
    isOver = true;
    return answer(await read(scope, meetingId), tools.clock());
  };
  return Object.assign(operate, {
    async idle() {
      await Promise.all(underWay);
    },
  });
}

/** The same for who does not wait: the job that was planned with the intent brings it about. */
export function makeAcceptOnly(reads: MeetingReads, tools: ServiceTools): BringAbout {
  return async (scope, id) => {
    const meeting = (await reads.byIds(scope, [id])).get(id);
    if (meeting === undefined) throw new Error('A meeting that was just accepted is gone');
    return answer(meeting, tools.clock());
  };
}
