import type { GraphClient } from '../../graph/types.ts';
import { readResponses } from '../attendees/responses.ts';
import { explain, meetingNotFound, toUnreadable, type UserError } from '../failures.ts';
import { leftBehind } from '../meetings/left-behind.ts';
import { captureFailureOf, type Meeting } from '../meetings/meeting.ts';
import type { MeetingReads } from '../meetings/meeting-reads.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { captureOf } from './capture-state.ts';
import type { CaptureStore } from './capture-store.ts';
import type { Look } from './look.ts';

export interface RefreshResult {
  meeting: Meeting | null;
  newRecordings: number;
  newTranscripts: number;
  userErrors: UserError[];
}

/**
 * Asks Microsoft for the artifacts of a meeting at once, by the same code as in the background, and answers with what
 * is new since it was asked. Whoever asks while somebody else does waits for their answer instead of asking again.
 */
export type RefreshArtifacts = (scope: Scope, meetingId: string) => Promise<RefreshResult>;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 1_000;
/** So long a caller waits for a look that somebody else began; it goes on without them. */
const WAIT_MS = 20_000;

const STILL_LOOKING: UserError = {
  code: 'GRAPH_UNAVAILABLE',
  message: 'Microsoft is still being asked about this meeting, and has not answered yet.',
  remedy: 'Read the meeting again in a minute; nothing has to be asked for again.',
};

const nothing = (userErrors: UserError[], meeting: Meeting | null = null): RefreshResult => ({
  meeting,
  newRecordings: 0,
  newTranscripts: 0,
  userErrors,
});

export function makeRefreshArtifacts(
  deps: { reads: MeetingReads; microsoftApp: MicrosoftAppService; look: Look; captures: CaptureStore },
  tools: ServiceTools,
): RefreshArtifacts {
  /** Why Microsoft need not be asked at all; null when it can be. */
  function hindrance(meeting: Meeting, graph: GraphClient | null): UserError | null {
    const { state, failure } = captureOf(meeting, tools.clock());
    if (state === 'NOT_SUPPORTED' && failure !== null) {
      const { code, message, remedy } = failure;
      return { code, message, ...(remedy === null ? {} : { remedy }), path: ['input', 'meetingId'] };
    }
    if (graph === null)
      return {
        code: 'NOT_CONFIGURED',
        message: 'No Microsoft app is connected.',
        remedy: 'An administrator runs connectMicrosoftApp.',
      };
    const elsewhere = leftBehind(meeting);
    if (elsewhere !== null) return elsewhere;
    if (meeting.joinUrl === null || meeting.organizerObjectId === null)
      return {
        code: 'CONFLICT',
        message: 'Microsoft has not made this meeting, so there is nothing to fetch.',
        remedy: 'Look at the failure of the meeting: it says what hinders it and whether it is tried again.',
      };
    return null;
  }

  /** Who comes is read back on the way; that it cannot be told is no failure of what was asked for. */
  async function readWhoComes(scope: Scope, graph: GraphClient, organizerId: string, meeting: Meeting): Promise<void> {
    try {
      await readResponses(scope, graph, organizerId, meeting);
    } catch (error) {
      const { code, graphRequestId } = explain(error);
      const fields = { tenantId: scope.db.tenantId, meetingId: meeting.id, outcome: code, graphRequestId };
      tools.logger.warn(fields, '[TeamsMeetings] operation=refresh the attendees’ answers were not read');
    }
  }

  async function lookAt(scope: Scope, graph: GraphClient, organizerId: string, meeting: Meeting): Promise<UserError[]> {
    const began = tools.clock();
    try {
      const whoComes = readWhoComes(scope, graph, organizerId, meeting);
      const [looked] = await deps.look(scope, graph, organizerId, [meeting], { isAskedFor: true });
      await whoComes;
      if (looked === undefined) return [];
      await deps.captures.finish(scope, { operation: 'refresh', began }, [looked]);
      return looked.userErrors;
    } catch (error) {
      await deps.captures.putOff(scope, [meeting]);
      throw error;
    }
  }

  /** Waits until nobody looks at the meeting any more; the one whose process died holds nobody up for longer. */
  async function otherLookEnds(scope: Scope, meetingId: string): Promise<UserError[]> {
    const until = tools.clock().getTime() + WAIT_MS;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const meeting = (await deps.reads.byIds(scope, [meetingId])).get(meetingId);
      const now = tools.clock();
      if (meeting?.captureLeasedUntil == null || meeting.captureLeasedUntil <= now) {
        const failure = meeting === undefined ? null : captureFailureOf(meeting);
        if (failure === null) return [];
        const { code, message, remedy } = failure;
        return [{ code, message, ...(remedy === null ? {} : { remedy }) }];
      }
      if (now.getTime() >= until) return [STILL_LOOKING];
      await tools.sleep(waitMs);
    }
  }

  async function storedSince(scope: Scope, meetingId: string, since: Date) {
    const where = { meetingId, capturedAt: { gte: since } };
    const [newRecordings, newTranscripts] = await scope.db.run(async (prisma) => [
      await prisma.meetingRecording.count({ where }),
      await prisma.meetingTranscript.count({ where }),
    ]);
    return { newRecordings, newTranscripts };
  }

  return async (scope, id) => {
    const askedAt = tools.clock();
    const find = async () => (await deps.reads.byIds(scope, [id])).get(id.toLowerCase()) ?? null;
    const meeting = await find();
    if (meeting === null) return nothing([meetingNotFound()]);
    const graph = meeting.isCalendarBacked ? await deps.microsoftApp.graphFor(scope).catch(toUnreadable) : null;
    if (graph !== null && 'code' in graph) return nothing([graph], meeting);
    const hindered = hindrance(meeting, graph);
    if (hindered !== null || graph === null || meeting.organizerObjectId === null)
      return nothing(hindered === null ? [] : [hindered], meeting);

    const taken = await deps.captures.take(scope, meeting.id);
    const userErrors =
      taken === null
        ? await otherLookEnds(scope, meeting.id)
        : await lookAt(scope, graph, meeting.organizerObjectId, taken);
    return { meeting: await find(), ...(await storedSince(scope, meeting.id, askedAt)), userErrors };
  };
}
