import type { MeetingRecording } from '../../generated/prisma/client.ts';
import type { Scope, ServiceTools } from '../scope.ts';

/** A recording with what Microsoft needs to find it. */
export interface StoredRecording extends MeetingRecording {
  meeting: { organizerObjectId: string | null; graphOnlineMeetingId: string | null; leftIn: string | null };
}

/** Whether the bytes of a recording can be had from somewhere, as far as is known. */
export function isAvailable({ storage, goneAt }: Pick<MeetingRecording, 'storage' | 'goneAt'>): boolean {
  return storage === 'INTERNAL' || goneAt === null;
}

/** For so long a recording may be said to be gone that is only not there yet, or not just now. */
const GONE_AFTER_MS = 24 * 3_600_000;

/** Said before this, that Microsoft has a recording no more is believed for good. */
export function goneForGoodBefore(now: Date): Date {
  return new Date(now.getTime() - GONE_AFTER_MS);
}

/**
 * Names a version of the content, as a strong ETag does. Microsoft's recordings do not change under their id; what has
 * another size is another content all the same. Our own copy has the name of what it was copied from, so that a player
 * goes on when the copy takes over. Null while the size is not known.
 */
export function contentTag(recordingId: string, size: number | null): string | null {
  return size === null ? null : `"${recordingId}-${size}"`;
}

/** What is learnt of recordings while they are served or copied. */
export interface RecordingFacts {
  /** Stores the size, where it is news. */
  learnSize(scope: Scope, row: MeetingRecording, size: number): Promise<void>;
  /** Stores whether Microsoft has it, where that is news. */
  learnGone(scope: Scope, row: MeetingRecording, isGone: boolean): Promise<void>;
}

export function createRecordingFacts(tools: Pick<ServiceTools, 'clock' | 'logger'>): RecordingFacts {
  return {
    async learnSize(scope, { id, sizeBytes }, size) {
      if (sizeBytes === BigInt(size)) return;
      await scope.db.run((prisma) => prisma.meetingRecording.updateMany({ where: { id }, data: { sizeBytes: size } }));
    },

    async learnGone(scope, { id, goneAt }, isGone) {
      if ((goneAt !== null) === isGone) return;
      tools.logger.info(
        { tenantId: scope.db.tenantId, recordingId: id, outcome: isGone ? 'gone' : 'back' },
        '[TeamsMeetings] operation=recording',
      );
      await scope.db.run((prisma) =>
        prisma.meetingRecording.updateMany({
          where: { id, goneAt: isGone ? null : { not: null } },
          data: { goneAt: isGone ? tools.clock() : null },
        }),
      );
    },
  };
}
