import { Prisma } from '../../generated/prisma/client.ts';
import type { GraphCallArtifact, GraphClient } from '../../graph/types.ts';
import { readResponses } from '../attendees/responses.ts';
import { appendAudit } from '../audit/audit.ts';
import {
  explain,
  meetingNotFound,
  type StoredFailure,
  toStoredFailure,
  toUserError,
  type UserError,
} from '../failures.ts';
import type { Meeting } from '../meetings/meeting.ts';
import type { MeetingReads } from '../meetings/meeting-reads.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { planStoreRecording } from '../recordings/planned-copies.ts';
import { buried } from '../retention/tombstones.ts';
import type { Scope, ServiceTools } from '../scope.ts';

export interface RefreshResult {
  meeting: Meeting | null;
  newRecordings: number;
  newTranscripts: number;
  userErrors: UserError[];
}

/** Asks Microsoft for the recordings and transcripts of a meeting and stores what is new. */
export type RefreshArtifacts = (scope: Scope, meetingId: string) => Promise<RefreshResult>;

/** Either a value or why there is none, so that one kind's failure does not hide the other's result. */
type Attempt<T> = { value: T; error?: undefined } | { value?: undefined; error: unknown };

async function attempt<T>(work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

const nothing = (userErrors: UserError[], meeting: Meeting | null = null): RefreshResult => ({
  meeting,
  newRecordings: 0,
  newTranscripts: 0,
  userErrors,
});

function factsOf(artifact: GraphCallArtifact) {
  const { callId, contentCorrelationId, createdAt, endedAt } = artifact;
  return { callId, contentCorrelationId, createdAt, endedAt };
}

/**
 * Makes the mutation `refreshTeamsMeetingArtifacts`. Recordings and transcripts are asked for side by side and each
 * transcript's text by itself; running it again stores nothing twice.
 */
export function makeRefreshArtifacts(
  deps: { reads: MeetingReads; microsoftApp: MicrosoftAppService },
  tools: ServiceTools,
): RefreshArtifacts {
  async function onlineMeetingIdOf(
    scope: Scope,
    graph: GraphClient,
    organizerId: string,
    meeting: Meeting,
  ): Promise<string | null> {
    if (meeting.graphOnlineMeetingId !== null || meeting.joinUrl === null) return meeting.graphOnlineMeetingId;
    const found = await graph.onlineMeetings.findByJoinUrl(organizerId, meeting.joinUrl);
    if (found === null) return null;
    await scope.db.run((prisma) =>
      prisma.onlineMeeting.updateMany({ where: { id: meeting.id }, data: { graphOnlineMeetingId: found.id } }),
    );
    return found.id;
  }

  async function storeRecordings(scope: Scope, meeting: Meeting, found: GraphCallArtifact[]): Promise<number> {
    return scope.db.transaction(async (prisma) => {
      const isBuried = await buried(prisma, 'RECORDING', [meeting.id]);
      const data = found
        .filter(({ id }) => !isBuried(meeting.id, id))
        .map((recording) => ({
          ...factsOf(recording),
          id: tools.newId(),
          meetingId: meeting.id,
          graphRecordingId: recording.id,
        }));
      const created = await prisma.meetingRecording.createManyAndReturn({
        data,
        skipDuplicates: true,
        select: { id: true },
      });
      for (const { id } of created) await planStoreRecording(prisma, id);
      return created.length;
    });
  }

  /** Fetches the text of each transcript that is not stored yet; a text that cannot be had is tried again next time. */
  async function captureTranscripts(
    scope: Scope,
    graph: GraphClient,
    organizerId: string,
    onlineMeetingId: string,
    meeting: Meeting,
  ) {
    const listed = await graph.transcripts.list(organizerId, onlineMeetingId);
    const stored = await scope.db.run((prisma) =>
      prisma.meetingTranscript.findMany({ where: { meetingId: meeting.id }, select: { graphTranscriptId: true } }),
    );
    const known = new Set(stored.map((row) => row.graphTranscriptId));
    const isBuried = await scope.db.run((prisma) => buried(prisma, 'TRANSCRIPT', [meeting.id]));
    let count = 0;
    const failures: unknown[] = [];
    for (const transcript of listed.filter(({ id }) => !known.has(id) && !isBuried(meeting.id, id))) {
      const text = await attempt(() => graph.transcripts.content(organizerId, onlineMeetingId, transcript.id));
      if (text.value === undefined) {
        failures.push(text.error);
        continue;
      }
      const data = {
        ...factsOf(transcript),
        vtt: text.value.vtt,
        isSpeakerAttributed: text.value.isSpeakerAttributed,
        id: tools.newId(),
        meetingId: meeting.id,
        graphTranscriptId: transcript.id,
      };
      const created = await scope.db.run((prisma) =>
        prisma.meetingTranscript.createMany({ data: [data], skipDuplicates: true }),
      );
      count += created.count;
    }
    return { count, failures };
  }

  async function finish(
    scope: Scope,
    meeting: Meeting,
    failure: StoredFailure | null,
    counts: { newRecordings: number; newTranscripts: number },
  ): Promise<void> {
    await scope.db.transaction(async (prisma) => {
      await prisma.onlineMeeting.updateMany({
        where: { id: meeting.id },
        data: {
          captureAttempts: { increment: 1 },
          captureLastAttemptAt: tools.clock(),
          captureFailure: failure === null ? Prisma.DbNull : { ...failure },
        },
      });
      await appendAudit(prisma, tools, scope.viewer, {
        operation: 'refresh',
        meetingId: meeting.id,
        outcome: failure?.code ?? 'success',
        detail: counts,
      });
    });
    tools.logger.info(
      {
        tenantId: scope.db.tenantId,
        meetingId: meeting.id,
        outcome: failure?.code ?? 'success',
        graphRequestId: failure?.graphRequestId ?? null,
        ...counts,
      },
      '[TeamsMeetings] operation=refresh',
    );
  }

  return async (scope, meetingId) => {
    const find = async () => (await deps.reads.byIds(scope, [meetingId])).get(meetingId.toLowerCase()) ?? null;
    const meeting = await find();
    if (meeting === null) return nothing([meetingNotFound()]);
    if (!meeting.isCalendarBacked) {
      const message =
        'Microsoft keeps no recordings or transcripts that apps can read for a meeting without a calendar event.';
      return nothing(
        [
          {
            code: 'MEETING_NOT_CALENDAR_BACKED',
            message,
            remedy: 'Make a new meeting for this appointment.',
            path: ['input', 'meetingId'],
          },
        ],
        meeting,
      );
    }
    const graph = await deps.microsoftApp.graphFor(scope);
    if (graph === null)
      return nothing(
        [
          {
            code: 'NOT_CONFIGURED',
            message: 'No Microsoft app is connected.',
            remedy: 'An administrator runs connectMicrosoftApp.',
          },
        ],
        meeting,
      );
    if (meeting.joinUrl === null || meeting.organizerObjectId === null) {
      return nothing(
        [
          {
            code: 'CONFLICT',
            message: 'Microsoft has not made this meeting, so there is nothing to fetch.',
            remedy: 'Look at the failure of the meeting: it says what hinders it and whether it is tried again.',
          },
        ],
        meeting,
      );
    }

    const organizerId = meeting.organizerObjectId;
    // Who comes is read back on the way; that it cannot be told is no failure of what was asked for.
    const responses = attempt(() => readResponses(scope, graph, organizerId, meeting));
    const resolved = await attempt(() => onlineMeetingIdOf(scope, graph, organizerId, meeting));
    const { error } = await responses;
    if (error !== undefined) {
      const { kind, graphRequestId } = explain(error);
      const fields = { tenantId: scope.db.tenantId, meetingId: meeting.id, kind, graphRequestId };
      tools.logger.warn(fields, '[TeamsMeetings] operation=refresh the attendees’ answers were not read');
    }
    const onlineMeetingId = resolved.value ?? null;
    if (onlineMeetingId === null) {
      const failure: StoredFailure =
        resolved.error !== undefined
          ? toStoredFailure(resolved.error, tools.clock())
          : {
              code: 'NOT_FOUND',
              message: 'Microsoft has no online meeting with this join link.',
              remedy: 'The meeting may have expired, 60 days after its end.',
              occurredAt: tools.clock().toISOString(),
              graphRequestId: null,
            };
      await finish(scope, meeting, failure, { newRecordings: 0, newTranscripts: 0 });
      const { code, message, remedy } = failure;
      return nothing([{ code, message, ...(remedy === null ? {} : { remedy }) }], await find());
    }

    const [recordings, transcripts] = await Promise.all([
      attempt(async () => storeRecordings(scope, meeting, await graph.recordings.list(organizerId, onlineMeetingId))),
      attempt(() => captureTranscripts(scope, graph, organizerId, onlineMeetingId, meeting)),
    ]);
    const transcriptErrors =
      transcripts.error !== undefined ? [transcripts.error] : (transcripts.value?.failures ?? []);
    const userErrors = [
      ...(recordings.error !== undefined ? [toUserError(recordings.error, ['recordings'])] : []),
      ...transcriptErrors.map((error) => toUserError(error, ['transcripts'])),
    ];
    const counts = { newRecordings: recordings.value ?? 0, newTranscripts: transcripts.value?.count ?? 0 };
    const first = recordings.error ?? transcriptErrors[0];
    await finish(scope, meeting, first === undefined ? null : toStoredFailure(first, tools.clock()), counts);
    return { meeting: await find(), ...counts, userErrors };
  };
}
