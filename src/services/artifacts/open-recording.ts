import type { GraphRequestError } from '../../graph/errors.ts';
import type { GraphContentStream } from '../../graph/types.ts';
import { explain } from '../failures.ts';
import { visibleMeetings } from '../meetings/meeting.ts';
import { wellFormedIds } from '../meetings/meeting-reads.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { ArtifactVisibility } from './visibility.ts';

export type OpenedRecording =
  | { kind: 'open'; content: GraphContentStream }
  /** Unknown, or not (any more) for this viewer. */
  | { kind: 'hidden' }
  /** Microsoft no longer has it. */
  | { kind: 'gone' }
  | { kind: 'bad-range' }
  | { kind: 'unavailable'; retryAfterMs: number | null };

/** Opens the bytes of a recording for the viewer of a link; whoever gets `open` must consume or cancel the body. */
export type OpenRecording = (
  scope: Scope,
  recordingId: string,
  range: string | undefined,
  signal: AbortSignal,
) => Promise<OpenedRecording>;

export function makeOpenRecording(
  deps: { visibility: ArtifactVisibility; microsoftApp: MicrosoftAppService },
  tools: ServiceTools,
): OpenRecording {
  return async (scope, recordingId, range, signal) => {
    if (!(await deps.visibility.seesArtifacts(scope))) return { kind: 'hidden' };
    const recording = await scope.db.run((prisma) =>
      prisma.meetingRecording.findFirst({
        where: { id: { in: wellFormedIds([recordingId]) }, meeting: visibleMeetings(scope.viewer) },
        include: { meeting: { select: { organizerObjectId: true, graphOnlineMeetingId: true } } },
      }),
    );
    const { organizerObjectId, graphOnlineMeetingId } = recording?.meeting ?? {};
    if (!recording || !organizerObjectId || !graphOnlineMeetingId) return { kind: 'hidden' };
    const graph = await deps.microsoftApp.graphFor(scope);
    if (graph === null) return { kind: 'unavailable', retryAfterMs: null };
    try {
      const options = { signal, ...(range === undefined ? {} : { range }) };
      return {
        kind: 'open',
        content: await graph.recordings.openContent(
          organizerObjectId,
          graphOnlineMeetingId,
          recording.graphRecordingId,
          options,
        ),
      };
    } catch (error) {
      if (signal.aborted) throw error;
      const { kind, graphRequestId } = explain(error);
      tools.logger.warn(
        { tenantId: scope.db.tenantId, recordingId, kind, graphRequestId },
        '[TeamsMeetings] operation=recording the content could not be opened',
      );
      const { status, retryAfterMs } = error as GraphRequestError;
      if (kind === 'NOT_FOUND' || status === 410) return { kind: 'gone' };
      return status === 416 ? { kind: 'bad-range' } : { kind: 'unavailable', retryAfterMs };
    }
  };
}
