import type { BlobStore } from '../../blobs/blob-store.ts';
import type { ArtifactVisibility } from '../artifacts/visibility.ts';
import { visibleMeetings } from '../meetings/meeting.ts';
import { wellFormedIds } from '../meetings/meeting-reads.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { blobKey } from './blob-key.ts';
import { blobSource, type ContentSource, graphSource } from './content-source.ts';
import type { StoredRecording } from './recording-rows.ts';

/** A recording that the viewer may see, and where its bytes can be had: the first place that has them is used. */
export interface FoundRecording {
  row: StoredRecording;
  sources: ContentSource[];
  /** Whether the viewer may still see it. */
  isStillVisible: () => Promise<boolean>;
}

/** Null: unknown, or not (any more) for this viewer. */
export type FindRecording = (scope: Scope, recordingId: string) => Promise<FoundRecording | null>;

/** Makes the look-up behind a link: visibility is asked for each time, as the portal switch is live. */
export function makeFindRecording(
  deps: { visibility: ArtifactVisibility; microsoftApp: MicrosoftAppService; blobs: BlobStore | undefined },
  tools: Pick<ServiceTools, 'logger'>,
): FindRecording {
  async function visibleRow(scope: Scope, recordingId: string): Promise<StoredRecording | null> {
    if (!(await deps.visibility.seesArtifacts(scope))) return null;
    return scope.db.run((prisma) =>
      prisma.meetingRecording.findFirst({
        where: { id: { in: wellFormedIds([recordingId]) }, meeting: visibleMeetings(scope.viewer) },
        include: { meeting: { select: { organizerObjectId: true, graphOnlineMeetingId: true, leftIn: true } } },
      }),
    );
  }

  async function sourcesOf(scope: Scope, row: StoredRecording): Promise<ContentSource[]> {
    const sources: ContentSource[] = [];
    if (row.storage === 'INTERNAL') {
      if (deps.blobs) sources.push(blobSource(deps.blobs, blobKey(scope.db.tenantId, row.id), row.contentType));
      else
        tools.logger.error(
          { tenantId: scope.db.tenantId, recordingId: row.id },
          '[TeamsMeetings] operation=recording BLOB_STORE is not set, and this recording was copied into one',
        );
    }
    const { organizerObjectId, graphOnlineMeetingId, leftIn } = row.meeting;
    const graph = leftIn === null ? await deps.microsoftApp.graphFor(scope) : null;
    if (graph !== null && organizerObjectId !== null && graphOnlineMeetingId !== null) {
      sources.push(
        graphSource(graph, {
          organizerId: organizerObjectId,
          onlineMeetingId: graphOnlineMeetingId,
          graphRecordingId: row.graphRecordingId,
        }),
      );
    }
    return sources;
  }

  return async (scope, recordingId) => {
    const row = await visibleRow(scope, recordingId);
    if (row === null) return null;
    return {
      row,
      sources: await sourcesOf(scope, row),
      isStillVisible: async () => (await visibleRow(scope, recordingId)) !== null,
    };
  };
}
