import type { TenantPrisma } from '../../db/database.ts';
import type { GraphCallArtifact, GraphTranscriptContent } from '../../graph/types.ts';
import type { Meeting } from '../meetings/meeting.ts';
import { recordOutgoingEvent } from '../psa-events/outbox.ts';
import { planStoreRecording } from '../recordings/planned-copies.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { storeTranscript } from '../transcripts/store-transcript.ts';

/** Stores what Microsoft has of a meeting; what is stored already stays as it is, but for what an import did not know of it. */
export interface ArtifactStore {
  /** @returns how many recordings are new */
  recordings(scope: Scope, meeting: Meeting, found: readonly GraphCallArtifact[]): Promise<number>;
  /** @returns whether the transcript is new */
  transcript(
    scope: Scope,
    meeting: Meeting,
    found: GraphCallArtifact,
    content: GraphTranscriptContent,
  ): Promise<boolean>;
}

function factsOf({ callId, contentCorrelationId, createdAt, endedAt }: GraphCallArtifact) {
  return { callId, contentCorrelationId, createdAt, endedAt };
}

const NOTHING_KNOWN = { callId: null, contentCorrelationId: null, endedAt: null };

/** @param tellsPsa whether the PSA hears of each new artifact; see `recordOutgoingEvent` */
export function createArtifactStore(tellsPsa: boolean, tools: ServiceTools): ArtifactStore {
  async function tell(
    prisma: TenantPrisma,
    meeting: Meeting,
    kind: 'recording' | 'transcript',
    ids: readonly string[],
  ): Promise<void> {
    if (!tellsPsa) return;
    for (const id of ids) {
      await recordOutgoingEvent(prisma, tools, {
        type: 'teams_meeting.artifacts_ready',
        meeting,
        artifact: { kind, id },
      });
    }
  }

  return {
    recordings: (scope, meeting, found) =>
      scope.db.transaction(async (prisma) => {
        const stored = await prisma.meetingRecording.createManyAndReturn({
          data: found.map((recording) => ({
            ...factsOf(recording),
            id: tools.newId(),
            meetingId: meeting.id,
            graphRecordingId: recording.id,
            capturedAt: tools.clock(),
          })),
          skipDuplicates: true,
          select: { id: true },
        });
        for (const recording of stored.length === found.length ? [] : found) {
          await prisma.meetingRecording.updateMany({
            where: { meetingId: meeting.id, graphRecordingId: recording.id, ...NOTHING_KNOWN },
            data: factsOf(recording),
          });
        }
        const ids = stored.map(({ id }) => id);
        for (const id of ids) await planStoreRecording(prisma, id);
        await tell(prisma, meeting, 'recording', ids);
        return stored.length;
      }),

    transcript: (scope, meeting, found, content) =>
      scope.db.transaction(async (prisma) => {
        const id = await storeTranscript(prisma, tools, meeting.id, found, content);
        if (id !== null) await tell(prisma, meeting, 'transcript', [id]);
        return id !== null;
      }),
  };
}
